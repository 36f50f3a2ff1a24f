//! What the operator reads: a line for each thing that happens, and a summary at the end.
//!
//! Plain lines are for people, JSON lines (one object each) for programs. Strangers' text is fit to print before it
//! gets here (see [`text`](crate::text)). A reader that goes away or falls behind does not stop the node: see
//! [`pen`](crate::pen).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use connmgr_core::{ConnId, Event, Kind};
use serde_json::{Map, Value, json};

use crate::pen::Pen;
use crate::world::Row;

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Plain,
    /// For programs.
    Json,
}

/// How long the end waits for a reader who is behind.
const PATIENCE: Duration = Duration::from_secs(3);

/// Writes what happens, line by line.
#[derive(Debug)]
pub struct Report {
    pen: Pen,
    format: Format,
    /// Lines there was no room for, and that were not told of yet.
    missing: u64,
}

impl Report {
    /// A report by this pen.
    pub const fn new(pen: Pen, format: Format) -> Self {
        Self { pen, format, missing: 0 }
    }

    /// Something the manager told.
    pub fn event(&mut self, since_start: Duration, event: &Event) {
        let line = match self.format {
            Format::Plain => format!("{} {}", Clock(since_start), Told(event)),
            Format::Json => {
                let data = serde_json::to_value(event).unwrap_or_else(|error| Value::String(error.to_string()));
                object("event", since_start, [("event", data)])
            }
        };
        self.line(since_start, line);
    }

    /// Something that happened on one connection.
    pub fn connection(&mut self, since_start: Duration, conn: ConnId, text: &str) {
        let line = match self.format {
            Format::Plain => format!("{} {conn} {text}", Clock(since_start)),
            Format::Json => {
                let fields = [("conn", conn.as_u64().to_string().into()), ("text", text.into())];
                object("connection", since_start, fields)
            }
        };
        self.line(since_start, line);
    }

    /// Something else worth knowing.
    pub fn note(&mut self, since_start: Duration, text: &str) {
        let line = self.written(since_start, text);
        self.line(since_start, line);
    }

    /// What happened in all, for which there is always room. Then as [`Report::wait`].
    pub fn summary(&mut self, since_start: Duration, summary: &Summary) -> bool {
        if let Some(missing) = self.missing(since_start) {
            self.pen.insist(missing);
        }
        self.pen.insist(match self.format {
            Format::Plain => format!("\n{summary}"),
            Format::Json => object("summary", since_start, [("summary", summary.to_json())]),
        });
        self.wait()
    }

    /// Waits for a reader who is behind, 3 s at most; whether all was written by then.
    pub fn wait(&self) -> bool {
        self.pen.wait(PATIENCE)
    }

    /// A line for which there is no room is left out, and counted. The count is told as soon as there is room again.
    fn line(&mut self, since_start: Duration, line: String) {
        let is_whole = match self.missing(since_start) {
            None => true,
            Some(missing) => self.pen.offer(missing),
        };
        if is_whole {
            self.missing = 0;
        }
        if !is_whole || !self.pen.offer(line) {
            self.missing += 1;
        }
    }

    fn missing(&self, since_start: Duration) -> Option<String> {
        let lines = if self.missing == 1 { "line is" } else { "lines are" };
        let text = || format!("{} {lines} missing here: the report was not read fast enough", self.missing);
        (self.missing > 0).then(|| self.written(since_start, &text()))
    }

    fn written(&self, since_start: Duration, text: &str) -> String {
        match self.format {
            Format::Plain => format!("{} {text}", Clock(since_start)),
            Format::Json => object("note", since_start, [("text", text.into())]),
        }
    }
}

fn object<const N: usize>(sort: &str, since_start: Duration, fields: [(&str, Value); N]) -> String {
    let mut object = Map::new();
    object.insert("type".to_string(), sort.into());
    object.insert("ms".to_string(), millis(since_start).into());
    object.extend(fields.into_iter().map(|(name, value)| (name.to_string(), value)));
    Value::Object(object).to_string()
}

/// A time since the start, as it stands at the beginning of a line.
struct Clock(Duration);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>5}.{:03}s", self.0.as_secs(), self.0.subsec_millis())
    }
}

