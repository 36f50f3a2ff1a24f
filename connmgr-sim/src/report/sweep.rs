//! A sweep as a picture: the median as a line, from the least to the greatest as a band. One SVG file, light and dark,
//! that needs nothing else.

use maud::{Markup, PreEscaped, html};

use super::axis::{NumberScale, Tick, WIDTH, rounded};
use super::chart::{Frame, dot, path};
use super::headline;
use crate::run::sweep::{Point, Sweep};

const STYLE: &str = "svg{background:#fff;font:13px system-ui,sans-serif}svg *{vector-effect:non-scaling-stroke}\
text{fill:#222;stroke:#fff;stroke-width:3px;paint-order:stroke}.about{font-size:12px;fill:#555}.axis{stroke:#888}\
.grid{stroke:#ddd}.band{fill:#2a6fb0;opacity:.22}.line{stroke:#2a6fb0;stroke-width:2;fill:none}\
.dot{stroke:#2a6fb0;stroke-width:8px;stroke-linecap:round}.never{fill:#b3261e}.title{font-weight:600;font-size:15px}\
@media(prefers-color-scheme:dark){svg{background:#16181c}text{fill:#e6e6e6;stroke:#16181c}.about{fill:#aaa}\
.grid{stroke:#333}.band{fill:#7ab8f5}.line,.dot{stroke:#7ab8f5}.never{fill:#ff8a80}}";

/// The size of the picture, and where the plot is in it.
const FRAME: Frame = Frame { width: 720.0, height: 400.0, left: 72.0, right: 24.0, top: 64.0, bottom: 64.0 };

/// A sweep's points as an SVG document. `again` is the command that gives the same.
pub fn svg(sweep: &Sweep, points: &[Point], again: &str) -> String {
    let picture = Picture::new(sweep, points);
    let title = headline::meaning(sweep.figure);
    let unit = if sweep.figure.is_duration() { "In seconds. " } else { "" };
    let about = format!("{unit}Line: median of {} seeds. Band: from the least to the greatest.", sweep.seeds);
    let (up, along) = (picture.upwards(), picture.along());
    let svg = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(FRAME.view_box()) role="img" aria-label=(title) {
            desc { (again) }
            style { (PreEscaped(STYLE)) }
            text.title x=(FRAME.left) y="22" { (title) }
            text.about x=(FRAME.left) y="40" { (about) }
            (FRAME.draw(&up, &along, &sweep.parameter, &picture.body()))
            (picture.labels())
        }
    };
    svg.into_string() + "\n"
}

struct Picture<'a> {
    sweep: &'a Sweep,
    points: &'a [Point],
    scale: NumberScale,
}

impl<'a> Picture<'a> {
    fn new(sweep: &'a Sweep, points: &'a [Point]) -> Self {
        let greatest = points.iter().filter_map(|point| point.most.or(point.median).or(point.least)).max();
        Self { sweep, points, scale: NumberScale::up_to(greatest.unwrap_or(1)) }
    }

    /// Where a point lies along the axis, in units of the plot: in the middle of a column of its own.
    fn x(&self, place: usize) -> f64 {
        rounded((place as f64 + 0.5) / self.points.len() as f64 * WIDTH)
    }

    fn upwards(&self) -> Vec<Tick> {
        self.scale.ticks_as(|number| self.text(number))
    }

    fn along(&self) -> Vec<Tick> {
        let tick = |(place, point): (usize, &Point)| (self.x(place) / WIDTH, point.value.clone());
        let longest = self.points.iter().map(|point| point.value.chars().count()).max().unwrap_or(0);
        self.points.iter().enumerate().step_by(every(longest, self.points.len())).map(tick).collect()
    }

    /// A number of the figure, without zeros that say nothing.
    fn text(&self, number: u64) -> String {
        let text = self.sweep.figure.text(Some(number));
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    }

    /// The same, as near as one reads it beside a dot.
    fn near(&self, number: u64) -> String {
        let seconds = number as f64 / 1000.0;
        match self.sweep.figure.is_duration() {
            true if seconds < 100.0 => format!("{seconds:.1}"),
            true => format!("{seconds:.0}"),
            false => self.text(number),
        }
    }

