//! Negotiations with correct and faulty proxies, in every fragmentation.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::{Client, Outcome, ReplyCode, SocksError, Step};
use crate::mechanisms::rng::Rng;
use crate::types::{DialError, HostName, Isolation, IsolationToken, LookupError, PeerAddress};

const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
const I2P: &str = "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p";

/// The peer's first bytes; none of them belongs to the proxy.
const PEER: &[u8] = b"peer";

const OK_V4: &[u8] = &[5, 0, 0, 1, 127, 0, 0, 1, 0, 80];
const OK_V6: &[u8] = &[5, 0, 0, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 80];
const TOR_FAILED_RESOLVE: &[u8] = &[5, 4, 0, 0, 0, 0, 0, 0, 0, 0];

fn token(number: u64) -> Isolation {
    Isolation::Token(IsolationToken::from_u64(number))
}

fn preferred(number: u64) -> Isolation {
    Isolation::Preferred(IsolationToken::from_u64(number))
}

fn connect(address: &str, isolation: Isolation) -> Client {
    let peer: PeerAddress = address.parse().expect("an address");
    Client::connect(&peer, isolation)
}

fn resolve(isolation: Isolation) -> Client {
    Client::resolve(&HostName::new("seed.example").expect("a name"), isolation)
}

/// A reply of success with a bound name of this length.
fn ok_name(len: u8) -> Vec<u8> {
    let mut reply = [5, 0, 0, 3, len].to_vec();
    reply.resize(reply.len() + usize::from(len) + 2, b'x');
    reply
}

/// Everything a proxy sends if it requires no credentials.
fn shared(reply: &[u8]) -> Vec<u8> {
    [&[5, 0], reply].concat()
}

/// Everything a proxy sends if it accepts our credentials.
fn authenticated(reply: &[u8]) -> Vec<u8> {
    [&[5, 2, 1, 0], reply].concat()
}

#[derive(Debug, PartialEq, Eq)]
struct Talk {
    /// Everything the client wrote.
    sent: Vec<u8>,
    /// How many of the proxy's bytes it read.
    taken: usize,
    result: Result<Outcome, SocksError>,
}

/// Runs the client against a proxy that sends these bytes and then closes. `piece(at, len)` says how many of the `len`
/// bytes at offset `at` of either direction move at once.
fn talk_in(mut client: Client, proxy: &[u8], mut piece: impl FnMut(usize, usize) -> usize) -> Talk {
    let (mut sent, mut taken) = (Vec::new(), 0);
    // A negotiation has at most 321 bytes in one direction and 267 in the other.
    for _ in 0..1000 {
        let step = client.step();
        match step {
            Step::Write(bytes) => {
                assert!(!bytes.is_empty(), "nothing to write");
                let count = piece(sent.len(), bytes.len());
                sent.extend_from_slice(&bytes[..count]);
                client.wrote(count);
            }
            Step::Read(wanted) => {
                assert!((1..=Client::MAX_READ).contains(&wanted), "{wanted} bytes wanted");
                let count = piece(taken, wanted).min(proxy.len() - taken);
                client.received(&proxy[taken..][..count]);
                taken += count;
            }
            Step::Done(result) => return Talk { sent, taken, result },
        }
    }
    panic!("the client spins: {client:?}");
}

fn talk(client: Client, proxy: &[u8]) -> Talk {
    talk_in(client, proxy, |_, len| len)
}

fn result(client: Client, proxy: &[u8]) -> Result<Outcome, SocksError> {
    talk(client, proxy).result
}

/// Pieces that never cross one of two offsets.
fn split_at(first: usize, second: usize) -> impl FnMut(usize, usize) -> usize {
    move |at, len| [first, second].iter().filter(|split| **split > at).fold(len, |len, split| len.min(split - at))
}

// ── what we send

