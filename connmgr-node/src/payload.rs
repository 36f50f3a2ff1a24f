//! Reads the payloads of messages, as leniently as Bitcoin Core and the BIPs do.
//!
//! A later version of the protocol may append to any message, so bytes after the last known field are ignored. Old
//! versions leave out the last fields of `version`. Nothing here judges what a message says. Read first: BIP 155, and
//! `ProcessMessage` of Bitcoin Core.

use bitcoin::block::Header;
use bitcoin::consensus::encode::{Error, VarInt, serialize};
use bitcoin::consensus::{Decodable, encode};
use bitcoin::p2p::address::{AddrV2, AddrV2Message};
use bitcoin::p2p::message::NetworkMessage;
use bitcoin::p2p::message_network::VersionMessage;
use bitcoin::p2p::{Address, ServiceFlags};

/// The longest user agent: Core's `MAX_SUBVERSION_LENGTH`.
const MAX_AGENT: u64 = 256;

/// The longest address of any network (BIP 155).
const MAX_ADDRESS: u64 = 512;

/// The message of this name with this payload; none if this node does not read such messages.
///
/// # Errors
/// A field that must be there is missing or can't be read.
pub fn decode(name: &[u8], mut payload: &[u8]) -> Result<Option<NetworkMessage>, Error> {
    let read = &mut payload;
    let message = match name {
        b"version" => NetworkMessage::Version(version(read)?),
        b"verack" => NetworkMessage::Verack,
        b"wtxidrelay" => NetworkMessage::WtxidRelay,
        b"sendaddrv2" => NetworkMessage::SendAddrV2,
        b"sendheaders" => NetworkMessage::SendHeaders,
        b"getaddr" => NetworkMessage::GetAddr,
        b"ping" => NetworkMessage::Ping(next(read)?),
        b"pong" => NetworkMessage::Pong(next(read)?),
        b"addr" => NetworkMessage::Addr(next(read)?),
        b"addrv2" => NetworkMessage::AddrV2(list(read, addrv2_entry)?),
        b"inv" => NetworkMessage::Inv(next(read)?),
        b"getheaders" => NetworkMessage::GetHeaders(next(read)?),
        b"headers" => NetworkMessage::Headers(list(read, header)?),
        _ => return Ok(None),
    };
    Ok(Some(message))
}

fn next<T: Decodable>(read: &mut &[u8]) -> Result<T, Error> {
    T::consensus_decode(read)
}

fn list<T>(read: &mut &[u8], entry: impl Fn(&mut &[u8]) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    let VarInt(count) = next(read)?;
    // No room is reserved for what is only announced: it ends with the payload.
    (0..count).map(|_| entry(read)).collect()
}

fn bytes<'a>(read: &mut &'a [u8], most: u64) -> Result<&'a [u8], Error> {
    let VarInt(length) = next(read)?;
    let length = usize::try_from(length.min(most + 1)).expect("short");
    if length as u64 > most {
        return Err(encode::Error::ParseFailed("longer than allowed"));
    }
    let (found, rest) = read.split_at_checked(length).ok_or(encode::Error::ParseFailed("cut short"))?;
    *read = rest;
    Ok(found)
}

/// A header, and a number of transactions that is always 0 and of no use.
fn header(read: &mut &[u8]) -> Result<Header, Error> {
    let header = next(read)?;
    let VarInt(_) = next(read)?;
    Ok(header)
}

/// An address that does not fit its network, such as an IPv4 address mapped into IPv6, is read as one of an unknown
/// network: only that entry is of no use (BIP 155).
fn addrv2_entry(read: &mut &[u8]) -> Result<AddrV2Message, Error> {
    let time = next(read)?;
    let VarInt(services) = next(read)?;
    let network = next(read)?;
    let unknown = AddrV2::Unknown(network, bytes(read, MAX_ADDRESS)?.to_vec());
    let addr = encode::deserialize(&serialize(&unknown)).unwrap_or(unknown);
    let port = u16::from_be_bytes(next(read)?);
    Ok(AddrV2Message { time, services: ServiceFlags::from(services), addr, port })
}

/// The fields up to the receiver are required, as in Core.
fn version(read: &mut &[u8]) -> Result<VersionMessage, Error> {
    let (version, services, timestamp, receiver) = (next(read)?, next(read)?, next(read)?, next(read)?);
    let nowhere = Address { services: ServiceFlags::NONE, address: [0; 8], port: 0 };
    let mut message = VersionMessage {
        version,
        services,
        timestamp,
        receiver,
        sender: nowhere,
        nonce: 0,
        user_agent: String::new(),
        start_height: 0,
        relay: true,
    };
    if !read.is_empty() {
        (message.sender, message.nonce) = (next(read)?, next(read)?);
    }
    if !read.is_empty() {
        message.user_agent = String::from_utf8_lossy(bytes(read, MAX_AGENT)?).into_owned();
    }
    if !read.is_empty() {
        message.start_height = next(read)?;
    }
    if let Some(relay) = read.first() {
        message.relay = *relay != 0;
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole_version() -> (VersionMessage, Vec<u8>) {
        let nowhere = Address::new(&([1, 2, 3, 4], 5).into(), ServiceFlags::NETWORK);
        let message = VersionMessage {
            version: 70016,
            services: ServiceFlags::NETWORK,
            timestamp: 7,
            receiver: nowhere.clone(),
            sender: nowhere,
            nonce: 8,
            user_agent: "/x/".to_string(),
            start_height: 9,
            relay: true,
        };
        let bytes = serialize(&message);
        (message, bytes)
    }

    #[test]
    fn a_version_may_end_after_any_field_from_the_receiver_on_and_go_on_after_the_last() {
        let (message, bytes) = whole_version();
        let read = |payload: &[u8]| match decode(b"version", payload) {
            Ok(Some(NetworkMessage::Version(version))) => Some(version),
            _ => None,
        };
        assert_eq!(read(&bytes), Some(message.clone()));
        assert_eq!(read(&[&bytes[..], &[1, 2]].concat()), Some(message));
        let lengths: Vec<usize> = (0..bytes.len()).filter(|length| read(&bytes[..*length]).is_some()).collect();
        assert_eq!(lengths, [46, 80, 84, 88], "after the receiver, the nonce, the agent and the height");
    }

    #[test]
    fn a_longer_agent_than_allowed_is_refused() {
        let (message, _) = whole_version();
        let agent = |length| serialize(&VersionMessage { user_agent: "x".repeat(length), ..message.clone() });
        assert!(decode(b"version", &agent(256)).is_ok());
        assert!(decode(b"version", &agent(257)).is_err());
    }

    #[test]
    fn an_entry_that_does_not_fit_its_network_spoils_no_other() {
        let entry = |addr| AddrV2Message { time: 1, services: ServiceFlags::NONE, addr, port: 2 };
        let good = entry(AddrV2::Ipv4([1, 2, 3, 4].into()));
        let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4].to_vec();
        let entries = vec![entry(AddrV2::Unknown(2, mapped)), entry(AddrV2::Unknown(1, vec![1])), good];
        let read = decode(b"addrv2", &serialize(&entries)).expect("readable");
        assert_eq!(read, Some(NetworkMessage::AddrV2(entries)));
    }

    #[test]
    fn a_count_without_its_entries_is_malformed_and_reserves_nothing() {
        for name in [&b"addrv2"[..], b"headers", b"addr", b"inv"] {
            assert!(decode(name, &[0xfe, 0xff, 0xff, 0xff, 0x01]).is_err());
        }
    }
}
