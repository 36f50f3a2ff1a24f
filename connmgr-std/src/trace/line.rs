//! The lines of a trace.

use connmgr_core::{Action, Birth, Input, Reply, TRACE_VERSION, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The birth. Only the first line is one.
    Birth(Box<Birth>),
    /// One call of the manager.
    Step {
        /// The time.
        now: Time,
        /// The input.
        input: Input,
        /// The manager's reply.
        reply: Reply,
    },
    /// One action that was taken from the manager's queue.
    Action(Action),
}

/// Every field of every line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    birth: Option<Map<String, Value>>,
    now: Option<Time>,
    input: Option<Input>,
    reply: Option<Reply>,
    action: Option<Action>,
}

/// The part of a birth that every version has.
#[derive(Deserialize)]
struct AnyBirth {
    birth: AnyVersion,
}

#[derive(Deserialize)]
struct AnyVersion {
    trace_version: u32,
}

/// The version of a birth, whatever its other fields are.
pub(super) fn birth_version(text: &[u8]) -> Option<u32> {
    serde_json::from_slice(text).ok().map(|any: AnyBirth| any.birth.trace_version)
}

/// Reads a line.
pub(super) fn parse(text: &[u8]) -> Result<Line, String> {
    let fields: Fields = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    match fields {
        Fields { birth: Some(birth), now: None, input: None, reply: None, action: None } => {
            parse_birth(birth).map(Line::Birth).map_err(|error| error.to_string())
        }
        Fields { birth: None, now: Some(now), input: Some(input), reply: Some(reply), action: None } => {
            Ok(Line::Step { now, input, reply })
        }
        Fields { birth: None, now: None, input: None, reply: None, action: Some(action) } => Ok(Line::Action(action)),
        Fields { .. } => Err("expected a birth; or now, input and reply; or an action".into()),
    }
}

/// A birth, without its version.
fn parse_birth(mut fields: Map<String, Value>) -> serde_json::Result<Box<Birth>> {
    fields.remove("trace_version");
    serde_json::from_value(Value::Object(fields))
}

/// A line to be written, borrowed.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum WriteLine<'a> {
    Birth { birth: WriteBirth<'a> },
    Step { now: Time, input: &'a Input, reply: &'a Reply },
    Action { action: &'a Action },
}

/// A birth, and the version of the actions that follow.
#[derive(Serialize)]
pub(super) struct WriteBirth<'a> {
    trace_version: u32,
    #[serde(flatten)]
    birth: &'a Birth,
}

impl<'a> From<&'a Birth> for WriteBirth<'a> {
    fn from(birth: &'a Birth) -> Self {
        Self { trace_version: TRACE_VERSION, birth }
    }
}
