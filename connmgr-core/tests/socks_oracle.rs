//! Arti's proxy side as an oracle: it must read what our SOCKS5 client writes, and we must read its replies.

use std::net::IpAddr;

use connmgr_core::socks::{Client, Outcome, ReplyCode, SocksError, Step};
use connmgr_core::{HostName, Isolation, IsolationToken, PeerAddress};
use tor_socksproto::{
    Buffer, Handshake as _, NextStep, PreciseReads, SocksAddr, SocksAuth, SocksCmd, SocksProxyHandshake, SocksRequest,
    SocksStatus,
};

const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

/// A proxy that reads a request with the oracle and then sends a prepared reply.
struct Proxy {
    handshake: SocksProxyHandshake,
    buffer: Buffer<PreciseReads>,
    request: Option<SocksRequest>,
    reply: (SocksStatus, Option<SocksAddr>),
    /// Written by the client, not yet read by the oracle.
    inbox: Vec<u8>,
    /// Sent by the proxy, not yet read by the client.
    outbox: Vec<u8>,
}

impl Proxy {
    fn new(status: SocksStatus, address: Option<SocksAddr>) -> Self {
        Self {
            handshake: SocksProxyHandshake::new(),
            buffer: Buffer::new_precise(),
            request: None,
            reply: (status, address),
            inbox: Vec::new(),
            outbox: Vec::new(),
        }
    }

    /// Reads and replies as far as the client has written.
    fn turn(&mut self) {
        while self.request.is_none() {
            match self.handshake.step(&mut self.buffer).expect("the oracle understands us") {
                NextStep::Send(bytes) => self.outbox.extend(bytes),
                NextStep::Recv(mut step) => {
                    let count = step.buf().len().min(self.inbox.len());
                    if count == 0 {
                        return;
                    }
                    for (slot, byte) in step.buf().iter_mut().zip(self.inbox.drain(..count)) {
                        *slot = byte;
                    }
                    step.note_received(count).expect("not the end of the stream");
                }
                NextStep::Finished(finished) => {
                    let request = finished.into_output().expect("the oracle reads precisely");
                    self.outbox.extend(request.reply(self.reply.0, self.reply.1.as_ref()).expect("a reply"));
                    self.request = Some(request);
                }
            }
        }
    }
}

/// What the oracle read, and what we read of its reply. At most `piece` bytes are passed at a time.
fn talk(mut client: Client, mut proxy: Proxy, piece: usize) -> (SocksRequest, Result<Outcome, SocksError>) {
    loop {
        match client.step() {
            Step::Write(bytes) => {
                let count = bytes.len().min(piece);
                proxy.inbox.extend_from_slice(&bytes[..count]);
                client.wrote(count);
                proxy.turn();
            }
            Step::Read(wanted) => {
                let count = wanted.min(piece).min(proxy.outbox.len());
                client.received(&proxy.outbox[..count]);
                proxy.outbox.drain(..count);
            }
            Step::Done(result) => {
                assert!(result.is_err() || proxy.outbox.is_empty(), "the client left some of the reply");
                assert!(proxy.inbox.is_empty(), "the client wrote more than the oracle read");
                return (proxy.request.expect("a whole request"), result);
            }
        }
    }
}

fn token(number: u64) -> Isolation {
    Isolation::Token(IsolationToken::from_u64(number))
}

fn preferred(number: u64) -> Isolation {
    Isolation::Preferred(IsolationToken::from_u64(number))
}

fn connect(address: &str, isolation: Isolation) -> Client {
    Client::connect(&address.parse::<PeerAddress>().expect("an address"), isolation)
}

fn resolve(isolation: Isolation) -> Client {
    Client::resolve(&HostName::new("seed.example").expect("a name"), isolation)
}

fn name(len: usize) -> SocksAddr {
    SocksAddr::Hostname("x".repeat(len).try_into().expect("a name"))
}

#[test]
fn the_oracle_reads_every_sort_of_address() {
    for (address, host) in [
        ("1.2.3.4:8333", "1.2.3.4"),
        ("[2001:db8::5]:8333", "2001:db8::5"),
        ("cjdns:[fc00::5]:8333", "fc00::5"),
        ("node.example:8333", "node.example"),
        (&format!("{ONION}:8333"), ONION),
    ] {
        for isolation in [Isolation::Shared, preferred(1), token(1)] {
            for piece in [1, 2, 3, 1000] {
                let proxy = Proxy::new(SocksStatus::SUCCEEDED, None);
                let (request, result) = talk(connect(address, isolation), proxy, piece);
                assert_eq!(request.command(), SocksCmd::CONNECT);
                assert_eq!((request.addr().to_string().as_str(), request.port()), (host, 8333));
                assert_eq!(result, Ok(Outcome::Connected));
            }
        }
    }
}

