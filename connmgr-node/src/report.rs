//! The node's output: a line for each thing that happens, and a [`Summary`] at the end.
//!
//! Lines are plain text or JSON (one object each). Text from peers is escaped before it gets here (see
//! [`text`](crate::text)). A reader that goes away or falls behind does not stop the node: see [`pen`](crate::pen).

use std::fmt;
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use connmgr_core::{ConnId, Event};
use serde_json::{Map, Value};

use crate::pen::Pen;
use crate::summary::Summary;
use crate::text::millis;

/// The format of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Plain text.
    Plain,
    /// JSON.
    Json,
}

/// How long the end waits for a slow reader.
const PATIENCE: Duration = Duration::from_secs(3);

/// What became of a report.
#[derive(Debug)]
pub enum ReportEnd {
    /// All was written, save lines that are missing for want of room: they are counted in it.
    Written,
    /// Its reader stalls: the end is not written.
    Unread,
    /// Some of it could not be written: the disk is full, or the reader went away.
    Failed(io::Error),
}

/// Writes the output.
#[derive(Debug)]
pub struct Report {
    pen: Pen,
    format: Format,
    /// Lines dropped for lack of room, and not reported yet.
    missing: u64,
}

impl Report {
    /// A report to this pen.
    pub const fn new(pen: Pen, format: Format) -> Self {
        Self { pen, format, missing: 0 }
    }

    /// An event of the manager.
    pub fn event(&mut self, since_start: Duration, event: &Event) {
        let line = match self.format {
            Format::Plain => format!("{} {}", Timestamp(since_start), EventText(event)),
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
            Format::Plain => format!("{} {conn} {text}", Timestamp(since_start)),
            Format::Json => {
                let fields = [("conn", conn.as_u64().to_string().into()), ("text", text.into())];
                object("connection", since_start, fields)
            }
        };
        self.line(since_start, line);
    }

    /// Anything else.
    pub fn note(&mut self, since_start: Duration, text: &str) {
        let line = self.written(since_start, text);
        self.line(since_start, line);
    }

    /// The summary, for which there is always room. Waits for a slow reader as [`Report::wait`] does.
    pub fn summary(&mut self, since_start: Duration, summary: &Summary) -> ReportEnd {
        if let Some(missing) = self.missing(since_start) {
            self.pen.insist(missing);
        }
        self.pen.insist(match self.format {
            Format::Plain => format!("\n{summary}"),
            Format::Json => object("summary", since_start, [("summary", summary.to_json())]),
        });
        match (self.wait(), self.pen.take_error()) {
            (false, _) => ReportEnd::Unread,
            (true, Some(error)) => ReportEnd::Failed(error),
            (true, None) => ReportEnd::Written,
        }
    }

    /// Waits for a slow reader, at most 3 s. Returns whether all was written.
    pub fn wait(&self) -> bool {
        self.pen.wait(PATIENCE)
    }

    /// Writes a line. A line without room is dropped and counted; the count is written as soon as there is room.
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
            Format::Plain => format!("{} {text}", Timestamp(since_start)),
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

/// The time since the start, at the beginning of a line.
struct Timestamp(Duration);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>5}.{:03}s", self.0.as_secs(), self.0.subsec_millis())
    }
}

/// An event as plain text.
struct EventText<'a>(&'a Event);

impl fmt::Display for EventText<'_> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pen::MAX_WAITING;
    use crate::pen::paper::{Paper, stalled};
    use crate::summary::ConnectionTarget;
    use crate::world::behavior::PeerBehavior;
    use crate::world::row::BehaviorRow;
    use connmgr_core::{DialError, DialFailure};
    use serde_json::json;

    fn written(format: Format, write: impl FnOnce(&mut Report)) -> String {
        let paper = Paper::default();
        let mut report = Report::new(Pen::new(paper.clone()).expect("a thread"), format);
        write(&mut report);
        assert!(report.pen.wait(PATIENCE));
        paper.text()
    }

    #[test]
    fn a_line_is_one_event_with_its_time() {
        let address = "127.1.0.1:8333".parse().expect("an address");
        let error = DialFailure::Failed(DialError::Refused);
        let event = Event::DialFailed { conn: ConnId::from_u64(7), peer: None, address, error, tag: None };
        let at = Duration::from_millis(12_034);
        let plain = written(Format::Plain, |report| report.event(at, &event));
        assert_eq!(plain, "   12.034s dial failed c7 127.1.0.1:8333: connection refused\n");
        let json: Value =
            serde_json::from_str(&written(Format::Json, |report| report.event(at, &event))).expect("JSON");
        assert_eq!((&json["type"], &json["ms"]), (&json!("event"), &json!(12_034)));
        assert_eq!(json["event"]["dial_failed"]["address"], json!("127.1.0.1:8333"));
    }

    #[test]
    fn json_stays_one_line_whatever_a_peer_sends() {
        let line = written(Format::Json, |report| report.note(Duration::ZERO, "a\nb\u{1b}\""));
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!(serde_json::from_str::<Value>(&line).expect("JSON")["text"], json!("a\nb\u{1b}\""));
    }

    #[test]
    fn lines_that_are_not_read_are_dropped_and_counted() {
        let (pen, paper, go_on) = stalled();
        let mut report = Report::new(pen, Format::Json);
        (0..MAX_WAITING + 100).for_each(|_| report.note(Duration::ZERO, "said"));
        drop(go_on);
        assert!(report.pen.wait(PATIENCE));
        report.note(Duration::ZERO, "said");
        assert!(matches!(report.summary(Duration::ZERO, &Summary::default()), ReportEnd::Written));

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
        assert!(matches!(report.summary(Duration::ZERO, &Summary::default()), ReportEnd::Written));
        assert!(paper.text().contains("1 line is missing here: the report was not read fast enough\n\nafter 0.000 s:"));
    }

    #[test]
    fn the_summary_says_the_same_both_ways() {
        let row = BehaviorRow { behavior: PeerBehavior::Garbage, peers: 1, accepted: 2, ready: 2, live: 0 };
        let mut summary = Summary::new(ConnectionTarget { automatic: 1, added: 0 });
        (summary.dials, summary.bans, summary.world) = (9, 3, vec![row]);
        let plain = written(Format::Plain, |report| _ = report.summary(Duration::ZERO, &summary));
        for line in ["  dials                    9\n", "    garbage                1         2       2       0\n"] {
            assert!(plain.contains(line), "{plain}");
        }
        assert!(plain.contains("never reached"));
        let json = written(Format::Json, |report| _ = report.summary(Duration::ZERO, &summary));
        let json: Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!((&json["summary"]["dials"], &json["summary"]["bans"]), (&json!(9), &json!(3)));
        assert_eq!(json["summary"]["world"][0]["behavior"], json!("garbage"));
        assert_eq!(json["summary"]["time_to_target_ms"], Value::Null);
    }

    #[test]
    fn a_reader_that_went_away_holds_up_nothing_and_is_told_of() {
        let nowhere = std::io::Cursor::new([0; 0]);
        let mut report = Report::new(Pen::new(nowhere).expect("a thread"), Format::Plain);
        report.note(Duration::ZERO, "unheard");
        let end = report.summary(Duration::ZERO, &Summary::default());
        assert!(matches!(end, ReportEnd::Failed(error) if error.kind() == io::ErrorKind::WriteZero), "nothing waits");
    }
}
