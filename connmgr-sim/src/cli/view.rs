//! The state of one manager, and its inputs and actions, as text.

use std::collections::BTreeSet;

use connmgr_core::driver::Observer;
use connmgr_core::{Action, ConnId, ConnManager, Event, Input, NetworkKind, Reply, Time};
use connmgr_sim::watch::record::RecordEntry;

use super::table::{plain, row};

/// A line of a story: when, whether it was told (`<`) or did (`>`) it, and what.
pub(super) fn line(entry: &RecordEntry) -> Vec<String> {
    match entry {
        RecordEntry::Told { now, input, reply } => told(*now, input, reply),
        RecordEntry::Did { now, action } => did(*now, action),
    }
}

fn told(now: Time, input: &Input, reply: &Reply) -> Vec<String> {
    row![now, "<", format!("{input}{}", answer(reply))]
}

fn did(now: Time, action: &Action) -> Vec<String> {
    row![now, ">", action]
}

fn answer(reply: &Reply) -> String {
    match reply {
        Reply::Noted | Reply::Done(Ok(())) => String::new(),
        Reply::Accepted(Ok(conn)) => format!(", as {conn}"),
        Reply::Added(Ok(peer)) => format!(", as {peer}"),
        Reply::Accepted(Err(error)) => format!(", refused: {error}"),
        Reply::Added(Err(error)) => format!(", refused: {error}"),
        Reply::Done(Err(error)) => format!(", refused: {error}"),
        Reply::Learnt(counts) => format!(", {counts}"),
        Reply::Addresses(addresses) => format!(", {} addresses", addresses.len()),
    }
}

/// What `replay` shows of a manager's inputs and actions.
#[derive(Debug, Default)]
pub(super) struct Sight {
    /// The networks that are down, by what the manager said of them.
    down: BTreeSet<NetworkKind>,
    /// The connection whose lines are kept, if one is.
    about: Option<ConnId>,
    /// Its lines.
    pub(super) lines: Vec<Vec<String>>,
}

impl Sight {
    /// With the lines of a connection, if one is named.
    pub(super) fn of(about: Option<ConnId>) -> Self {
        Self { about, ..Self::default() }
    }

    /// Sees a line of a record.
    pub(super) fn see(&mut self, entry: &RecordEntry) {
        match entry {
            RecordEntry::Told { now, input, reply } => self.input(*now, input, reply),
            RecordEntry::Did { now, action } => self.action(*now, action),
        }
    }
}

impl Observer for Sight {
    fn input(&mut self, now: Time, input: &Input, reply: &Reply) {
        if self.about.is_some_and(|conn| input.conn() == Some(conn) || *reply == Reply::Accepted(Ok(conn))) {
            self.lines.push(told(now, input, reply));
        }
    }

    fn action(&mut self, now: Time, action: &Action) {
        if let Action::Emit(Event::NetworkDown { network }) = action {
            self.down.insert(*network);
        } else if let Action::Emit(Event::NetworkUp { network }) = action {
            self.down.remove(network);
        }
        if self.about.is_some_and(|conn| action.conn() == Some(conn)) {
            self.lines.push(did(now, action));
        }
    }
}

/// The state of a manager as text.
pub(super) fn view(manager: &ConnManager, sight: &Sight, at: Time) -> String {
    let count = |count: usize, what: &str| format!("{count} {what}");
    let mut text = format!("at {at}, by its own clock\n");
    let connections = manager.connections();
    text += &format!("\n{}\n", count(connections.len(), "connections and dials"));
    text += &plain(&connections.iter().map(|view| connection(view, at)).collect::<Vec<_>>());
    let peers = manager.added_peers();
    text += &format!("\n{}\n", count(peers.len(), "added peers"));
    text += &plain(&peers.iter().map(peer).collect::<Vec<_>>());
    let bans = manager.bans();
    text += &format!("\n{}\n", count(bans.len(), "bans"));
    text += &plain(&bans.iter().map(|ban| row![ban.target, format!("until {}", ban.until)]).collect::<Vec<_>>());
    let down: Vec<String> = sight.down.iter().map(ToString::to_string).collect();
    text += &format!("\nnetworks down: {}\n", if down.is_empty() { "none".to_owned() } else { down.join(", ") });
    text += &format!("addresses known: {}\n", manager.book().len());
    let next = manager.poll_timeout().map_or("never".to_owned(), |due| due.to_string());
    text + &format!("next deadline: {next}\n")
}

fn connection(view: &connmgr_core::ConnView, at: Time) -> Vec<String> {
    let address = view.address.as_ref().map_or("unseen".to_owned(), ToString::to_string);
    let age = format!("{:.3} s", at.since(view.since).as_secs_f64());
    row![view.conn, view.kind, format!("{:?}", view.state).to_lowercase(), age, address]
}

fn peer(view: &connmgr_core::PeerView) -> Vec<String> {
    let retry = view.next_retry.map_or(String::new(), |at| format!("next at {at}"));
    let state = format!("{:?}", view.state).to_lowercase();
    let addresses: Vec<String> = view.addresses.iter().map(ToString::to_string).collect();
    row![view.peer, addresses.join(" | "), state, format!("attempt {}", view.attempt), retry]
}
