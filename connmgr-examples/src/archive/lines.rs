//! The messages, as lines of text.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::str::FromStr;
use std::time::SystemTime;

use connmgr_smol::{AddressInfo, Services, UnixTime};
use smol::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// The message that asks for addresses.
pub(super) const WHO: &str = "who\n";

/// The longest line, so that a peer can't fill the memory.
const MAX_LINE: u64 = 128 * 1024;

/// The first message.
pub(super) struct Hello {
    pub(super) services: Services,
    pub(super) nonce: u64,
    pub(super) port: u16,
}

impl fmt::Display for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { services, nonce, port } = self;
        writeln!(f, "hello {} {nonce} {port}", services.bits())
    }
}

impl FromStr for Hello {
    type Err = io::Error;

    fn from_str(line: &str) -> io::Result<Self> {
        let mut words = line.split(' ');
        let mut next = || words.next().ok_or_else(|| broken("too short"));
        if next()? != "hello" {
            return Err(broken("no hello"));
        }
        let services = Services::from_bits(next()?.parse().map_err(broken)?);
        let nonce = next()?.parse().map_err(broken)?;
        Ok(Self { services, nonce, port: next()?.parse().map_err(broken)? })
    }
}

/// The message that tells these addresses.
pub(super) fn to_line(addresses: &[AddressInfo]) -> String {
    let each = addresses.iter().map(|at| format!(" {}/{}/{}", at.address, at.services.bits(), at.last_seen.as_secs()));
    format!("known{}\n", each.collect::<String>())
}

/// The addresses of such a message, without its first word.
pub(super) fn from_line(addresses: &str) -> io::Result<Vec<AddressInfo>> {
    let read = |word: &str| {
        let mut parts = word.split('/');
        let mut next = || parts.next().ok_or_else(|| broken("an address without services or date"));
        let address = next()?.parse().map_err(broken)?;
        let services = Services::from_bits(next()?.parse().map_err(broken)?);
        let last_seen = UnixTime::from_secs(next()?.parse().map_err(broken)?);
        Ok(AddressInfo::new(address).services(services).last_seen(last_seen))
    };
    addresses.split_ascii_whitespace().map(read).collect()
}

/// The next line, without its end.
pub(super) async fn next_line(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<String> {
    let mut line = String::new();
    from.take(MAX_LINE).read_line(&mut line).await?;
    match line.strip_suffix('\n') {
        Some(line) => Ok(line.to_owned()),
        None if line.len() as u64 == MAX_LINE => Err(broken("too long")),
        None => Err(ErrorKind::UnexpectedEof.into()),
    }
}

/// Not a message of this protocol.
pub(super) fn broken(why: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

pub(super) fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_secs(since.as_secs())
}
