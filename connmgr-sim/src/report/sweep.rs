//! A sweep as a picture: the median as a line, from the least to the greatest as a band. One SVG file, light and dark,
//! that needs nothing else.

use std::fmt::Write;

use crate::run::sweep::{Point, Sweep};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 64.0;
/// About so many lines across.
const TICKS: f64 = 5.0;

const STYLE: &str = "svg{background:#fff;font:13px system-ui,sans-serif}text{fill:#222;\
stroke:#fff;stroke-width:3px;paint-order:stroke}.about{font-size:12px;fill:#555}.axis{stroke:#888}\
.grid{stroke:#ddd}.band{fill:#2a6fb0;opacity:.22}.line{stroke:#2a6fb0;stroke-width:2;fill:none}.dot{fill:#2a6fb0}\
.never{fill:#b3261e}.title{font-weight:600;font-size:15px}@media(prefers-color-scheme:dark){svg{background:#16181c}\
text{fill:#e6e6e6;stroke:#16181c}.about{fill:#aaa}.axis{stroke:#888}.grid{stroke:#333}.band{fill:#7ab8f5}\
.line{stroke:#7ab8f5}.dot{fill:#7ab8f5}.never{fill:#ff8a80}}";

/// A sweep's points as an SVG document. `again` is the command that gives the same.
pub fn svg(sweep: &Sweep, points: &[Point], again: &str) -> String {
    let chart = Chart::new(sweep, points);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"{title}\"><desc>{again}</desc><style>{STYLE}</style>\
         <text class=\"title\" x=\"{LEFT}\" y=\"22\">{title}</text>\
         <text class=\"about\" x=\"{LEFT}\" y=\"40\">Line: median of {seeds} seeds. Band: from the least to the \
         greatest.</text>\n",
        title = escaped(&format!("{} by {}", sweep.figure, sweep.parameter)),
        again = escaped(again),
        seeds = sweep.seeds,
    );
    chart.axes(&mut out);
    chart.band(&mut out);
    chart.line(&mut out);
    out.push_str("</svg>\n");
    out
}

struct Chart<'a> {
    sweep: &'a Sweep,
    points: &'a [Point],
    /// In seconds, where the figure is a duration.
    scale: f64,
    top: f64,
    step: f64,
}

impl<'a> Chart<'a> {
    fn new(sweep: &'a Sweep, points: &'a [Point]) -> Self {
        let scale = if sweep.figure.is_duration() { 1000.0 } else { 1.0 };
        let greatest = points.iter().filter_map(|point| point.most.or(point.median).or(point.least)).max();
        let greatest = (number(greatest.unwrap_or(1)) / scale).max(f64::MIN_POSITIVE);
        let step = nice(greatest / TICKS);
        Self { sweep, points, scale, step, top: (greatest / step).ceil() * step }
    }

    fn x(&self, place: usize) -> f64 {
        let gaps = self.points.len().saturating_sub(1).max(1);
        LEFT + 24.0 + (WIDTH - LEFT - RIGHT - 48.0) * number(place as u64) / number(gaps as u64)
    }

    fn y(&self, value: u64) -> f64 {
        self.height(number(value) / self.scale)
    }

