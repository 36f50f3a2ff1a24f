//! The conformance suite on smol and on async-std.

mod rig;

/// On smol.
mod smol {
    use connmgr_smol::BoxFuture;

    use crate::rig::{Executor, OnAsyncIo};

    pub(crate) struct Smol;

    impl Executor for Smol {
        fn spawn(task: BoxFuture) {
            ::smol::spawn(task).detach();
        }

        fn block_on<F: Future>(future: F) -> F::Output {
            ::smol::block_on(future)
        }
    }

    connmgr_testbed::conformance!(OnAsyncIo<Smol>);

    #[cfg(all(feature = "interop", target_os = "linux"))]
    mod behind_tor {
        connmgr_testbed::behind_tor!(super::OnAsyncIo<super::Smol>);
    }

    #[cfg(all(feature = "interop", target_os = "linux"))]
    mod behind_ssh {
        connmgr_testbed::behind_ssh!(super::OnAsyncIo<super::Smol>);
    }
}

/// On async-std, which is discontinued (RUSTSEC-2025-0052).
mod async_std {
    use connmgr_smol::BoxFuture;

    use crate::rig::{Executor, OnAsyncIo};

    pub(crate) struct AsyncStd;

    impl Executor for AsyncStd {
        fn spawn(task: BoxFuture) {
            drop(::async_std::task::spawn(task));
        }

        fn block_on<F: Future>(future: F) -> F::Output {
            ::async_std::task::block_on(future)
        }
    }

    connmgr_testbed::conformance!(OnAsyncIo<AsyncStd>);

    #[cfg(all(feature = "interop", target_os = "linux"))]
    mod behind_tor {
        connmgr_testbed::behind_tor!(super::OnAsyncIo<super::AsyncStd>);
    }

    #[cfg(all(feature = "interop", target_os = "linux"))]
    mod behind_ssh {
        connmgr_testbed::behind_ssh!(super::OnAsyncIo<super::AsyncStd>);
    }
}