#[test]
fn the_oracle_keeps_tokens_apart() {
    let auth = |isolation| {
        let proxy = Proxy::new(SocksStatus::SUCCEEDED, None);
        talk(connect("node.example:1", isolation), proxy, 7).0.auth().clone()
    };
    assert_eq!(auth(Isolation::Shared), SocksAuth::NoAuth);
    assert!(matches!(auth(token(1)), SocksAuth::Username(user, password) if !user.is_empty() && !password.is_empty()));
    assert_eq!(auth(token(1)), auth(token(1)));
    assert_ne!(auth(token(1)), auth(token(2)));
    assert_eq!(auth(preferred(1)), auth(token(1)), "whoever separates circuits chooses credentials");
}

#[test]
fn we_read_what_the_oracle_resolves() {
    for address in ["192.0.2.7", "2001:db8::7"] {
        let address: IpAddr = address.parse().expect("an address");
        for piece in [1, 2, 3, 1000] {
            let proxy = Proxy::new(SocksStatus::SUCCEEDED, Some(SocksAddr::Ip(address)));
            let (request, result) = talk(resolve(token(3)), proxy, piece);
            assert_eq!(request.command(), SocksCmd::RESOLVE);
            assert_eq!(request.addr().to_string(), "seed.example");
            assert_eq!(result, Ok(Outcome::Resolved(address)));
        }
    }
}

#[test]
fn we_read_bound_names_of_any_length() {
    for len in 0..=255 {
        let proxy = || Proxy::new(SocksStatus::SUCCEEDED, Some(name(len)));
        let (_, connected) = talk(connect("node.example:1", Isolation::Shared), proxy(), 100);
        assert_eq!(connected, Ok(Outcome::Connected), "{len}");
        let (_, resolved) = talk(resolve(Isolation::Shared), proxy(), 100);
        assert_eq!(resolved, Err(SocksError::NotAnIp), "{len}");
    }
}

#[test]
fn we_name_every_status_as_the_oracle_does() {
    for (status, code) in [
        (SocksStatus::GENERAL_FAILURE, ReplyCode::GeneralFailure),
        (SocksStatus::NOT_ALLOWED, ReplyCode::NotAllowed),
        (SocksStatus::NETWORK_UNREACHABLE, ReplyCode::NetworkUnreachable),
        (SocksStatus::HOST_UNREACHABLE, ReplyCode::HostUnreachable),
        (SocksStatus::CONNECTION_REFUSED, ReplyCode::ConnectionRefused),
        (SocksStatus::TTL_EXPIRED, ReplyCode::TtlExpired),
        (SocksStatus::COMMAND_NOT_SUPPORTED, ReplyCode::CommandUnsupported),
        (SocksStatus::ADDRTYPE_NOT_SUPPORTED, ReplyCode::AddressTypeUnsupported),
        (SocksStatus::HS_DESC_NOT_FOUND, ReplyCode::OnionDescriptorNotFound),
        (SocksStatus::HS_DESC_INVALID, ReplyCode::OnionDescriptorInvalid),
        (SocksStatus::HS_INTRO_FAILED, ReplyCode::OnionIntroductionFailed),
        (SocksStatus::HS_REND_FAILED, ReplyCode::OnionRendezvousFailed),
        (SocksStatus::HS_MISSING_CLIENT_AUTH, ReplyCode::OnionAuthMissing),
        (SocksStatus::HS_WRONG_CLIENT_AUTH, ReplyCode::OnionAuthWrong),
        (SocksStatus::HS_BAD_ADDRESS, ReplyCode::OnionAddressInvalid),
        (SocksStatus::HS_INTRO_TIMEOUT, ReplyCode::OnionIntroductionTimedOut),
        (SocksStatus::from(0x42), ReplyCode::Unassigned(0x42)),
    ] {
        let (_, result) = talk(connect("node.example:1", token(1)), Proxy::new(status, None), 1000);
        assert_eq!(result, Err(SocksError::Failed(code)));
    }
}
