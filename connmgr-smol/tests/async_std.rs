//! The stories on async-std, which is discontinued (RUSTSEC-2025-0052).

mod stories;

/// The executor of the stories.
mod runtime {
    use connmgr_smol::BoxFuture;

    pub(crate) fn spawn(task: BoxFuture) {
        drop(async_std::task::spawn(task));
    }

    pub(crate) fn block_on<F: Future>(story: F) -> F::Output {
        async_std::task::block_on(story)
    }
}
