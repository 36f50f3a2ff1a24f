//! Notices that this machine's network has changed (feature `watch-network`): an address or a default route has come or
//! gone.
//!
//! On Linux a thread waits for the kernel's messages. Elsewhere there is none, and the application reports changes.

#[cfg(target_os = "linux")]
mod kernel;
#[cfg(target_os = "linux")]
mod scene;
#[cfg(target_os = "linux")]
mod thread;

use std::io;

/// Watches the network until it is dropped, which waits for nothing.
#[derive(Debug)]
pub(crate) struct NetworkWatch {
    /// The thread ends when this is closed.
    #[cfg(target_os = "linux")]
    _open: std::os::unix::net::UnixStream,
}

impl NetworkWatch {
    /// Starts. `on_change` is called for each change, or once for many at a time; `on_end` if the kernel's messages can't
    /// be read any more. Neither may block.
    ///
    /// # Errors
    /// The system refuses the socket or the thread.
    #[cfg(target_os = "linux")]
    pub(crate) fn start(
        on_change: impl FnMut() + Send + 'static,
        on_end: impl FnOnce(io::Error) + Send + 'static,
    ) -> io::Result<Self> {
        thread::start(on_change, on_end).map(|_open| Self { _open })
    }

    /// Starts nothing.
    ///
    /// # Errors
    /// None.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn start(
        _: impl FnMut() + Send + 'static,
        _: impl FnOnce(io::Error) + Send + 'static,
    ) -> io::Result<Self> {
        Ok(Self {})
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};

    use super::*;
    use crate::tests::common::LONG;

    #[test]
    fn the_thread_ends_when_the_watch_is_dropped_and_nothing_is_told() {
        let (told, heard) = channel();
        let failed = told.clone();
        let on_end = move |error: io::Error| failed.send(error.to_string()).unwrap();
        let watch = NetworkWatch::start(move || told.send("a change".into()).unwrap(), on_end).unwrap();
        drop(watch);
        assert_eq!(heard.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected), "the thread drops what it was given");
    }
}
