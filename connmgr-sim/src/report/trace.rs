//! A page on a trace: the run of a real node.

use std::io::BufRead;

use connmgr_core::driver::Observer;
use connmgr_core::{ConnManager, Time};
use connmgr_std::{Line, TraceError, TraceReader};
use maud::html;

use super::axis::{Times, grouped};
use super::befell::Befell;
use super::{figures, lanes, page, run, verdict};
use crate::run::failure::Verdict;
use crate::types::Instant;
use crate::watch::diary::Diary;

/// What a trace told.
struct Told {
    diary: Diary,
    inputs: u64,
    actions: u64,
    cut_off: bool,
}

/// Draws a page on a trace. `difference` says where its replay went another way, if it did; `again` is the command that
/// gives the same. A last line that was cut off is left out.
///
/// # Errors
/// When the trace can't be read.
pub fn trace(
    name: &str,
    trace: TraceReader<impl BufRead>,
    difference: Option<&str>,
    again: &str,
) -> Result<String, TraceError> {
    let Told { diary, inputs, actions, cut_off } = listen(trace)?;
    let times = Times::until(diary.now());
    let befell = Befell::of(None, &diary, diary.now());
    let lanes = lanes::Shown::of(&diary, difference.unwrap_or_default(), diary.now());
    let verdict = if difference.is_some() { Verdict::NonDeterminism } else { Verdict::Kept };
    let words =
        if difference.is_some() { "told again, it went another way" } else { "told again, it went the same way" };
    let about = difference.unwrap_or("Every answer and every action is the same, byte for byte.");
    let body = html! {
        (verdict::heading_saying(&format!("Trace {name}"), about, verdict, words))
        (verdict::again(again))
        dl.facts {
            dt { "Lasted" } dd { (diary.now()) }
            dt { "Inputs" } dd { (grouped(inputs)) }
            dt { "Actions" } dd { (grouped(actions)) }
            @if cut_off { dt { "End" } dd { "The last line is cut off." } }
        }
        (verdict::last(diary.last(), difference.is_some()))
        (run::over_time(&diary, &befell, &lanes, times))
        section aria-labelledby="measured" {
            h2 #measured { "What came of it" }
            div.tables { (figures::reasons(&diary)) }
        }
    };
    Ok(page::page(&format!("Trace {name}"), times.seconds(), &body))
}

/// Reads a trace into a diary. A manager is told the same alongside: what a dial is for, only the manager knows.
fn listen(trace: TraceReader<impl BufRead>) -> Result<Told, TraceError> {
    let birth = trace.birth().clone();
    let manager = ConnManager::new(birth.config, birth.snapshot, birth.rng_seed, birth.unix, birth.now);
    let mut manager = manager.ok();
    let mut told = Told { diary: Diary::default(), inputs: 0, actions: 0, cut_off: false };
    told.diary.begin(Instant::ZERO);
    let mut last = birth.now;
    for line in trace {
        match line {
            Ok(Line::Step { now, input, reply }) => {
                settle(&mut told.diary, manager.as_ref(), last);
                last = now;
                told.inputs += 1;
                told.diary.input(now, &input, &reply);
                if let Some(manager) = &mut manager {
                    let _ = manager.apply(&input, now);
                    while manager.poll_action().is_some() {}
                }
            }
            Ok(Line::Action(action)) => {
                told.actions += 1;
                told.diary.action(last, &action);
            }
            Err(TraceError::CutOff { .. }) => told.cut_off = true,
            Err(error) => return Err(error),
            Ok(Line::Birth(_)) => {} // The reader refuses a second one.
        }
    }
    settle(&mut told.diary, manager.as_ref(), last);
    Ok(told)
}

fn settle(diary: &mut Diary, manager: Option<&ConnManager>, now: Time) {
    if let Some(manager) = manager {
        diary.settled(now, manager);
    }
}