    /// Band, line and dots.
    fn body(&self) -> Markup {
        let of = |value: fn(&Point) -> Option<u64>| {
            let points = self.points.iter().enumerate();
            points.filter_map(|(place, point)| Some((self.x(place), self.scale.y(value(point)?)))).collect::<Vec<_>>()
        };
        // Only where both came.
        let greatest = of(|point| point.least.and(point.most));
        let least = of(|point| point.most.and(point.least));
        let corners: Vec<_> = greatest.into_iter().chain(least.into_iter().rev()).collect();
        html! {
            path.band d={ (path(&corners)) "z" } {}
            path.line d=(path(&of(|point| point.median))) {}
            @for (place, point) in self.points.iter().enumerate() {
                @if let Some(median) = point.median {
                    (dot(self.x(place), self.scale.y(median), "median", &self.spoken(point)))
                }
            }
        }
    }

    /// On which side of a dot its number stands, and how far: away from a line that rises beside it.
    fn side(&self, place: usize) -> (&'static str, f64) {
        let height = |place: usize| Some(FRAME.y(self.scale.y(self.points.get(place)?.median?)));
        let rises = |beside: Option<usize>| {
            let steps = beside.and_then(height).zip(height(place)).map(|(there, here)| here - there);
            steps.is_some_and(|pixels| pixels > 20.0)
        };
        match (rises(place.checked_sub(1)), rises(Some(place + 1))) {
            (true, false) => ("start", 4.0),
            (false, true) => ("end", -2.0),
            (true, true) | (false, false) => ("middle", 0.0),
        }
    }

    fn spoken(&self, point: &Point) -> String {
        let [least, median, most] = [point.least, point.median, point.most].map(|value| self.sweep.figure.text(value));
        format!("{}: {least} to {most}, median {median}", point.value)
    }

    /// What is written above each point, in units of the picture.
    fn labels(&self) -> Markup {
        let letters = |point: &Point| point.median.map_or("never".len(), |median| self.near(median).len());
        let longest = self.points.iter().map(letters).max().unwrap_or(0);
        let labeled = self.points.iter().enumerate().step_by(every(longest, self.points.len()));
        html! {
            @for (place, point) in labeled {
                @let x = FRAME.x(self.x(place));
                @match point.median {
                    Some(median) => {
                        @let (anchor, aside) = self.side(place);
                        @let y = FRAME.y(self.scale.y(median)) - 10.0;
                        text x=(x + aside) y=(y) text-anchor=(anchor) { (self.near(median)) }
                    }
                    None => { text.never x=(x) y=(FRAME.top + 12.0) text-anchor="middle" { "never" } }
                }
            }
        }
    }
}

/// Of how many points one has its label, so that labels of so many letters do not touch.
fn every(letters: usize, points: usize) -> usize {
    const LETTER: f64 = 8.0;
    let room = (FRAME.width - FRAME.left - FRAME.right) / points.max(1) as f64;
    (1..points.max(1)).find(|step| *step as f64 * room >= (letters + 1) as f64 * LETTER).unwrap_or(points.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_would_touch_are_left_out() {
        assert_eq!((every(5, 8), every(5, 20), every(12, 20), every(0, 0)), (1, 2, 4, 1));
    }

    #[test]
    fn a_picture_holds_every_point_and_nothing_that_is_not_escaped() {
        let mut sweep = Sweep::reachable();
        sweep.parameter = "<script>".into();
        let point = |median: Option<u64>| Point { value: "a & b".into(), least: median, median, most: median };
        let svg = svg(&sweep, &[point(Some(5000)), point(None), point(Some(90_000))], "a & b");
        assert_eq!(svg.matches("class=\"dot median\"").count(), 2);
        assert_eq!(svg.matches(">never<").count(), 1);
        assert!(!svg.contains("<script>") && !svg.contains("a & b"));
        assert!(svg.contains("<desc>a &amp; b</desc>") && svg.contains("median of 9 seeds"));
    }
}
