//! Swim lanes: one row for each connection, with its dial, its handshake and its life along the common time axis.

use maud::{Markup, html};

use super::axis::grouped;
use super::chart::{LegendKey, keys, labels};
use super::findings::group;
use super::page::filter;
use super::time_axis::{TimeScale, wide};
use super::uses::{self, LaneUse};
use crate::types::Instant;
use crate::watch::diary::{Diary, Lane, Lanes, Tells};

/// Rows of a page.
const MOST: usize = 400;
/// How many rows each kind may have at first, the most telling first; remaining rows go to the most telling of the
/// rest.
const QUOTAS: [(Tells, usize); 4] =
    [(Tells::Most, 120), (Tells::Much, 120), (Tells::Something, 60), (Tells::Little, 40)];

/// The lanes that are shown, by their use.
pub(super) struct Shown<'a> {
    lanes: Vec<(LaneUse, &'a Lane)>,
    starts: u32,
    total: u64,
    end: Instant,
}

impl<'a> Shown<'a> {
    /// The most telling lanes of a diary, and those whose ids `what` contains.
    pub(super) fn of(diary: &'a Diary, what: &str, end: Instant) -> Self {
        let concerned = connections_in(what);
        let is_concerned = |lane: &Lane| lane.start == diary.starts && concerned.contains(&lane.conn.to_string());
        let lanes = uses::sorted(choose(&diary.lanes, is_concerned), is_concerned, end);
        Self { lanes, starts: diary.starts, total: diary.lanes.total(), end }
    }

    /// The lanes that a failure names: their place on the page, and their label.
    pub(super) fn concerned(&self) -> Vec<(String, String)> {
        let lanes = self.lanes.iter().filter(|(used, _)| *used == LaneUse::Concerned);
        lanes.map(|(_, lane)| (id(lane), lane.conn.to_string())).collect()
    }

    pub(super) fn draw(&self, times: TimeScale) -> Markup {
        let left_out = self.total.saturating_sub(self.lanes.len() as u64);
        html! {
            section aria-labelledby="lanes" {
                h2 #lanes { "Each connection" }
                (legend())
                (filter("connections"))
                table.rows {
                    caption {
                        (grouped(self.lanes.len() as u64)) " dials and connections, by what they were used for"
                        @if left_out > 0 { "; " (grouped(left_out)) " that tell less are left out" }
                        "."
                    }
                    thead {
                        tr {
                            th scope="col" { "Connection" }
                            th scope="col" { span.hidden { "When" } (labels(&times.ticks(), true)) }
                            th scope="col" { "How it ended" }
                        }
                    }
                    @for group in self.lanes.chunk_by(|a, b| a.0 == b.0) { (self.group(group, times)) }
                }
            }
        }
    }

    /// Lanes of one use.
    fn group(&self, lanes: &[(LaneUse, &Lane)], times: TimeScale) -> Markup {
        html! {
            tbody {
                @for (used, _) in lanes.iter().take(1) {
                    (group(&format!("{} ({})", used.heading(), grouped(lanes.len() as u64))))
                }
                @for (used, lane) in lanes { (self.row(*used, lane, times)) }
            }
        }
    }

    fn row(&self, used: LaneUse, lane: &Lane, times: TimeScale) -> Markup {
        let is_concerned = used == LaneUse::Concerned;
        let name = name(lane, self.starts);
        html! {
            tr.step.concerned[is_concerned] #(id(lane)) tabindex="-1" {
                th scope="row" title=(name) { @if is_concerned { "► " } (name) }
                td { (bar(lane, times, self.end)) }
                td title=(ending(lane)) { (ending(lane)) }
            }
        }
    }
}

fn legend() -> Markup {
    let names = [("dialing", "being dialed"), ("shaking", "handshake"), ("ready", "ready")];
    keys(&names.map(|(class, name)| LegendKey { class, name: name.to_owned() }))
}

/// The id of a lane on the page. Connection ids start anew with each process.
fn id(lane: &Lane) -> String {
    format!("lane-{}-{}", lane.start, lane.conn)
}

/// Its id and address, then what the reader may do without: a narrow page cuts the end.
fn name(lane: &Lane, starts: u32) -> String {
    let address = lane.address.as_ref().map(ToString::to_string);
    let (kind, peer) = (lane.kind.map(|kind| kind.to_string()), lane.peer.map(|peer| peer.to_string()));
    let run = (starts > 1).then(|| format!("run {}", lane.start));
    let mut name = lane.conn.to_string();
    if lane.is_adversary {
        name += " ⚠ attacker";
    }
    for part in [address, kind, peer, run].into_iter().flatten() {
        name = name + " " + &part;
    }
    name
}

fn ending(lane: &Lane) -> String {
    match (lane.ended, lane.ready.or(lane.connected)) {
        (Some((_, ending)), _) => ending.to_string(),
        (None, Some(_)) => "open at the end".to_owned(),
        (None, None) => "being dialed at the end".to_owned(),
    }
}

/// The phases of a connection: dial, handshake, ready.
fn bar(lane: &Lane, times: TimeScale, end: Instant) -> Markup {
    let end = lane.ended.map_or(end, |(at, _)| at);
    let ages = [
        ("dialing", lane.begun, lane.connected),
        ("shaking", lane.connected.unwrap_or(end), lane.ready),
        ("ready", lane.ready.unwrap_or(end), None),
    ];
    let reached = [true, lane.connected.is_some(), lane.ready.is_some()];
    let kind = format!("kind{}", lane.kind.map_or(9, |kind| kind.index()));
    html! {
        svg.lane.time.(kind) viewBox=(times.view_box(12.0)) preserveAspectRatio="none" role="img" {
            use href="#bands" {}
            @for ((class, from, to), _) in ages.into_iter().zip(reached).filter(|(_, is_reached)| *is_reached) {
                @let (from, to) = (times.x(from), times.x(to.unwrap_or(end)));
                rect.(class) x=(from) width=(wide(from, to)) {}
            }
            title { (spoken(lane, end)) }
        }
    }
}

fn spoken(lane: &Lane, end: Instant) -> String {
    let mut text = format!("begun {}", lane.begun);
    if let Some(at) = lane.connected {
        text += &format!(", connected {at}");
    }
    if let Some(at) = lane.ready {
        text += &format!(", ready {at}");
    }
    if lane.ended.is_some() {
        text += &format!(", ended {end}");
    }
    text
}

fn choose(lanes: &Lanes, is_concerned: impl Fn(&Lane) -> bool) -> Vec<&Lane> {
    let mut ranked: Vec<&Lane> = lanes.iter().collect();
    ranked.sort_by_key(|lane| std::cmp::Reverse((is_concerned(lane), lane.rank())));
    let mut room: Vec<(Tells, usize)> = QUOTAS.into();
    let has_room = |lane: &&Lane| {
        let of = room.iter_mut().find(|(tells, _)| *tells == lane.tells());
        let left = of.map(|(_, left)| std::mem::replace(left, left.saturating_sub(1)));
        is_concerned(lane) || left.is_some_and(|left| left > 0)
    };
    let (mut chosen, rest): (Vec<&Lane>, Vec<&Lane>) = ranked.into_iter().partition(has_room);
    chosen.truncate(MOST);
    let room = MOST - chosen.len();
    chosen.extend(rest.into_iter().take(room));
    chosen
}

/// The ids of connections that a text names: a `c` and digits, as ids are written.
fn connections_in(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    let is_id = |word: &&str| word.strip_prefix('c').is_some_and(|number| number.parse::<u64>().is_ok());
    words.filter(is_id).map(str::to_owned).collect()
}
