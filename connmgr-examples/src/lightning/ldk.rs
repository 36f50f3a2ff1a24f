//! LDK's peer manager, with no more than a handshake needs.

use std::sync::Arc;

use bitcoin::secp256k1::PublicKey;
use lightning::ln::msgs::{BaseMessageHandler, Init, MessageSendEvent, SendOnlyMessageHandler};
use lightning::ln::peer_handler::{ErroringMessageHandler, IgnoringMessageHandler, MessageHandler, PeerManager};
use lightning::sign::{EntropySource, KeysManager};
use lightning::types::features::{InitFeatures, NodeFeatures};
use lightning::util::logger::{Logger, Record};
use lightning_net_tokio::SocketDescriptor;
use tokio::sync::watch;

/// The peer manager. It ignores all messages but those of the handshake.
pub(super) type Peers = PeerManager<
    SocketDescriptor,
    Arc<ErroringMessageHandler>,
    IgnoringMessageHandler,
    IgnoringMessageHandler,
    Arc<Quiet>,
    IgnoringMessageHandler,
    Arc<KeysManager>,
    Arc<Handshakes>,
>;

/// A peer manager with these keys, which tells of each handshake.
pub(super) fn peers(keys: Arc<KeysManager>, handshakes: watch::Sender<()>) -> Peers {
    let handlers = MessageHandler {
        chan_handler: Arc::new(ErroringMessageHandler::new()),
        route_handler: IgnoringMessageHandler {},
        onion_message_handler: IgnoringMessageHandler {},
        custom_message_handler: IgnoringMessageHandler {},
        send_only_message_handler: Arc::new(Handshakes(handshakes)),
    };
    let chance = keys.get_secure_random_bytes();
    PeerManager::new(handlers, 1, &chance, Arc::new(Quiet), keys)
}

/// Hears from LDK of every handshake that is done.
pub(super) struct Handshakes(watch::Sender<()>);

impl BaseMessageHandler for Handshakes {
    fn get_and_clear_pending_msg_events(&self) -> Vec<MessageSendEvent> {
        Vec::new()
    }

    fn peer_disconnected(&self, _: PublicKey) {}

    fn provided_node_features(&self) -> NodeFeatures {
        NodeFeatures::empty()
    }

    fn provided_init_features(&self, _: PublicKey) -> InitFeatures {
        InitFeatures::empty()
    }

    fn peer_connected(&self, _: PublicKey, _: &Init, _inbound: bool) -> Result<(), ()> {
        self.0.send_replace(());
        Ok(())
    }
}

impl SendOnlyMessageHandler for Handshakes {}

/// LDK's log goes nowhere.
pub(super) struct Quiet;

impl Logger for Quiet {
    fn log(&self, _: Record<'_>) {}
}
