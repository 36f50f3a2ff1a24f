//! The top of a page: the verdict, and the command that reproduces it.

use maud::{Markup, html};

use super::axis::grouped;
use crate::run::failure::{Failure, RunVerdict};
use crate::types::Instant;

/// The heading, with the verdict.
pub(super) fn heading(title: &str, about: &str, verdict: RunVerdict) -> Markup {
    heading_saying(title, about, verdict, &verdict.to_string())
}

/// The heading, with the verdict in words of one's own.
pub(super) fn heading_saying(title: &str, about: &str, verdict: RunVerdict, words: &str) -> Markup {
    let is_kept = verdict == RunVerdict::Kept;
    let (class, sign) = if is_kept { ("kept", "✓") } else { ("broken", "✗") };
    html! {
        header {
            h1 { (title) }
            p.verdict.(class) { span aria-hidden="true" { (sign) " " } @if !is_kept { "Failed: " } (words) }
            @if let Some(meaning) = meaning(verdict) { p.broken { (meaning) } }
            p { (about) }
        }
    }
}

/// What a verdict says, for those who do not know its name.
const fn meaning(verdict: RunVerdict) -> Option<&'static str> {
    match verdict {
        RunVerdict::Kept => None,
        RunVerdict::Safety => Some("Something happened that must never happen."),
        RunVerdict::Liveness => Some("Something that must happen did not happen in time."),
        RunVerdict::NonDeterminism => Some("The same run did not go the same way again."),
        RunVerdict::MissedProbe => Some("A state that the scenario is meant to reach was never reached."),
        RunVerdict::Threshold => Some("A measurement is out of the bounds that the scenario sets."),
    }
}

/// The command that gives the same again.
pub(super) fn again(command: &str) -> Markup {
    html! { p.again { "Run it again: " code { (command) } } }
}

/// What failed, what was promised and what was seen. `lanes`: where on the page to look.
pub(super) fn failures(failures: &[Failure], lanes: &[(String, String)]) -> Markup {
    html! {
        @if !failures.is_empty() {
            section aria-labelledby="failed" {
                h2 #failed { "What failed" }
                @for failure in failures {
                    article.failure.step tabindex="-1" {
                        h3 { (failure.verdict) ": " (failure.rule) }
                        dl {
                            dt { "Promised" } dd { (promised(failure)) }
                            dt { "Seen" } dd { (failure.what) }
                            dt { "When" }
                            dd {
                                "after " (Instant::ZERO.after(failure.at.0)) ", manager " (failure.node)
                                ", step " (grouped(failure.step))
                            }
                            @if !lanes.is_empty() {
                                dt { "Connections" }
                                dd { @for (id, name) in lanes { a href=(format!("#{id}")) { (name) } " " } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn promised(failure: &Failure) -> &'static str {
    match (failure.property(), failure.verdict) {
        (Some(property), _) => property.about(),
        (None, RunVerdict::Threshold) => "The figure stays within the bounds that the scenario sets.",
        (None, RunVerdict::NonDeterminism) => "The same run goes the same way, whoever runs it.",
        (None, RunVerdict::Kept | RunVerdict::MissedProbe | RunVerdict::Liveness | RunVerdict::Safety) => {
            "No sequence of calls panics."
        }
    }
}

/// The last inputs and actions.
pub(super) fn last<'a>(lines: impl Iterator<Item = (Instant, &'a str)>, is_open: bool) -> Markup {
    let lines: Vec<(Instant, &str)> = lines.collect();
    html! {
        @if !lines.is_empty() {
            details open[is_open] {
                summary { "The last " (lines.len()) " inputs and actions" @if is_open { " before the failure" } }
                ol.log { @for (at, line) in &lines { li { time { (at) } " " (line) } } }
            }
        }
    }
}
