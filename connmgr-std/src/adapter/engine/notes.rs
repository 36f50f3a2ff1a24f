//! Notes to the engine from its threads and from the application's side.
//!
//! The channel needs no bound: the resolver's queue bounds the lookups, there is at most one piece of news for
//! each file and attempt to save it, and one end.

use std::fmt;
#[cfg(feature = "watch-network")]
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use connmgr_core::LookupId;

use super::Lookup;
use crate::state::SaveNews;

/// A note to the engine.
#[derive(Debug)]
pub(crate) enum EngineNote {
    /// A lookup of the resolver's threads has ended.
    Looked(LookupId, Lookup),
    /// A lookup of a proxy's name has ended.
    ProxyLooked(LookupId, Lookup),
    /// What became of saving the state.
    Saving(SaveNews),
    /// The saver's thread has ended: all is written, and the directory is free.
    SaverEnded,
    /// This machine's network has changed.
    #[cfg(feature = "watch-network")]
    NetworkChanged,
    /// Changes of the network are not noticed any more.
    #[cfg(feature = "watch-network")]
    NotWatching(io::Error),
    /// The application has dropped its pool.
    Abandoned,
}

/// Sends notes to the engine. Clones share the channel.
#[derive(Clone)]
pub(crate) struct EngineNotes {
    sender: Sender<EngineNote>,
    ring: Arc<dyn Fn() + Send + Sync>,
}

impl EngineNotes {
    pub(super) fn new(ring: impl Fn() + Send + Sync + 'static) -> (Self, Receiver<EngineNote>) {
        let (sender, heard) = channel();
        (Self { sender, ring: Arc::new(ring) }, heard)
    }

    /// Sends a note, and asks for a turn.
    pub(crate) fn post(&self, note: EngineNote) {
        // The pool may be gone.
        let _ = self.sender.send(note);
        self.ring();
    }

    /// Asks for a turn.
    pub(crate) fn ring(&self) {
        (self.ring)();
    }

    /// Reports that the application has dropped its pool.
    pub(crate) fn abandon(&self) {
        self.post(EngineNote::Abandoned);
    }
}

impl fmt::Debug for EngineNotes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineNotes").finish_non_exhaustive()
    }
}
