//! The page around everything: head, style, script, and help. The script and the style are inline, and a policy in the
//! page forbids the browser to fetch anything else.

use maud::{DOCTYPE, Markup, html};

use super::chart::raw;

const STYLE: &str = include_str!("page.css");
/// One script of several parts, each of which uses those before it.
const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("script/keys.js"),
    include_str!("script/axis.js"),
    include_str!("script/place.js"),
    include_str!("script/zoom.js"),
    include_str!("script/selftest.js"),
    "})();\n"
);
/// Nothing may be fetched from anywhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// A whole page. `seconds`: how long the time axes are, if there are any.
pub(super) fn page(title: &str, seconds: f64, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (raw(STYLE)) }
            }
            body data-seconds=(seconds) {
                nav aria-label="Page" {
                    span { "connmgr-sim" }
                    button #theme type="button" { "Light or dark " kbd { "t" } }
                    button #ask type="button" { "Keys " kbd { "?" } }
                }
                main { (body) }
                (help(seconds > 0.0))
                script { (raw(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

fn help(has_times: bool) -> Markup {
    let always = [
        ("j k", "next row, row before"),
        ("/", "filter rows; Esc leaves the filter"),
        ("t", "light or dark"),
        ("?", "this help"),
    ];
    let times = [
        ("+ −", "zoom in, zoom out"),
        ("h l", "earlier, later"),
        ("0", "all of the time"),
        ("g", "logarithmic or linear scale of time"),
    ];
    let shown = always.into_iter().chain(times.into_iter().filter(|_| has_times));
    html! {
        dialog #help aria-label="Keys" {
            table {
                caption { "Keys" }
                tbody { @for (keys, what) in shown { tr { th scope="row" { kbd { (keys) } } td { (what) } } } }
            }
            form method="dialog" { button { "Close" } }
        }
    }
}

/// The field that filters rows.
pub(super) fn filter(what: &str) -> Markup {
    html! {
        label.filter { "Filter " (what) " " kbd { "/" } " " input #filter type="search" autocomplete="off"; output #found {} }
    }
}
