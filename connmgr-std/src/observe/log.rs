//! The log: inputs (level `trace`), actions (`debug`) and events (`info`) of the manager, as `tracing` events of the
//! target `connmgr`.
//!
//! Names and addresses may come from strangers, so control characters, which a terminal obeys, are escaped.

use std::fmt::{self, Display, Write};

use connmgr_core::{Action, Input, Reply, Time};

const TARGET: &str = "connmgr";

pub(crate) fn input(now: Time, input: &Input, reply: &Reply) {
    if *reply == Reply::Noted {
        tracing::trace!(target: TARGET, %now, "{}", Escaped(input));
    } else {
        tracing::trace!(target: TARGET, %now, reply = %Escaped(&ShortReply(reply)), "{}", Escaped(input));
    }
}

pub(crate) fn action(now: Time, action: &Action) {
    if let Action::Emit(event) = action {
        tracing::info!(target: TARGET, %now, "{}", Escaped(event));
    } else {
        tracing::debug!(target: TARGET, %now, "{}", Escaped(action));
    }
}

/// A reply in few words.
struct ShortReply<'a>(&'a Reply);

impl Display for ShortReply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Reply::Noted | Reply::Done(Ok(())) => f.write_str("done"),
            Reply::Accepted(Ok(conn)) => conn.fmt(f),
            Reply::Accepted(Err(refusal)) => refusal.fmt(f),
            Reply::Added(Ok(peer)) => peer.fmt(f),
            Reply::Added(Err(error)) => error.fmt(f),
            Reply::Learnt(counts) => counts.fmt(f),
            Reply::Addresses(addresses) => write!(f, "{} addresses", addresses.len()),
            Reply::Done(Err(error)) => error.fmt(f),
        }
    }
}

/// Escapes control characters.
struct Escaped<'a, T>(&'a T);

impl<T: Display> Display for Escaped<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| {
            if c.is_control() { write!(self.0, "{}", c.escape_default()) } else { self.0.write_char(c) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(Escaped(&"a\x1b[2J\r\nb").to_string(), r"a\u{1b}[2J\r\nb");
    }
}