#[test]
fn every_sort_of_address_is_asked_for_in_its_own_form() {
    let ipv6 = "2001:db8::5".parse::<core::net::Ipv6Addr>().expect("an address").octets();
    let cjdns = "fc00::5".parse::<core::net::Ipv6Addr>().expect("an address").octets();
    let named = |name: &str| [&[3, u8::try_from(name.len()).expect("short")], name.as_bytes()].concat();
    for (address, form) in [
        ("1.2.3.4:8333", [1, 1, 2, 3, 4].to_vec()),
        ("[2001:db8::5]:8333", [&[4], &ipv6[..]].concat()),
        ("cjdns:[fc00::5]:8333", [&[4], &cjdns[..]].concat()),
        (&(ONION.to_string() + ":8333"), named(ONION)),
        ("Node.Example:8333", named("node.example")),
    ] {
        let sent = talk(connect(address, Isolation::Shared), &shared(OK_V4)).sent;
        assert_eq!(sent, [&[5, 1, 0, 5, 1, 0], &form[..], &[0x20, 0x8d]].concat(), "{address}");
    }
    // I2P has no ports.
    let sent = talk(connect(I2P, Isolation::Shared), &shared(OK_V4)).sent;
    assert_eq!(sent, [&[5, 1, 0, 5, 1, 0], &named(I2P)[..], &[0, 0]].concat());
}

#[test]
fn a_lookup_is_tors_resolve_of_the_name() {
    let sent = talk(resolve(Isolation::Shared), &shared(OK_V4)).sent;
    assert_eq!(sent, b"\x05\x01\x00\x05\xf0\x00\x03\x0cseed.example\x00\x00");
}

#[test]
fn the_longest_name_fits() {
    let name = [&"a".repeat(63), &"b".repeat(63), &"c".repeat(63), &"d".repeat(61)].map(|s| s.as_str()).join(".");
    assert_eq!(name.len(), HostName::MAX_LEN);
    let sent = talk(Client::resolve(&HostName::new(&name).expect("a name"), Isolation::Shared), &shared(OK_V4)).sent;
    assert_eq!(sent[7], 253);
    assert_eq!(&sent[8..sent.len() - 2], name.as_bytes());
}

#[test]
fn a_token_is_sent_as_user_name_and_password() {
    let sent = talk(connect("1.2.3.4:80", token(0xab)), &authenticated(OK_V4)).sent;
    let credentials = b"\x01\x18connmgr-00000000000000ab\x18connmgr-00000000000000ab";
    assert_eq!(sent, [&[5, 1, 2], &credentials[..], &[5, 1, 0, 1, 1, 2, 3, 4, 0, 80]].concat());
}

#[test]
fn different_tokens_are_different_credentials() {
    let sent = |number| talk(connect("1.2.3.4:80", token(number)), &authenticated(OK_V4)).sent;
    assert_ne!(sent(1), sent(2));
    assert_ne!(sent(u64::MAX), sent(u64::MAX >> 1));
}

#[test]
fn where_isolation_is_preferred_the_proxy_chooses() {
    let client = || connect("1.2.3.4:80", preferred(0xab));
    let [own, any] = [authenticated(OK_V4), shared(OK_V4)].map(|proxy| talk(client(), &proxy));
    assert_eq!((own.result, any.result), (Ok(Outcome::Connected), Ok(Outcome::Connected)));
    let credentials = b"\x01\x18connmgr-00000000000000ab\x18connmgr-00000000000000ab";
    assert_eq!(own.sent, [&[5, 2, 2, 0], &credentials[..], &[5, 1, 0, 1, 1, 2, 3, 4, 0, 80]].concat());
    assert_eq!(any.sent, [5, 2, 2, 0, 5, 1, 0, 1, 1, 2, 3, 4, 0, 80]);
}

#[test]
fn that_isolation_was_preferred_and_not_had_can_be_told() {
    let lacks = |isolation, answers: [u8; 2]| {
        let mut client = connect("1.2.3.4:80", isolation);
        let Step::Write(greeting) = client.step() else { panic!("a greeting comes first") };
        client.wrote(greeting.len());
        assert!(!client.lacks_isolation(), "not known yet");
        client.received(&answers);
        client.lacks_isolation()
    };
    assert!(lacks(preferred(1), [5, 0]));
    assert!(!lacks(preferred(1), [5, 2]));
    assert!(!lacks(Isolation::Shared, [5, 0]), "nobody asked for it");
    assert!(!lacks(token(1), [5, 0]), "not used at all");
}

