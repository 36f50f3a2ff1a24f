//! Records everything a session reports.

use bitcoin::block::{BlockHash, Header};
use connmgr_core::{Activity, AddressInfo};
use connmgr_node::drive::tokio::drive;
use connmgr_node::end::SessionEnd;
use connmgr_node::handshake::{Hello, PeerHello};
use connmgr_node::news::News;
use connmgr_node::pump::Pump;
use connmgr_node::session::{Session, SessionConfig};
use connmgr_node::violation::ProtocolViolation;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::soon;

/// One report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    Ready(PeerHello),
    Addresses(Vec<AddressInfo>),
    Activity(Activity),
    Misbehaving(ProtocolViolation),
    Tip(u32),
}

/// Passes on the news of a session, and answers it with the given data.
#[derive(Debug)]
pub struct Recorder {
    heard: UnboundedSender<Heard>,
    /// The answer to `getaddr`.
    pub known: Vec<AddressInfo>,
    /// The answer to `getheaders`.
    pub chain: Vec<Header>,
    /// Whether to follow the peer's headers.
    pub follows: bool,
}

/// The other end of a [`Recorder`].
#[derive(Debug)]
pub struct Ear(UnboundedReceiver<Heard>);

impl Recorder {
    pub fn new() -> (Self, Ear) {
        let (heard, ear) = unbounded_channel();
        (Self { heard, known: Vec::new(), chain: Vec::new(), follows: true }, Ear(ear))
    }

    fn hear(&self, heard: Heard) {
        // The test may have heard enough.
        let _unheard = self.heard.send(heard);
    }
}

impl Ear {
    /// The next report that is wanted; skips others.
    pub async fn hear<T>(&mut self, what: &str, mut wanted: impl FnMut(Heard) -> Option<T>) -> T {
        let listen = async {
            loop {
                let heard = self.0.recv().await.unwrap_or_else(|| panic!("{what}: the session ended before"));
                if let Some(found) = wanted(heard) {
                    return found;
                }
            }
        };
        soon(what, listen).await
    }

    pub async fn ready(&mut self) -> PeerHello {
        self.hear("ready", |heard| if let Heard::Ready(peer) = heard { Some(peer) } else { None }).await
    }

    pub async fn addresses(&mut self) -> Vec<AddressInfo> {
        self.hear("addresses", |heard| if let Heard::Addresses(told) = heard { Some(told) } else { None }).await
    }

    pub async fn misbehaving(&mut self) -> ProtocolViolation {
        self.hear("misbehaving", |heard| if let Heard::Misbehaving(what) = heard { Some(what) } else { None }).await
    }

    pub async fn round_trip(&mut self) -> std::time::Duration {
        self.hear("a pong", |heard| if let Heard::Activity(activity) = heard { activity.ping } else { None }).await
    }

    pub async fn new_block(&mut self) {
        let wanted = |heard| matches!(heard, Heard::Activity(Activity { block: true, .. })).then_some(());
        self.hear("a new block", wanted).await;
    }

    pub async fn tip(&mut self, height: u32) {
        self.hear(&format!("tip {height}"), |heard| (heard == Heard::Tip(height)).then_some(())).await;
    }

    /// Everything until the session ends.
    pub async fn rest(mut self) -> Vec<Heard> {
        let mut all = Vec::new();
        let listen = async {
            while let Some(heard) = self.0.recv().await {
                all.push(heard);
            }
        };
        soon("the end of the session", listen).await;
        all
    }
}

impl Recorder {
    /// Runs a session on this stream to its end.
    pub async fn talk(self, mut stream: TcpStream, hello: Hello, config: SessionConfig) -> SessionEnd {
        let mut pump = Pump::new(Session::new(hello, config));
        loop {
            match drive(&mut stream, |stream, now| pump.turn(stream, now)).await {
                News::Ended(end) => return end,
                news => self.handle(news, pump.session()),
            }
        }
    }

    fn handle(&self, news: News, session: &mut Session) {
        match news {
            News::Ready(peer) => {
                self.hear(Heard::Ready(peer));
                if self.follows {
                    session.follow_headers(std::time::Instant::now());
                }
            }
            News::Addresses(addresses) => self.hear(Heard::Addresses(addresses)),
            News::Activity(activity) => self.hear(Heard::Activity(activity)),
            News::Misbehaving(violation) => self.hear(Heard::Misbehaving(violation)),
            News::Tip(height) => self.hear(Heard::Tip(height)),
            News::AddressesWanted(count) => {
                session.tell_addresses(&self.known[..self.known.len().min(count as usize)]);
            }
            News::HeadersWanted(locator) => session.tell_headers(self.headers_after(&locator)),
            News::Ended(_) => unreachable!("handled before"),
        }
    }

    fn headers_after(&self, locator: &[BlockHash]) -> Vec<Header> {
        let after = |hash: &BlockHash| self.chain.iter().position(|header| header.block_hash() == *hash);
        let start = locator.iter().find_map(after).map_or(0, |index| index + 1);
        self.chain[start..].to_vec()
    }
}