/// An event as people read it.
struct Told<'a>(&'a Event);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event::Banned { target, until } = self.0 else { return self.0.fmt(f) };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let minutes = until.as_secs().saturating_sub(now).div_ceil(60);
        match minutes % 60 {
            0 => write!(f, "banned {target} for {} h", minutes / 60),
            rest => write!(f, "banned {target} for {} h {rest} min", minutes / 60),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What happened in all.
///
/// [`Summary::note`] counts what events tell; dials and retries, which are not events, are filled in by whoever
/// has the manager's own counters.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How long it took.
    pub lasted: Duration,
    /// Dials that were made.
    pub dials: u64,
    /// Connections that were opened, in either direction.
    pub established: u64,
    /// Those of them that finished their handshake.
    pub ready: u64,
    /// Dials that came to nothing.
    pub failed: u64,
    /// Connections that ended.
    pub ended: u64,
    /// Retries of added peers that were scheduled.
    pub retries: u64,
    /// Bans that were made.
    pub bans: u64,
    /// Connections that should be there.
    pub target: Target,
    /// When so many were ready at once for the first time.
    pub time_to_target: Option<Duration>,
    /// The highest tip that a peer's headers led to.
    pub height: u32,
    /// What happened at the peers of the little world, if there was one.
    pub world: Vec<Row>,
    live: BTreeMap<ConnId, Kind>,
    handshaken: BTreeSet<ConnId>,
}

/// How many connections of ours should be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Full and block-relay connections.
    pub automatic: u32,
    /// Connections to peers that the operator asked for.
    pub added: u32,
}

impl Target {
    /// In all.
    pub const fn total(self) -> u32 {
        self.automatic.saturating_add(self.added)
    }
}

impl Summary {
    /// A summary of a run that should reach so many connections.
    pub fn new(target: Target) -> Self {
        let time_to_target = (target.total() == 0).then_some(Duration::ZERO);
        Self { target, time_to_target, ..Self::default() }
    }

