//! A bell: that something has come, told any number of times, heard once.

use async_channel::{Receiver, Sender, bounded};

/// Rings for whoever has the [`Receiver`]. Clones are the same bell.
#[derive(Clone, Debug)]
pub(crate) struct Bell(Sender<()>);

impl Bell {
    /// A bell, and who hears it.
    pub(crate) fn new() -> (Self, Receiver<()>) {
        let (bell, heard) = bounded(1);
        (Self(bell), heard)
    }

    /// Wakes who listens, or saves it its next wait.
    pub(crate) fn ring(&self) {
        // It rings already, or nobody listens any more.
        let _ = self.0.try_send(());
    }
}
