//! The stories on smol.

mod stories;

/// The executor of the stories.
mod runtime {
    use connmgr_smol::BoxFuture;

    pub(crate) fn spawn(task: BoxFuture) {
        smol::spawn(task).detach();
    }

    pub(crate) fn block_on<F: Future>(story: F) -> F::Output {
        smol::block_on(story)
    }
}
