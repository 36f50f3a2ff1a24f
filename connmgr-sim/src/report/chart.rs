//! A chart: a plot that stretches, with labels beside it which don't. Knows nothing of what is drawn in it.

use maud::{Markup, PreEscaped, html};

use super::axis::{HEIGHT, Tick, WIDTH};

/// What is drawn in which manner, for those who read the page.
pub(super) struct Key {
    /// The class of its swatch.
    pub(super) class: &'static str,
    /// What it is.
    pub(super) name: String,
}

/// A chart over time: aligned with all others of the page, and zoomed with them.
pub(super) struct Course {
    pub(super) title: &'static str,
    pub(super) about: String,
    pub(super) keys: Vec<Key>,
    pub(super) ticks: Vec<Tick>,
    pub(super) body: Markup,
}

impl Course {
    pub(super) fn draw(&self, times: &[Tick]) -> Markup {
        html! {
            figure.course {
                figcaption {
                    h3 { (self.title) }
                    p { (self.about) }
                    (keys(&self.keys))
                }
                (levels(&self.ticks))
                (plot(&format!("{}. {}", self.title, self.about), &html! { use href="#bands" {} (self.body) }, true))
                (labels(times, true))
            }
        }
    }
}

/// A chart of its own.
pub(super) struct Small {
    pub(super) title: &'static str,
    pub(super) about: String,
    pub(super) upwards: Vec<Tick>,
    pub(super) along: Vec<Tick>,
    pub(super) body: Markup,
}

impl Small {
    pub(super) fn draw(&self) -> Markup {
        html! {
            figure.small {
                figcaption { h3 { (self.title) } p { (self.about) } }
                (levels(&self.upwards))
                (plot(&format!("{}. {}", self.title, self.about), &self.body, false))
                (labels(&self.along, false))
            }
        }
    }
}

fn keys(keys: &[Key]) -> Markup {
    html! {
        @if !keys.is_empty() {
            ul.keys { @for key in keys { li { i.(key.class) {} (key.name) } } }
        }
    }
}

/// What is written left of a plot.
fn levels(ticks: &[Tick]) -> Markup {
    html! {
        div.levels aria-hidden="true" {
            @for (at, text) in ticks { span style=(format!("bottom:{:.2}%", at * 100.0)) { (text) } }
        }
    }
}

/// What is written below a plot.
pub(super) fn labels(ticks: &[Tick], is_time: bool) -> Markup {
    html! {
        div.labels.time[is_time] aria-hidden="true" {
            @for (at, text) in ticks { span style=(format!("left:{:.3}%", at * 100.0)) { (text) } }
        }
    }
}

/// The plot itself: what is in it is stretched to whatever room there is; lines keep their width.
fn plot(label: &str, body: &Markup, is_time: bool) -> Markup {
    html! {
        svg.plot.time[is_time] viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" role="img" aria-label=(label) {
            (body)
        }
    }
}

/// Dots of one class, at places in a plot. A dot is a line without length, so that it stays round.
pub(super) fn dot(x: f64, y: f64, class: &str, title: &str) -> Markup {
    html! { path.dot.(class) d=(format!("M{x} {y}h0")) { title { (title) } } }
}

/// Bars that stand on the ground, as one path: where each begins, how wide it is, and where its top is.
pub(super) fn bars(bars: impl Iterator<Item = (f64, f64, f64)>) -> String {
    bars.map(|(x, width, top)| format!("M{x} {HEIGHT}V{top}h{width}V{HEIGHT}z")).collect()
}

/// Text of ours that needs no escaping.
pub(super) const fn raw(text: &str) -> PreEscaped<&str> {
    PreEscaped(text)
}
