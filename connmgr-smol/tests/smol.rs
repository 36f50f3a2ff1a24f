//! The stories, run by smol.

mod stories;

/// What the stories want of an executor.
mod runtime {
    use connmgr_smol::BoxFuture;

    pub(crate) fn spawn(task: BoxFuture) {
        smol::spawn(task).detach();
    }

    pub(crate) fn block_on<F: Future>(story: F) -> F::Output {
        smol::block_on(story)
    }
}