// ── what the proxy may answer

#[test]
fn every_reply_of_success_is_taken_whole_and_nothing_after_it() {
    let names: Vec<_> = (0..=255).map(ok_name).collect();
    for reply in names.iter().map(Vec::as_slice).chain([OK_V4, OK_V6]) {
        let proxy = shared(reply);
        let talk = talk(connect("1.2.3.4:80", Isolation::Shared), &[&proxy, PEER].concat());
        assert_eq!((talk.result, talk.taken), (Ok(Outcome::Connected), proxy.len()), "{reply:?}");
    }
}

#[test]
fn a_lookup_yields_an_address_of_either_version() {
    let resolved = |reply| result(resolve(token(1)), &authenticated(reply));
    assert_eq!(resolved(OK_V4), Ok(Outcome::Resolved(IpAddr::from([127, 0, 0, 1]))));
    assert_eq!(resolved(OK_V6), Ok(Outcome::Resolved("2001:db8::5".parse().expect("an address"))));
}

#[test]
fn a_lookup_that_yields_a_name_is_an_error() {
    for len in [0, 1, 16, 255] {
        assert_eq!(result(resolve(Isolation::Shared), &shared(&ok_name(len))), Err(SocksError::NotAnIp));
    }
}

#[test]
fn tors_failed_resolve_is_understood_by_its_code() {
    let failed = SocksError::Failed(ReplyCode::HostUnreachable);
    assert_eq!(result(resolve(Isolation::Shared), &shared(TOR_FAILED_RESOLVE)), Err(failed));
    assert_eq!(result(resolve(Isolation::Shared), &shared(&TOR_FAILED_RESOLVE[..2])), Err(failed));
    assert_eq!(failed.lookup_error(), LookupError::Failed);
}

#[test]
fn a_failure_of_any_code_needs_two_bytes() {
    for code in 1..=255 {
        let talk = talk(connect("1.2.3.4:80", Isolation::Shared), &shared(&[5, code]));
        assert_eq!(talk.result, Err(SocksError::Failed(ReplyCode::from_u8(code))));
        assert_eq!(talk.taken, 4);
    }
}

// ── what a proxy must not answer

/// The negotiation ends with this error, as seen by a dial and a lookup.
fn check_error(isolation: Isolation, proxy: &[u8], why: SocksError, dial: DialError) {
    check_errors(isolation, proxy, why, dial, LookupError::Proxy);
}

fn check_errors(isolation: Isolation, proxy: &[u8], why: SocksError, dial: DialError, lookup: LookupError) {
    assert_eq!(result(connect("1.2.3.4:80", isolation), proxy), Err(why), "{proxy:?}");
    assert_eq!(result(resolve(isolation), proxy), Err(why), "{proxy:?}");
    assert_eq!((why.dial_error(), why.lookup_error()), (dial, lookup), "{why}");
}

#[test]
fn what_is_no_socks5_is_named() {
    let protocol = DialError::ProxyProtocol;
    check_error(Isolation::Shared, b"HTTP/1.0 400", SocksError::WrongVersion(b'H'), protocol);
    check_error(Isolation::Shared, &[4, 0], SocksError::WrongVersion(4), protocol);
    check_error(Isolation::Shared, &[5, 0, 4, 0], SocksError::WrongVersion(4), protocol);
    check_error(Isolation::Shared, &[5, 0, 4, 1], SocksError::WrongVersion(4), protocol);
    check_error(token(1), &[5, 2, 5, 0], SocksError::WrongAuthVersion(5), protocol);
    for kind in [0, 2, 5, 255] {
        check_error(Isolation::Shared, &[5, 0, 5, 0, 0, kind, 0], SocksError::UnknownAddressType(kind), protocol);
    }
}

