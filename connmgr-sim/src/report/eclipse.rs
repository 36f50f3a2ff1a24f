//! The eclipse sweep as a page, and as one picture: a curve for each book, a plot for each figure.

use maud::{Markup, PreEscaped, html};

use super::axis::{HEIGHT, Tick, WIDTH, rounded};
use super::chart::{Frame, dot, path};
use super::{page, verdict};
use crate::run::eclipse::{Axis, Defence, EclipseFigures, EclipsePoint, EclipseSweep};
use crate::types::Share;

/// The size of one plot with its labels.
const FRAME: Frame = Frame { width: 440.0, height: 270.0, left: 50.0, right: 14.0, top: 30.0, bottom: 56.0 };
/// Room for the legend of the picture.
const LEGEND: f64 = 120.0;

/// Colors of the picture, which must stand alone. Those of the page are in its own style.
const STYLE: &str = "svg{background:#fff;font:12px system-ui,sans-serif}svg *{vector-effect:non-scaling-stroke}\
text{fill:#222}.axis{stroke:#888}.grid{stroke:#ddd}.title{font-weight:600;font-size:13px}\
.curve{fill:none;stroke:var(--it);stroke-width:1.5px}.curve.ours,.curve.core{stroke-width:3px}\
.ours{--it:#2a6fb0}.core{--it:#b3261e}.off0{--it:#c2570c}.off1{--it:#7b3fa8}.off2{--it:#6c7684}\
.off3{--it:#1c7f6e}.off4{--it:#b07800}.off5{--it:#0b6b3a}\
.off0,.off2{stroke-dasharray:5 3}.off4{stroke-dasharray:9 3 2 3}.off5{stroke-dasharray:2 3}\
@media(prefers-color-scheme:dark){svg{background:#16181c}text{fill:#e6e6e6}.grid{stroke:#333}\
.ours{--it:#7ab8f5}.core{--it:#ff8a80}.off1{--it:#b98ae0}.off3{--it:#4cc2ad}.off5{--it:#5fd393}}";

/// What is said of each figure, in the order of [`EclipseFigures::all`].
const TITLES: [&str; 6] = [
    "His share of addresses never connected to",
    "His share of choices whom to dial",
    "His share of connections, 5 min after a restart",
    "All connections his, 5 min after a restart",
    "His share of connections, a day later",
    "All connections his, a day later",
];
/// The figures in the picture.
const PICTURED: [usize; 3] = [1, 4, 5];
/// Its columns.
const COLUMNS: [Axis; 2] = [Axis::Sources, Axis::Groups];

/// Draws the page. `again` is the command that gives the same.
pub fn eclipse(sweep: &EclipseSweep, points: &[EclipsePoint], again: &str) -> String {
    let body = html! {
        h1 { "Eclipse" }
        p { "What an attacker gets of a node whose address book he fills." }
        p.axes {
            "The book knows 2000 honest nodes; 1000 of them were connected to before. The attacker announces 100 000 "
            "addresses, which all answer; in one group there are at most 65 536. Of the honest nodes, half of those that "
            "were connected to answer, and 12 % of the others. Then the node restarts, and runs for a day. Its 10 outbound "
            "connections end after six hours on average; those to the attacker never end. There are no anchors, and "
            "nobody gossips in that day. Each point is the mean of " (sweep.lives) " such days after each of "
            (sweep.seeds) " attacks."
        }
        (legend(&sweep.defences))
        @for axis in Axis::ALL {
            section aria-labelledby=(axis.name()) {
                h2 id=(axis.name()) { (heading(axis)) }
                div.eclipses {
                    @for figure in 0..TITLES.len() {
                        figure {
                            (plot(&sweep.defences, points, axis, figure))
                            details { summary { "Numbers" } (table(&sweep.defences, points, axis, figure)) }
                        }
                    }
                }
            }
        }
        section aria-labelledby="again" { h2 #again { "This sweep" } (verdict::again(again)) }
    };
    page::page("Eclipse", 0.0, &body)
}

/// The most telling plots as one SVG document.
pub fn eclipse_svg(sweep: &EclipseSweep, points: &[EclipsePoint], again: &str) -> String {
    let (width, height) = (FRAME.width, FRAME.height);
    let (all_width, all_height) = (2.0 * width, PICTURED.len() as f64 * height + LEGEND);
    let svg = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {all_width} {all_height}")) role="img"
            aria-label="What an attacker gets of a node whose address book he fills" {
            desc { (again) }
            style { (PreEscaped(STYLE)) }
            @for (row, figure) in PICTURED.into_iter().enumerate() {
                @for (column, axis) in COLUMNS.into_iter().enumerate() {
                    g transform=(format!("translate({} {})", column as f64 * width, row as f64 * height)) {
                        (drawn(&sweep.defences, points, axis, figure, false))
                    }
                }
            }
            @for (place, defence) in sweep.defences.iter().enumerate() {
                @let x = FRAME.left + (place % 2) as f64 * width;
                @let y = all_height - LEGEND + 18.0 + (place / 2) as f64 * 22.0;
                path.curve.(class(*defence)) d=(format!("M{x} {y}h28")) {}
                text x=(x + 36.0) y=(y + 4.0) { (title(*defence)) }
            }
        }
    };
    svg.into_string() + "\n"
}