    /// Counts an event.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::Connected(connected) => {
                self.established += 1;
                self.live.insert(connected.conn, connected.kind);
            }
            Event::Disconnected { conn, .. } => {
                self.ended += 1;
                self.live.remove(conn);
                self.handshaken.remove(conn);
            }
            Event::Adopted { conn, .. } => self.adopt(*conn),
            Event::DialFailed { .. } => self.failed += 1,
            Event::Banned { .. } => self.bans += 1,
            _ => {}
        }
    }

    /// One of ours counts as an added peer's from now on; one that came to us stays what it is.
    fn adopt(&mut self, conn: ConnId) {
        if let Some(kind) = self.live.get_mut(&conn).filter(|kind| !kind.is_inbound()) {
            *kind = Kind::Added;
        }
    }

    /// Counts a handshake that is done; whether all that should be there is there for the first time.
    pub fn note_ready(&mut self, conn: ConnId, since_start: Duration) -> bool {
        self.ready += 1;
        if self.live.contains_key(&conn) {
            self.handshaken.insert(conn);
        }
        let is_news = self.time_to_target.is_none() && self.on_target() >= self.target.total();
        if is_news {
            self.time_to_target = Some(since_start);
        }
        is_news
    }

    /// Connections that are open.
    pub fn live(&self) -> usize {
        self.live.len()
    }

    /// How many of the connections that should be there are ready. More than wanted of one sort don't make up for
    /// another.
    pub fn on_target(&self) -> u32 {
        let count = |wanted: fn(Kind) -> bool| {
            let is_counted = |conn: &&ConnId| self.live.get(conn).is_some_and(|kind| wanted(*kind));
            u32::try_from(self.handshaken.iter().filter(is_counted).count()).unwrap_or(u32::MAX)
        };
        let automatic = count(|kind| matches!(kind, Kind::Full | Kind::BlockRelay));
        let added = count(|kind| kind == Kind::Added);
        automatic.min(self.target.automatic) + added.min(self.target.added)
    }

    fn to_json(&self) -> Value {
        let row = |row: &Row| {
            json!({
                "behaviour": row.behaviour.name(), "peers": row.peers,
                "accepted": row.accepted, "ready": row.ready, "live": row.live,
            })
        };
        json!({
            "lasted_ms": millis(self.lasted), "dials": self.dials, "established": self.established,
            "ready": self.ready, "failed": self.failed, "ended": self.ended, "retries": self.retries,
            "bans": self.bans, "target": self.target.total(), "on_target": self.on_target(), "live": self.live(),
            "time_to_target_ms": self.time_to_target.map(millis), "height": self.height,
            "world": self.world.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "after {}.{:03} s:", self.lasted.as_secs(), self.lasted.subsec_millis())?;
        let rows = [
            ("dials", self.dials),
            ("established", self.established),
            ("ready", self.ready),
            ("failed", self.failed),
            ("ended", self.ended),
            ("retries", self.retries),
            ("bans", self.bans),
            ("live at the end", self.live.len() as u64),
            ("headers", self.height.into()),
        ];
        rows.iter().try_for_each(|(name, number)| writeln!(f, "  {name:<18}{number:>8}"))?;
        write!(f, "  {:<18}{:>8} of {}", "outbound", self.on_target(), self.target.total())?;
        match self.time_to_target {
            _ if self.target.total() == 0 => writeln!(f, " wanted")?,
            Some(time) => writeln!(f, " wanted, reached after {}.{:03} s", time.as_secs(), time.subsec_millis())?,
            None => writeln!(f, " wanted, never reached")?,
        }
        if !self.world.is_empty() {
            writeln!(f, "\n  {:<18}{:>8}{:>10}{:>8}{:>8}", "the world", "peers", "accepted", "ready", "live")?;
        }
        self.world.iter().try_for_each(|row| {
            let Row { behaviour, peers, accepted, ready, live } = row;
            writeln!(f, "    {behaviour:<16}{peers:>8}{accepted:>10}{ready:>8}{live:>8}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pen::MAX_WAITING;
    use crate::pen::paper::{Paper, stalled};
    use crate::world::Behaviour;
    use connmgr_core::{CloseCause, Connected, DialError, DialFailure, EndReason, Transport};

    fn connected(number: u64, kind: Kind) -> Event {
        let address = Some("127.1.0.1:8333".parse().expect("an address"));
        let conn = ConnId::from_u64(number);
        let transport = Transport::V1;
        Event::Connected(Connected { conn, kind, address, peer: None, listener: None, transport, nonce: 1 })
    }

    fn ended(number: u64) -> Event {
        let reason = EndReason::Theirs(CloseCause::Eof);
        Event::Disconnected { conn: ConnId::from_u64(number), peer: None, reason }
    }

    fn ready(summary: &mut Summary, number: u64, seconds: u64) -> bool {
        summary.note_ready(ConnId::from_u64(number), Duration::from_secs(seconds))
    }

    fn written(format: Format, write: impl FnOnce(&mut Report)) -> String {
        let paper = Paper::default();
        let mut report = Report::new(Pen::new(paper.clone()).expect("a thread"), format);
        write(&mut report);
        assert!(report.pen.wait(PATIENCE));
        paper.text()
    }

    #[test]
    fn the_target_is_reached_when_enough_are_ready_at_once() {
        let mut summary = Summary::new(Target { automatic: 2, added: 0 });
        for (number, kind) in [(1, Kind::Full), (2, Kind::Inbound), (3, Kind::BlockRelay), (4, Kind::Full)] {
            summary.note(&connected(number, kind));
        }
        ready(&mut summary, 1, 1);
        ready(&mut summary, 2, 2);
        summary.note(&ended(1));
        ready(&mut summary, 3, 3);
        assert_eq!(summary.time_to_target, None);
        assert!(ready(&mut summary, 4, 4));
        assert_eq!(summary.time_to_target, Some(Duration::from_secs(4)));
        assert_eq!((summary.live(), summary.on_target(), summary.ready, summary.ended), (3, 2, 4, 1));
    }

    #[test]
    fn an_added_peer_does_not_stand_in_for_an_automatic_one() {
        let mut summary = Summary::new(Target { automatic: 1, added: 1 });
        for number in [1, 2] {
            summary.note(&connected(number, Kind::Added));
            assert!(!ready(&mut summary, number, number));
        }
        assert_eq!(summary.on_target(), 1);
        summary.note(&connected(3, Kind::Full));
        assert!(ready(&mut summary, 3, 3));
    }

    #[test]
    fn who_wants_nobody_is_there_at_once() {
        assert_eq!(Summary::new(Target::default()).time_to_target, Some(Duration::ZERO));
    }

    #[test]
    fn a_line_is_one_event_with_its_time() {
        let address = "127.1.0.1:8333".parse().expect("an address");
        let error = DialFailure::Failed(DialError::Refused);
        let event = Event::DialFailed { conn: ConnId::from_u64(7), peer: None, address, error };
        let at = Duration::from_millis(12_034);
        let plain = written(Format::Plain, |report| report.event(at, &event));
        assert_eq!(plain, "   12.034s dial failed c7 127.1.0.1:8333: connection refused\n");
        let json: Value =
            serde_json::from_str(&written(Format::Json, |report| report.event(at, &event))).expect("JSON");
        assert_eq!((&json["type"], &json["ms"]), (&json!("event"), &json!(12_034)));
        assert_eq!(json["event"]["dial_failed"]["address"], json!("127.1.0.1:8333"));
    }

    #[test]
    fn json_stays_one_line_whatever_a_stranger_says() {
        let line = written(Format::Json, |report| report.note(Duration::ZERO, "a\nb\u{1b}\""));
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!(serde_json::from_str::<Value>(&line).expect("JSON")["text"], json!("a\nb\u{1b}\""));
    }

    #[test]
    fn lines_that_nobody_reads_are_left_out_and_counted() {
        let (pen, paper, go_on) = stalled();
        let mut report = Report::new(pen, Format::Json);
        (0..MAX_WAITING + 100).for_each(|_| report.note(Duration::ZERO, "said"));
        drop(go_on);
        assert!(report.pen.wait(PATIENCE));
        report.note(Duration::ZERO, "said");
        assert!(report.summary(Duration::ZERO, &Summary::default()));

        let text = paper.text();
        let said = text.matches(r#""text":"said""#).count();
        let missing = MAX_WAITING + 101 - said;
        assert!((99..=100).contains(&missing), "{missing}");
        let last: Vec<&str> = text.lines().rev().take(3).collect();
        assert!(last[0].contains(r#""type":"summary""#), "{}", last[0]);
        assert!(last[1].contains("said"), "{}", last[1]);
        assert!(last[2].contains(&format!("{missing} lines are missing here")), "{}", last[2]);
    }

    #[test]
    fn the_summary_comes_with_the_count_of_what_is_missing_before_it() {
        let (pen, paper, go_on) = stalled();
        let mut report = Report::new(pen, Format::Plain);
        while report.missing == 0 {
            report.note(Duration::ZERO, "said");
        }
        drop(go_on);
        assert!(report.summary(Duration::ZERO, &Summary::default()));
        assert!(paper.text().contains("1 line is missing here: the report was not read fast enough\n\nafter 0.000 s:"));
    }

    #[test]
    fn the_summary_says_the_same_both_ways() {
        let row = Row { behaviour: Behaviour::Garbage, peers: 1, accepted: 2, ready: 2, live: 0 };
        let mut summary = Summary::new(Target { automatic: 1, added: 0 });
        (summary.dials, summary.bans, summary.world) = (9, 3, vec![row]);
        let plain = written(Format::Plain, |report| assert!(report.summary(Duration::ZERO, &summary)));
        for line in ["  dials                    9\n", "    garbage                1         2       2       0\n"] {
            assert!(plain.contains(line), "{plain}");
        }
        assert!(plain.contains("never reached"));
        let json = written(Format::Json, |report| assert!(report.summary(Duration::ZERO, &summary)));
        let json: Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!((&json["summary"]["dials"], &json["summary"]["bans"]), (&json!(9), &json!(3)));
        assert_eq!(json["summary"]["world"][0]["behaviour"], json!("garbage"));
        assert_eq!(json["summary"]["time_to_target_ms"], Value::Null);
    }

    #[test]
    fn a_reader_that_went_away_is_no_matter() {
        let nowhere = std::io::Cursor::new([0; 0]);
        let mut report = Report::new(Pen::new(nowhere).expect("a thread"), Format::Plain);
        report.note(Duration::ZERO, "unheard");
        assert!(report.summary(Duration::ZERO, &Summary::default()), "nothing waits");
    }
}
