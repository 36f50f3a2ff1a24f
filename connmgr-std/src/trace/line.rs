//! The lines of a trace.

use connmgr_core::{Action, Config, Input, Reply, Snapshot, Time, UnixTime};
use serde::{Deserialize, Serialize};

pub use connmgr_core::TRACE_VERSION;

/// What a manager was born with: the arguments of its `new`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Birth {
    /// Which release's actions follow: [`TRACE_VERSION`].
    pub trace_version: u32,
    /// The configuration.
    pub config: Config,
    /// What was loaded, if anything was.
    pub snapshot: Option<Snapshot>,
    /// Where chance comes from; in hexadecimal.
    #[serde(with = "hex")]
    pub rng_seed: [u8; 32],
    /// The monotonic time.
    pub now: Time,
    /// The time of the world.
    pub unix: UnixTime,
}

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The first, and no other.
    Birth(Box<Birth>),
    /// One call of the manager.
    Step {
        /// When.
        now: Time,
        /// What it was told or asked.
        input: Input,
        /// What it answered.
        reply: Reply,
    },
    /// One action that was taken from its queue.
    Action(Action),
}

/// Every field of every line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    birth: Option<Box<Birth>>,
    now: Option<Time>,
    input: Option<Input>,
    reply: Option<Reply>,
    action: Option<Action>,
}

/// What can be read of a birth of any version.
#[derive(Deserialize)]
struct AnyBirth {
    birth: AnyVersion,
}

#[derive(Deserialize)]
struct AnyVersion {
    trace_version: u32,
}

/// The version of a line that is a birth, whatever else is in it.
pub(super) fn birth_version(text: &[u8]) -> Option<u32> {
    serde_json::from_slice(text).ok().map(|any: AnyBirth| any.birth.trace_version)
}

/// Reads a line.
pub(super) fn parse(text: &[u8]) -> Result<Line, String> {
    let fields: Fields = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    match fields {
        Fields { birth: Some(birth), now: None, input: None, reply: None, action: None } => Ok(Line::Birth(birth)),
        Fields { birth: None, now: Some(now), input: Some(input), reply: Some(reply), action: None } => {
            Ok(Line::Step { now, input, reply })
        }
        Fields { birth: None, now: None, input: None, reply: None, action: Some(action) } => Ok(Line::Action(action)),
        Fields { .. } => Err("expected a birth; or now, input and reply; or an action".into()),
    }
}

/// A line to be written, from what others own.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum WriteLine<'a> {
    Birth { birth: &'a Birth },
    Step { now: Time, input: &'a Input, reply: &'a Reply },
    Action { action: &'a Action },
}

mod hex {
    //! 32 bytes as 64 hexadecimal digits.

    use std::fmt::Write;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8; 32], out: S) -> Result<S::Ok, S::Error> {
        let text = bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a string takes whatever it is given");
            text
        });
        out.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(input)?;
        parse(text.as_bytes()).ok_or_else(|| Error::custom("expected 64 hexadecimal digits"))
    }

    fn parse(text: &[u8]) -> Option<[u8; 32]> {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let mut bytes = [0; 32];
        if text.len() != 2 * bytes.len() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(bytes)
    }
}
