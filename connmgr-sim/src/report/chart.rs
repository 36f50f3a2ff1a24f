//! A chart: a plot that stretches, with labels beside it which don't. Knows nothing of what is drawn in it.

use maud::{Markup, PreEscaped, html};

use super::axis::{HEIGHT, Tick, WIDTH, rounded};
use super::time_axis::TimeScale;

/// An entry of a chart's legend.
pub(super) struct LegendKey {
    /// The class of its swatch.
    pub(super) class: &'static str,
    /// What it is.
    pub(super) name: String,
}

/// A chart over time: aligned with all others of the page, and zoomed with them.
pub(super) struct TimeChart {
    pub(super) title: &'static str,
    /// What is drawn.
    pub(super) about: String,
    pub(super) keys: Vec<LegendKey>,
    /// What it comes to, right of the plot: numbers and what they count.
    pub(super) numbers: Vec<(String, &'static str)>,
    pub(super) ticks: Vec<Tick>,
    pub(super) body: Markup,
}

impl TimeChart {
    pub(super) fn draw(&self, times: TimeScale) -> Markup {
        let body = html! { use href="#bands" {} (self.body) };
        html! {
            figure.course {
                figcaption {
                    h3 { (self.title) }
                    p { (self.about) }
                    (keys(&self.keys))
                }
                (levels(&self.ticks))
                (plot(&format!("{}. {}", self.title, self.about), &body, Some(times)))
                (labels(&times.ticks(), true))
                p.numbers { @for (number, what) in &self.numbers { span { strong { (number) } " " (what) } } }
            }
        }
    }
}

/// A chart of its own.
pub(super) struct SmallChart {
    pub(super) title: &'static str,
    pub(super) about: String,
    pub(super) upwards: Vec<Tick>,
    pub(super) along: Vec<Tick>,
    pub(super) body: Markup,
}

impl SmallChart {
    pub(super) fn draw(&self) -> Markup {
        html! {
            figure.small {
                figcaption { h3 { (self.title) } p { (self.about) } }
                (levels(&self.upwards))
                (plot(&format!("{}. {}", self.title, self.about), &self.body, None))
                (labels(&self.along, false))
            }
        }
    }
}

pub(super) fn keys(keys: &[LegendKey]) -> Markup {
    html! {
        @if !keys.is_empty() {
            ul.keys { @for key in keys { li { i.(key.class) {} (key.name) } } }
        }
    }
}

/// The labels left of a plot.
fn levels(ticks: &[Tick]) -> Markup {
    html! {
        div.levels aria-hidden="true" {
            @for (at, text) in ticks { span style=(format!("bottom:{:.2}%", at * 100.0)) { (text) } }
        }
    }
}

/// The labels below a plot.
pub(super) fn labels(ticks: &[Tick], is_time: bool) -> Markup {
    html! {
        div.labels.time[is_time] aria-hidden="true" {
            @for (at, text) in ticks {
                span.first[*at < 0.03].last[*at > 0.97] style=(format!("left:{:.3}%", at * 100.0)) { (text) }
            }
        }
    }
}

/// The plot itself. Its content stretches to the room there is; lines keep their width.
fn plot(label: &str, body: &Markup, times: Option<TimeScale>) -> Markup {
    let view = times.map_or_else(|| format!("0 0 {WIDTH} {HEIGHT}"), |times| times.view_box(HEIGHT));
    html! {
        svg.plot.time[times.is_some()] viewBox=(view) preserveAspectRatio="none" role="img" aria-label=(label) {
            (body)
        }
    }
}

/// A picture that stands alone: a plot with its labels in one SVG, in units of the picture.
pub(super) struct Frame {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Room around the plot.
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Frame {
    pub(super) fn view_box(&self) -> String {
        format!("0 0 {} {}", self.width, self.height)
    }

    /// Where a place along a plot lies in the picture.
    pub(super) fn x(&self, place: f64) -> f64 {
        rounded(self.left + place / WIDTH * (self.width - self.left - self.right))
    }

    /// Where a height in a plot lies in the picture.
    pub(super) fn y(&self, height: f64) -> f64 {
        rounded(self.top + height / HEIGHT * (self.height - self.top - self.bottom))
    }

    /// The plot, a line across at each label on the left, and labels below; `name` says what they are.
    pub(super) fn draw(&self, upwards: &[Tick], along: &[Tick], name: &str, body: &Markup) -> Markup {
        let (left, right, ground) = (self.left, self.width - self.right, self.height - self.bottom);
        let level = |(at, _): &Tick| self.y(HEIGHT - at * HEIGHT);
        html! {
            @for tick in upwards {
                line.grid x1=(left) x2=(right) y1=(level(tick)) y2=(level(tick)) {}
                text x=(left - 8.0) y=(level(tick) + 4.0) text-anchor="end" { (tick.1) }
            }
            line.axis x1=(left) x2=(right) y1=(ground) y2=(ground) {}
            @for (at, text) in along { text x=(self.x(at * WIDTH)) y=(ground + 20.0) text-anchor="middle" { (text) } }
            text x=((left + right) / 2.0) y=(self.height - 16.0) text-anchor="middle" { (name) }
            svg x=(left) y=(self.top) width=(right - left) height=(ground - self.top) overflow="visible"
                viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" { (body) }
        }
    }
}

/// A line from point to point.
pub(super) fn path(points: &[(f64, f64)]) -> String {
    let step = |(place, (x, y)): (usize, &(f64, f64))| format!("{}{x} {y}", if place == 0 { 'M' } else { 'L' });
    points.iter().enumerate().map(step).collect()
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