    fn height(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value / self.top)
    }

    fn axes(&self, out: &mut String) {
        let mut value = 0.0;
        while value <= self.top * 1.000_001 {
            let y = self.height(value);
            draw(
                out,
                format_args!(
                    "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>",
                    WIDTH - RIGHT
                ),
            );
            draw(
                out,
                format_args!(
                    "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
                    LEFT - 8.0,
                    y + 4.0,
                    tick(value)
                ),
            );
            value += self.step;
        }
        let bottom = HEIGHT - BOTTOM;
        draw(
            out,
            format_args!(
                "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{bottom}\" y2=\"{bottom}\"/>",
                WIDTH - RIGHT
            ),
        );
        for (place, point) in self.points.iter().enumerate() {
            let value = escaped(&point.value);
            draw(
                out,
                format_args!(
                    "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{value}</text>\n",
                    self.x(place),
                    bottom + 20.0
                ),
            );
        }
        let (middle, parameter) = ((LEFT + WIDTH - RIGHT) / 2.0, escaped(&self.sweep.parameter));
        draw(
            out,
            format_args!("<text x=\"{middle:.1}\" y=\"{}\" text-anchor=\"middle\">{parameter}</text>\n", HEIGHT - 16.0),
        );
    }

    /// From the least to the greatest, where both came.
    fn band(&self, out: &mut String) {
        let both = self.points.iter().enumerate().filter_map(|(place, point)| Some((place, point.least?, point.most?)));
        let both: Vec<(usize, u64, u64)> = both.collect();
        let there = both.iter().map(|(place, _, most)| format!("{:.1},{:.1}", self.x(*place), self.y(*most)));
        let back = both.iter().rev().map(|(place, least, _)| format!("{:.1},{:.1}", self.x(*place), self.y(*least)));
        let corners: Vec<String> = there.chain(back).collect();
        draw(out, format_args!("<polygon class=\"band\" points=\"{}\"/>\n", corners.join(" ")));
    }

    fn line(&self, out: &mut String) {
        let medians = self.points.iter().enumerate().filter_map(|(place, point)| Some((place, point.median?)));
        let medians: Vec<String> =
            medians.map(|(place, at)| format!("{:.1},{:.1}", self.x(place), self.y(at))).collect();
        draw(out, format_args!("<polyline class=\"line\" points=\"{}\"/>\n", medians.join(" ")));
        self.points.iter().enumerate().for_each(|(place, point)| self.dot(self.x(place), point, out));
    }

    fn dot(&self, x: f64, point: &Point, out: &mut String) {
        let Some(median) = point.median else {
            let y = TOP + 12.0;
            let never = "text-anchor=\"middle\">never</text>\n";
            return draw(out, format_args!("<text class=\"never\" x=\"{x:.1}\" y=\"{y}\" {never}"));
        };
        let (y, text) = (self.y(median), |value| self.sweep.figure.text(value));
        let range = format!("{} to {}, median {}", text(point.least), text(point.most), text(point.median));
        let title = format!("<title>{}: {range}</title>", escaped(&point.value));
        draw(out, format_args!("<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\">{title}</circle>"));
        let (y, label) = (y - 10.0, short(number(median) / self.scale));
        draw(out, format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{label}</text>\n"));
    }
}

fn draw(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("a string takes whatever it is given");
}

/// For a picture the nearest number is near enough.
#[allow(clippy::cast_precision_loss, reason = "for a picture the nearest number is near enough")]
const fn number(value: u64) -> f64 {
    value as f64
}

/// The next of 1, 2, 5, 10, 20, 50 … from here.
fn nice(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|nice| *nice >= step * 0.999_999).unwrap_or(step)
}

fn tick(value: f64) -> String {
    if value.fract().abs() < 1e-9 { format!("{value:.0}") } else { format!("{value:.2}") }
}

fn short(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_nice() {
        for (step, expected) in [(0.7, 1.0), (1.0, 1.0), (1.2, 2.0), (33.0, 50.0), (0.03, 0.05), (7.0, 10.0)] {
            assert!((nice(step) - expected).abs() < 1e-9, "{step}: {}", nice(step));
        }
    }

    #[test]
    fn a_picture_holds_every_point_and_nothing_that_is_not_escaped() {
        let mut sweep = Sweep::reachable();
        sweep.parameter = "<script>".into();
        let point = |median: Option<u64>| Point { value: "a & b".into(), least: median, median, most: median };
        let svg = svg(&sweep, &[point(Some(5000)), point(None), point(Some(90_000))], "a & b");
        assert_eq!(svg.matches("<circle").count(), 2);
        assert_eq!(svg.matches(">never<").count(), 1);
        assert!(!svg.contains("<script>") && !svg.contains("a & b"));
        assert!(svg.contains("<desc>a &amp; b</desc>") && svg.contains("median of 9 seeds"));
    }
}
