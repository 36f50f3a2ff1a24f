//! The controls that choose which part of the time the charts show, and on which scale. Without the script the page shows
//! the part it opens on, and its axis says which.

use maud::{Markup, html};

use super::chart::labels;
use super::log_scale::LOG_UNIT;
use super::time_axis::{TimeScale, lasting};
use super::window::{Window, Windows};
use crate::types::Instant;

/// Buttons for each part, and the axis that stays in sight. The script reads the parts off the buttons, in seconds.
pub(super) fn bar(windows: &Windows, times: TimeScale) -> Markup {
    html! {
        div.zoom role="group" aria-label="Part of the time that is shown" data-unit=(LOG_UNIT.as_secs_f64()) {
            @for (place, window) in windows.all.iter().enumerate() {
                @let [from, to] = seconds(window, times);
                button type="button" data-from=(from) data-to=(to) aria-pressed=(place == windows.opening) {
                    (window.name) @if place == 0 { " " kbd { "0" } }
                }
            }
            button #log type="button" aria-pressed="false" data-opening[windows.is_log] { "Log scale of time " kbd { "g" } }
        }
        (axis(windows.opening(), times))
    }
}

/// What is shown, where that lies in all of the time, and the labels.
fn axis(shown: &Window, times: TimeScale) -> Markup {
    let [from, to] = seconds(shown, times);
    let whole = lasting(times.end().since(Instant::ZERO));
    let [left, width] = [from, to - from].map(|secs| secs / times.seconds() * 100.0);
    html! {
        div.axis {
            output #part { (times.spoken()) }
            div {
                div.overview aria-hidden="true" { i #overview style=(format!("left:{left:.3}%;width:{width:.3}%")) {} }
                (labels(&times.ticks(), true))
            }
            span.steps {
                button #farther type="button" aria-label="Zoom out" { "−" }
                button #nearer type="button" aria-label="Zoom in" { "+" }
                button #earlier type="button" aria-label="Earlier" { "‹" }
                button #later type="button" aria-label="Later" { "›" }
                button #whole type="button" data-text=(whole) { "All" }
            }
        }
    }
}

fn seconds(window: &Window, times: TimeScale) -> [f64; 2] {
    [times.x(window.from), times.x(window.to)]
}