#[test]
fn a_proxy_that_wants_or_refuses_credentials_is_named() {
    let (method, auth) = (DialError::ProxyMethod, LookupError::ProxyAuth);
    for isolation in [Isolation::Shared, preferred(1), token(1)] {
        check_errors(isolation, &[5, 0xff], SocksError::NoAcceptableMethod, method, auth);
        check_errors(isolation, &[5, 1], SocksError::MethodNotOffered(1), method, auth);
    }
    check_errors(Isolation::Shared, &[5, 2], SocksError::MethodNotOffered(2), method, auth);
    for isolation in [preferred(1), token(1)] {
        check_errors(isolation, &[5, 2, 1, 1], SocksError::CredentialsRefused, DialError::ProxyAuth, auth);
    }
}

#[test]
fn isolation_never_silently_does_nothing() {
    let talk = talk(connect("1.2.3.4:80", token(1)), &shared(OK_V4));
    assert_eq!(talk.sent, [5, 1, 2], "the target must not be named");
    assert_eq!(talk.result, Err(SocksError::MethodNotOffered(0)));
}

#[test]
fn a_proxy_that_closes_anywhere_before_the_end_is_named() {
    let proxies = [authenticated(OK_V4), authenticated(OK_V6), authenticated(&ok_name(9))];
    for proxy in &proxies {
        for len in (1..proxy.len()).filter(|len| *len != authenticated(&[]).len()) {
            check_error(token(1), &proxy[..len], SocksError::Closed, DialError::ProxyFailed);
        }
    }
}

/// OpenSSH closes so where it is offered nothing but credentials.
#[test]
fn a_proxy_that_closes_instead_of_choosing_may_not_know_the_one_method() {
    let auth = LookupError::ProxyAuth;
    check_errors(token(1), &[], SocksError::NoMethodChosen, DialError::ProxyMethod, auth);
    for isolation in [Isolation::Shared, preferred(1)] {
        check_error(isolation, &[], SocksError::Closed, DialError::ProxyFailed);
    }
}

/// OpenSSH closes so on every command but CONNECT.
#[test]
fn a_proxy_that_closes_instead_of_a_reply_may_not_know_the_command() {
    let (dial, lookup) = (DialError::ProxyFailed, LookupError::ProxyUnsupported);
    check_errors(token(1), &authenticated(&[]), SocksError::Unanswered, dial, lookup);
    check_errors(Isolation::Shared, &shared(&[]), SocksError::Unanswered, dial, lookup);
    check_error(Isolation::Shared, &shared(&[5]), SocksError::Closed, dial);
}

// ── pieces

#[test]
fn every_fragmentation_reads_the_same() {
    let (dial, lookup) = (connect("node.example:80", preferred(1)), resolve(token(1)));
    for reply in [OK_V4, OK_V6, &ok_name(0), &ok_name(9), TOR_FAILED_RESOLVE, &[5, 0, 0, 9, 9]] {
        let proxy = [&authenticated(reply), PEER].concat();
        for client in [&dial, &lookup] {
            let whole = talk(client.clone(), &proxy);
            assert_eq!(talk_in(client.clone(), &proxy, |_, _| 1), whole);
            for first in 0..whole.sent.len().max(whole.taken) {
                for second in 0..=first {
                    assert_eq!(talk_in(client.clone(), &proxy, split_at(first, second)), whole, "{first} {second}");
                }
            }
        }
    }
}

#[test]
fn asking_twice_changes_nothing() {
    let mut client = connect("1.2.3.4:80", Isolation::Shared);
    assert_eq!(client.step(), client.step());
    client.wrote(0);
    assert_eq!(client.step(), Step::Write(&[5, 1, 0]));
    client.wrote(3);
    client.wrote(0);
    assert_eq!(client.step(), Step::Read(2));
}

// ── faulty drivers