const fn heading(axis: Axis) -> &'static str {
    match axis {
        Axis::Sources => "By the groups of nodes that announce his addresses",
        Axis::Groups => "By the groups that his addresses are in, announced by very many",
        Axis::OneSource => "By the groups that his addresses are in, announced by one source group",
    }
}

const fn along(axis: Axis) -> &'static str {
    match axis {
        Axis::Sources => "source groups; his addresses are in 27 520 groups",
        Axis::Groups => "groups of his addresses; 65 000 source groups",
        Axis::OneSource => "groups of his addresses; one source group",
    }
}

const fn class(defence: Defence) -> &'static str {
    use connmgr_core::BookRule;
    match defence {
        Defence::Ours => "ours",
        Defence::CoreLike => "core",
        Defence::Without(rule) => match rule {
            BookRule::SourceLimit => "off0",
            BookRule::GroupLimit => "off1",
            BookRule::TestBeforeEvict => "off2",
            BookRule::TriedShare => "off3",
            BookRule::GroupShare => "off4",
            _ => "off5",
        },
    }
}

fn title(defence: Defence) -> String {
    match defence {
        Defence::Ours => "This book".to_owned(),
        Defence::CoreLike => "Model of Bitcoin Core's book".to_owned(),
        Defence::Without(_) => format!("This book {}", defence.name().replace('-', " ")),
    }
}

fn legend(defences: &[Defence]) -> Markup {
    html! {
        ul.keys.eclipse {
            @for defence in defences {
                li.(class(*defence)) {
                    svg viewBox="0 0 28 8" aria-hidden="true" { path.curve.(class(*defence)) d="M0 4h28" {} }
                    (title(*defence))
                }
            }
        }
    }
}

/// One plot of the page.
fn plot(defences: &[Defence], points: &[EclipsePoint], axis: Axis, figure: usize) -> Markup {
    html! {
        svg.eclipse viewBox=(FRAME.view_box()) role="img" aria-label=(TITLES[figure]) {
            (drawn(defences, points, axis, figure, true))
        }
    }
}

/// `has_dots`: a dot at each value, which says its number.
fn drawn(defences: &[Defence], points: &[EclipsePoint], axis: Axis, figure: usize, has_dots: bool) -> Markup {
    let values = axis.values();
    let x = |place: usize| rounded((place as f64 + 0.5) / values.len() as f64 * WIDTH);
    let tick = |(place, value): (usize, &u32)| (x(place) / WIDTH, value.to_string());
    let below: Vec<Tick> = values.iter().enumerate().map(tick).collect();
    let upwards: Vec<Tick> = (0..=4).map(|part| (f64::from(part) / 4.0, format!("{} %", part * 25))).collect();
    // Those that matter most are drawn last.
    let order = defences.iter().rev();
    let body = html! {
        @for defence in order {
            @let curve = curve(points, *defence, axis, figure);
            @let places: Vec<(f64, f64)> = curve.iter().enumerate().map(|(at, share)| (x(at), y(*share))).collect();
            path.curve.(class(*defence)) d=(path(&places)) {}
            @for ((place, share), value) in places.iter().zip(&curve).zip(values).filter(|_| has_dots) {
                (dot(place.0, place.1, class(*defence), &format!("{}, {value}: {}", title(*defence), text(*share))))
            }
        }
    };
    html! {
        text.title x=(FRAME.left) y="18" { (TITLES[figure]) }
        (FRAME.draw(&upwards, &below, along(axis), &body))
    }
}

fn curve(points: &[EclipsePoint], defence: Defence, axis: Axis, figure: usize) -> Vec<Share> {
    let of = points.iter().filter(|point| point.defence == defence && point.axis == axis);
    of.map(|point| point.mean.all()[figure]).collect()
}

fn y(share: Share) -> f64 {
    rounded(HEIGHT - f64::from(share.0) / f64::from(Share::ALL.0) * HEIGHT)
}

fn text(share: Share) -> String {
    format!("{:.1} %", f64::from(share.0) / 10_000.0)
}

fn table(defences: &[Defence], points: &[EclipsePoint], axis: Axis, figure: usize) -> Markup {
    html! {
        table.plain {
            caption { (EclipseFigures::NAMES[figure]) ", by " (axis.name()) }
            thead { tr { th scope="col" { "Book" } @for value in axis.values() { th scope="col" { (value) } } } }
            tbody {
                @for defence in defences {
                    tr {
                        th scope="row" { (defence.name()) }
                        @for share in curve(points, *defence, axis, figure) { td { (text(share)) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_and_picture_hold_every_curve_and_escape_the_command() {
        let sweep = EclipseSweep::new(1, 1);
        let points: Vec<EclipsePoint> = Axis::ALL
            .into_iter()
            .flat_map(|axis| axis.values().map(|value| (axis, value)))
            .flat_map(|(axis, value)| sweep.defences.iter().map(move |defence| (axis, value, *defence)))
            .map(|(axis, value, defence)| EclipsePoint {
                axis,
                value,
                defence,
                mean: EclipseFigures::default(),
                seeds: Vec::new(),
            })
            .collect();
        let (page, picture) = (eclipse(&sweep, &points, "a & b"), eclipse_svg(&sweep, &points, "a & b"));
        let (books, values) = (sweep.defences.len(), Axis::Sources.values().len());
        assert_eq!(page.matches("class=\"dot ").count(), 18 * books * values);
        assert_eq!(picture.matches("class=\"curve ").count(), 7 * books);
        assert!(!page.contains("a & b") && !picture.contains("a & b"));
    }
}
