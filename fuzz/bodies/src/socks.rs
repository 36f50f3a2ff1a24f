//! Target `socks`: what a proxy sends, in pieces of every size.
//!
//! The client has the same result however the bytes are cut, reads none that belong to the peer behind the proxy, and has
//! the result of a second implementation of RFC 1928, RFC 1929 and Tor's `socks-extensions`.

use connmgr_core::socks::{Client, Outcome, Step};
use connmgr_core::{HostName, Isolation, IsolationToken, PeerAddress};

use crate::bytes::Bytes;

/// More steps than any conversation has: 321 bytes one way and 267 the other, one at a time.
const MAX_STEPS: u32 = 1000;

/// One conversation.
#[derive(Debug, PartialEq, Eq)]
struct ProxyTalk {
    sent: Vec<u8>,
    taken: usize,
    outcome: Result<Outcome, String>,
}

/// The first byte chooses the request; then a byte for the number of cuts, the cuts, and what the proxy sends.
///
/// # Panics
/// When the client spins, takes too much, or misreads the reply.
pub fn socks(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let how = bytes.byte();
    let count = usize::from(bytes.below(32));
    let cuts = bytes.take(count);
    let proxy = bytes.rest();
    let whole = talk(client(how), proxy, |_, wanted| wanted);
    let expected = expected(how, proxy);
    assert_eq!((whole.outcome.clone().ok(), whole.taken), expected, "{:?}", whole.outcome);
    assert_eq!(talk(client(how), proxy, |_, _| 1), whole, "byte by byte");
    let mut pieces = cuts.iter().cycle();
    let piece = |_, wanted: usize| wanted.min(1 + usize::from(*pieces.next().unwrap_or(&0)));
    assert_eq!(talk(client(how), proxy, piece), whole, "in pieces");
    // Cut once, at every place.
    for cut in 0..proxy.len().min(whole.taken) {
        let once = talk(client(how), proxy, |at, wanted| if cut > at { wanted.min(cut - at) } else { wanted });
        assert_eq!(once, whole, "cut at {cut}");
    }
    misdrive(client(how), cuts, proxy);
}

/// The client of this number.
fn client(how: u8) -> Client {
    let token = IsolationToken::from_u64(how.into());
    let isolation = match (is_isolated(how), may_share(how)) {
        (true, true) => Isolation::Preferred(token),
        (true, false) => Isolation::Token(token),
        (false, _) => Isolation::Shared,
    };
    if resolves(how) {
        return Client::resolve(&HostName::new("seed.example").expect("a name"), isolation);
    }
    let address = match how >> 2 & 3 {
        0 => "192.0.2.1:8333",
        1 => "[2001:db8::1]:8333",
        2 => "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:8333",
        _ => "node.example:8333",
    };
    Client::connect(&address.parse::<PeerAddress>().expect("an address"), isolation)
}

const fn is_isolated(how: u8) -> bool {
    how & 1 == 1
}

/// Whether "no authentication" is offered.
const fn may_share(how: u8) -> bool {
    !is_isolated(how) || how & 16 == 16
}

const fn resolves(how: u8) -> bool {
    how & 2 == 2
}

/// Runs the client with a proxy that sends these bytes and closes.
fn talk(mut client: Client, proxy: &[u8], mut piece: impl FnMut(usize, usize) -> usize) -> ProxyTalk {
    let (mut sent, mut taken) = (Vec::new(), 0);
    for _ in 0..MAX_STEPS {
        match client.step() {
            Step::Write(bytes) => {
                assert!(!bytes.is_empty(), "nothing to write");
                let count = piece(usize::MAX, bytes.len());
                sent.extend_from_slice(&bytes[..count]);
                client.wrote(count);
            }
            Step::Read(wanted) => {
                assert!((1..=Client::MAX_READ).contains(&wanted), "{wanted} bytes wanted");
                let count = piece(taken, wanted).min(proxy.len() - taken);
                client.received(&proxy[taken..][..count]);
                taken += count;
            }
            Step::Done(result) => return ProxyTalk { sent, taken, outcome: result.map_err(|why| why.to_string()) },
        }
    }
    panic!("the client spins: {client:?}");
}

/// A driver that breaks the rules: the client may fail, but must not panic.
fn misdrive(mut client: Client, counts: &[u8], proxy: &[u8]) {
    for (turn, count) in counts.iter().enumerate() {
        let count = usize::from(*count);
        match turn % 3 {
            0 => client.wrote(count),
            1 => client.received(&proxy[..count.min(proxy.len())]),
            _ => {
                if let Step::Write(bytes) = client.step() {
                    let count = bytes.len();
                    client.wrote(count);
                }
            }
        }
    }
    client.eof();
    assert!(matches!(client.step(), Step::Done(_)), "the end is the end");
}

/// The second implementation: the outcome, if it is a success, and how many of the bytes are the proxy's.
fn expected(how: u8, proxy: &[u8]) -> (Option<Outcome>, usize) {
    let mut read = Reading { bytes: proxy, taken: 0 };
    let outcome = read.conversation(how);
    (outcome, read.taken)
}

struct Reading<'a> {
    bytes: &'a [u8],
    taken: usize,
}

impl<'a> Reading<'a> {
    fn part(&mut self, length: usize) -> Option<&'a [u8]> {
        let part = self.bytes.get(self.taken..self.taken + length);
        self.taken = self.bytes.len().min(self.taken + length);
        part
    }

    fn conversation(&mut self, how: u8) -> Option<Outcome> {
        match self.part(2)? {
            [5, 0] if may_share(how) => {}
            [5, 2] if is_isolated(how) => (self.part(2)? == [1, 0]).then_some(())?,
            _ => return None,
        }
        (self.part(2)? == [5, 0]).then_some(())?;
        let &[_, kind, first] = self.part(3)? else { return None };
        let left = match kind {
            1 => 3 + 2,
            3 => usize::from(first) + 2,
            4 => 15 + 2,
            _ => return None,
        };
        let tail = self.part(left)?;
        let octets = [&[first], tail].concat();
        match (resolves(how), kind) {
            (false, _) => Some(Outcome::Connected),
            (true, 1) => Some(Outcome::Resolved(octets.first_chunk::<4>().copied()?.into())),
            (true, 4) => Some(Outcome::Resolved(octets.first_chunk::<16>().copied()?.into())),
            (true, _) => None,
        }
    }
}
