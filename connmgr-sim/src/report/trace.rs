//! A page on a trace: the run of a real node.

use std::io::BufRead;

use connmgr_core::driver::Observer;
use connmgr_core::{Action, ConnManager, Input, Reply, Time};
use connmgr_std::{ReplayError, TraceReader};
use maud::{Markup, html};

use super::axis::grouped;
use super::dialing::DialBars;
use super::findings::Findings;
use super::time_axis::{TimeScale, lasting};
use super::window::{Measured, Story};
use super::{figures, headline, lanes, page, run, verdict};
use crate::run::failure::RunVerdict;
use crate::types::Instant;
use crate::watch::diary::Diary;

/// Runs a trace again and draws a page on it, up to where it goes another way, if it does. `again` is the command that
/// gives the same. A last line that was cut off is left out.
///
/// # Errors
/// When the trace can't be read, or its configuration is refused.
pub fn trace(name: &str, trace: TraceReader<impl BufRead>, again: &str) -> Result<String, ReplayError> {
    let mut heard = Heard::default();
    heard.diary.begin(Instant::ZERO);
    let (difference, cut_off) = match connmgr_std::replay(trace, None, &mut heard) {
        Ok((manager, summary)) => {
            // The last input may have actions that were never taken: it has not settled then.
            heard.diary.settled(summary.last, &manager);
            (None, summary.cut_off)
        }
        Err(error @ (ReplayError::Reply { .. } | ReplayError::Action { .. })) => (Some(error), false),
        Err(error) => return Err(error),
    };
    let Heard { diary, inputs, actions } = heard;
    let windows = Story::of(&diary, Vec::new(), Measured::default(), diary.now(), difference.is_some()).windows();
    let times = TimeScale::until(diary.now()).showing(windows.opening().from, windows.opening().to);
    let findings = Findings::of(None, &diary, diary.now());
    let lanes = lanes::Shown::of(&diary, &conns_of(difference.as_ref()), diary.now());
    let verdict = if difference.is_some() { RunVerdict::NonDeterminism } else { RunVerdict::Kept };
    let words = if difference.is_some() { "the replay went another way" } else { "the replay went the same way" };
    let same = || "Every answer and every action is the same, byte for byte.".to_owned();
    let about = difference.as_ref().map_or_else(same, ToString::to_string);
    let body = html! {
        (verdict::heading_saying(&format!("Trace {name}"), &about, verdict, words))
        (verdict::again(again))
        (headline::of_trace(&diary, &DialBars::of(&diary, &windows)))
        (facts(diary.now(), inputs, actions, cut_off))
        @if difference.is_some() { (verdict::last(diary.last(), true)) }
        (run::over_time(&diary, &findings, &lanes, &windows, times))
        section aria-labelledby="measured" {
            h2 #measured { "Numbers" }
            div.tables { (figures::reasons(&diary)) }
        }
        @if difference.is_none() { (verdict::last(diary.last(), false)) }
    };
    Ok(page::page(&format!("Trace {name}"), times.seconds(), &body))
}

fn facts(end: Instant, inputs: u64, actions: u64, cut_off: bool) -> Markup {
    html! {
        dl.facts {
            dt { "Lasted" } dd { (lasting(end.since(Instant::ZERO))) }
            dt { "Inputs" } dd { (grouped(inputs)) }
            dt { "Actions" } dd { (grouped(actions)) }
            @if cut_off { dt { "End" } dd { "The last line is cut off." } }
        }
    }
}

/// The connections that a difference is about, as a text that names them.
fn conns_of(difference: Option<&ReplayError>) -> String {
    let Some(ReplayError::Action { expected, found, .. }) = difference else { return String::new() };
    let conns = [Some(expected), found.as_ref()].into_iter().flatten().filter_map(|action| action.conn());
    conns.map(|conn| format!("{conn} ")).collect()
}

/// A diary of a trace, and how long it is.
#[derive(Default)]
struct Heard {
    diary: Diary,
    inputs: u64,
    actions: u64,
}

impl Observer for Heard {
    fn input(&mut self, now: Time, input: &Input, reply: &Reply) {
        self.inputs += 1;
        self.diary.input(now, input, reply);
    }

    fn action(&mut self, now: Time, action: &Action) {
        self.actions += 1;
        self.diary.action(now, action);
    }

    fn settled(&mut self, now: Time, manager: &ConnManager) {
        self.diary.settled(now, manager);
    }
}
