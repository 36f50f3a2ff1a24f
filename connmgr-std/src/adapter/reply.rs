//! What a [`Reply`] means to whoever gave a command. A pool that is gone has none.

use connmgr_core::{AddPeerError, AddressInfo, CommandError, PeerId, Reply};

/// Of [`Input::AddPeer`](connmgr_core::Input::AddPeer).
///
/// # Errors
/// [`AddPeerError`] says why the peer may not be added.
pub fn added(reply: Option<Reply>) -> Result<PeerId, AddPeerError> {
    match reply {
        Some(Reply::Added(added)) => added,
        Some(Reply::Noted | Reply::Accepted(_) | Reply::Addresses(_) | Reply::Done(_)) | None => {
            Err(AddPeerError::ShuttingDown)
        }
    }
}

/// Of [`Input::SampleAddresses`](connmgr_core::Input::SampleAddresses).
pub fn addresses(reply: Option<Reply>) -> Vec<AddressInfo> {
    match reply {
        Some(Reply::Addresses(addresses)) => addresses,
        Some(Reply::Noted | Reply::Accepted(_) | Reply::Added(_) | Reply::Done(_)) | None => Vec::new(),
    }
}

/// Of every other command.
///
/// # Errors
/// [`CommandError`] says why it was not done.
pub fn done(reply: Option<Reply>) -> Result<(), CommandError> {
    match reply {
        Some(Reply::Done(done)) => done,
        Some(Reply::Noted | Reply::Accepted(_) | Reply::Added(_) | Reply::Addresses(_)) | None => {
            Err(CommandError::ShuttingDown)
        }
    }
}