#[test]
fn more_than_was_asked_for_is_an_error_not_a_loss() {
    let overrun = Step::Done(Err(SocksError::Overrun));
    assert_eq!(SocksError::Overrun.dial_error(), DialError::Other);
    assert_eq!(SocksError::Overrun.lookup_error(), LookupError::Failed);

    let mut client = connect("1.2.3.4:80", Isolation::Shared);
    client.wrote(4);
    assert_eq!(client.step(), overrun, "wrote more than there was");

    let mut client = connect("1.2.3.4:80", Isolation::Shared);
    client.received(&[5]);
    assert_eq!(client.step(), overrun, "read when there was to write");

    let mut client = connect("1.2.3.4:80", Isolation::Shared);
    client.wrote(3);
    client.wrote(1);
    assert_eq!(client.step(), overrun, "wrote when there was to read");

    let mut client = connect("1.2.3.4:80", Isolation::Shared);
    client.wrote(3);
    client.received(&[5, 0, 5]);
    assert_eq!(client.step(), overrun, "read more than asked for");
}

#[test]
fn an_end_of_stream_ends_the_talk_at_any_step() {
    let mut client = connect("1.2.3.4:80", Isolation::Shared);
    client.eof();
    assert_eq!(client.step(), Step::Done(Err(SocksError::Closed)));

    let mut client = connect("1.2.3.4:80", Isolation::Shared);
    client.wrote(3);
    client.received(&[]);
    assert_eq!(client.step(), Step::Done(Err(SocksError::Closed)));
}

#[test]
fn what_is_done_stays_done() {
    let mut client = connect("1.2.3.4:80", Isolation::Shared);
    client.wrote(3);
    client.received(&[5, 0]);
    client.wrote(10);
    client.received(&OK_V4[..2]);
    client.received(&OK_V4[2..5]);
    client.received(&OK_V4[5..]);
    client.eof();
    client.wrote(1);
    client.received(PEER);
    assert_eq!(client.step(), Step::Done(Ok(Outcome::Connected)));
}

// ── hostile proxies

/// Mostly a correct negotiation with a few bytes changed, so that invalid bytes occur late too.
fn garbage(rng: &mut Rng) -> Vec<u8> {
    let mut proxy = match rng.below(4) {
        0 => authenticated(&ok_name(u8::try_from(rng.below(256)).expect("a byte"))),
        1 => authenticated(OK_V6),
        2 => shared(OK_V4),
        _ => (0..rng.below(600)).map(|_| rng.next_u64().to_le_bytes()[0]).collect(),
    };
    for _ in 0..rng.below(3) {
        let at = rng.index(proxy.len().min(12));
        if let Some(byte) = proxy.get_mut(at) {
            *byte = rng.next_u64().to_le_bytes()[0];
        }
    }
    proxy
}

#[test]
fn no_garbage_panics_grows_or_depends_on_its_pieces() {
    for seed in 0..=255u8 {
        let mut rng = Rng::new([seed; 32], 0);
        for case in 0..100 {
            let isolation = [Isolation::Shared, preferred(rng.next_u64()), token(rng.next_u64())][rng.index(3)];
            let client = if rng.below(2) == 0 { connect("node.example:80", isolation) } else { resolve(isolation) };
            let proxy = garbage(&mut rng);
            let whole = talk(client.clone(), &proxy);
            let pieces = talk_in(client, &proxy, |_, len| 1 + rng.index(len));
            assert_eq!(pieces, whole, "seed {seed}, case {case}");
            assert!(whole.taken <= 266, "seed {seed}, case {case}: {} bytes", whole.taken);
        }
    }
}

#[test]
fn a_client_is_as_small_as_promised() {
    assert!(size_of::<Client>() < 600, "{}", size_of::<Client>());
}

#[test]
fn debugging_output_keeps_the_credentials_and_the_target() {
    let mut client = connect("node.example:80", token(0xabcdef));
    client.wrote(3);
    client.received(&[5, 2]);
    let text = alloc::format!("{client:?}");
    assert!(text.contains("Credentials(..)"), "{text}");
    assert!(!text.contains("abcdef") && !text.contains("example"), "{text}");
}
