//! Pages: what is on them, what is left out, and that nothing a scenario or a trace says gets out of its place.
#![cfg(feature = "cli")]

use connmgr_core::{AddedPeer, Config, ConnManager, Input, Time, UnixTime};
use connmgr_sim::run::campaign::Campaign;
use connmgr_sim::scenario::{Bound, HostSpec, PeerSpec, Span, catalogue};
use connmgr_sim::types::Figure;
use connmgr_sim::watch::canary;
use connmgr_sim::{RunVerdict, Scenario, Terms, report};
use connmgr_std::{Birth, TraceReader, TraceWriter};

/// A text that would be markup if anybody let it.
const HOSTILE: &str = "<script>alert('&\"')</script>";

fn small() -> Scenario {
    let mut scenario = Scenario::new("small", Span::minutes(10));
    scenario.hosts.push(HostSpec::new("honest", 60));
    let (of, at) = ("honest".to_owned(), Span::default());
    scenario.peers.push(PeerSpec { at, ..PeerSpec::new(of, 2) });
    scenario
}

fn page(scenario: &Scenario) -> String {
    report::run(scenario, 1, Terms::default(), "connmgr-sim run small --seed 1").1
}

#[test]
fn a_page_has_what_a_reader_looks_for() {
    let page = page(&small());
    for part in [
        "all promises kept",
        "connmgr-sim run small --seed 1",
        "Outbound connections",
        "Faults and findings",
        "Handshakes",
        "<table class=\"rows\">",
        "ids-count-up",
        "Measurements",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_page_opens_on_what_happened_even_without_its_script() {
    let scenario = catalogue::find("cold-start").expect("it is in the catalogue");
    let page = page(&scenario);
    let part = |end: f64| format!("data-from=\"0\" data-to=\"{end}\" aria-pressed=");
    assert!(page.contains(&(part(7200.0) + "\"false\"")), "a button shows all");
    assert!(page.contains("aria-pressed=\"true\">Until full: 18.4 s<"));
    // The pool is full after 18.4 s: 24 seconds fill the picture, and the axis says so.
    assert!(page.contains("viewBox=\"0 0 24 100\""));
    assert!(page.contains("Showing 0 to 24 s of 2 h."));
    assert!(page.contains(">10 s</span>") && !page.contains(">1 h</span>"));
}

#[test]
fn connections_are_listed_by_their_use() {
    let page = page(&catalogue::find("cold-start").expect("it is in the catalogue"));
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not on the page"));
    let order = [
        "Full-relay connections (8)",
        "Block-relay-only connections (2)",
        "Connected, but never ready (2)",
        "Dials without a connection (65)",
    ];
    assert!(order.map(place).is_sorted());
}

#[test]
fn a_page_fetches_nothing_and_says_so_to_the_browser() {
    let page = page(&small());
    for outside in ["http://", "https://", "url(", "@import", "src=", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn the_same_run_gives_the_same_page() {
    assert_eq!(page(&small()), page(&small()));
}

#[test]
fn a_page_changes_nothing_in_what_comes_of_a_run() {
    let scenario = small();
    let (outcome, _) = report::run(&scenario, 1, Terms::default(), "");
    assert_eq!(outcome, connmgr_sim::run(&scenario, 1, Terms::default()));
}

#[test]
fn what_a_scenario_says_stays_text() {
    let mut scenario = small();
    scenario.name = HOSTILE.to_owned();
    scenario.about = HOSTILE.to_owned();
    let (_, page) = report::run(&scenario, 1, Terms::default(), HOSTILE);
    assert!(!page.contains(HOSTILE));
    assert!(page.contains("&lt;script&gt;alert('&amp;&quot;')&lt;/script&gt;"));
    let results = Campaign { seeds: Some(1), ..Campaign::new(vec![scenario]) }.run(1, &|_, _| {});
    assert!(!report::campaign(&results, HOSTILE).contains(HOSTILE));
}

#[test]
fn a_failure_is_on_top_with_what_was_promised_seen_and_told_last() {
    let mut scenario = small();
    scenario.expect.bounds.push(Bound { of: "dials".into(), min: None, max: Some(1) });
    scenario.hosts.clear();
    scenario.peers.clear();
    scenario.expect.full_within = Some(Span::minutes(1));
    let (outcome, page) = report::run(&scenario, 1, Terms::default(), "");
    assert_eq!(outcome.verdict(), RunVerdict::Liveness);
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not on the page"));
    let order =
        ["Failed: liveness", "The pool is full again in time", "the pool has not been full", "<ol class=\"log\">"];
    assert!(order.map(place).is_sorted());
    assert!(place("<ol class=\"log\">") < place("The pool over time"));
}

#[test]
fn a_checker_that_is_broken_on_purpose_is_on_the_page() {
    let terms = Terms { canary: true, ..Terms::default() };
    let scenario = canary::world();
    let (outcome, page) = report::run(&scenario, 1, terms, "");
    assert_eq!(outcome, connmgr_sim::run(&scenario, 1, terms));
    assert_eq!(outcome.verdict(), RunVerdict::Safety);
    assert!(page.contains("safety: canary"));
}

#[test]
fn a_run_that_never_began_has_a_page_all_the_same() {
    let mut scenario = small();
    scenario.hosts = vec![HostSpec::new("nobody", 0); 65_537];
    let (outcome, page) = report::run(&scenario, 1, Terms::default(), "");
    assert_eq!(outcome.verdict(), RunVerdict::Safety);
    assert!(page.contains("fewer populations"));
}

#[test]
fn a_long_run_has_a_short_page_that_says_what_is_left_out() {
    let scenario = catalogue::find("outage").expect("it is in the catalogue");
    let page = page(&scenario);
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    assert!(page.contains("that tell less are left out"));
}

#[test]
fn a_campaign_lists_failures_with_the_command_that_shows_each_again() {
    let mut failing = small();
    failing.name = "failing".into();
    failing.expect.bounds.push(Bound { of: "dials".into(), min: None, max: Some(0) });
    let campaign = Campaign { seeds: Some(3), ..Campaign::new(vec![small(), failing]) };
    let page = report::campaign(&campaign.run(1, &|_, _| {}), "again");
    assert_eq!(page.matches("connmgr-sim run failing --seed").count(), 3);
    assert!(!page.contains("connmgr-sim run small --seed"));
    assert!(page.contains("seconds-to-target"));
}

#[test]
fn a_campaign_names_the_seed_of_what_is_greatest() {
    let scenario = catalogue::find("cold-start").expect("it is in the catalogue");
    let results = Campaign { seeds: Some(5), ..Campaign::new(vec![scenario]) }.run(1, &|_, _| {});
    let dials = |outcome: &connmgr_sim::RunOutcome| outcome.figures.get(Figure::Dials).most;
    let outcomes = &results.scenarios[0].outcomes;
    let worst = outcomes.iter().max_by_key(|outcome| dials(outcome)).expect("there are five");
    let cells = format!("<td>{}</td><td>{}</td>", dials(worst).expect("there are some"), worst.seed);
    assert!(worst.seed > 1, "nothing is tried if the first is the greatest");
    assert!(report::campaign(&results, "again").contains(&cells), "{cells}");
}

/// A trace of a manager that was told to keep a peer.
fn trace() -> Vec<u8> {
    let (rng_seed, unix, now) = ([7; 32], UnixTime::from_secs(1_700_000_000), Time::from_secs(3));
    let config = Config::default();
    let birth = Birth { config, snapshot: None, rng_seed, unix, now };
    let mut manager = ConnManager::new(birth.clone()).expect("the default is sound");
    let dir = tempfile::tempdir().expect("there is room");
    let path = dir.path().join("trace");
    let mut writer = TraceWriter::create(&path, &birth, None).expect("there is room");
    let address = "192.0.2.1:8333".parse().expect("an address");
    for (at, input) in [(4, Input::AddPeer { peer: AddedPeer::new(address) }), (60, Input::Timeout)] {
        let now = Time::from_secs(at);
        let reply = manager.apply(&input, now);
        writer.step(now, &input, &reply).expect("there is room");
        while let Some(action) = manager.poll_action() {
            writer.action(&action).expect("there is room");
        }
    }
    writer.flush().expect("there is room");
    std::fs::read(path).expect("it was just written")
}

#[test]
fn a_trace_becomes_a_page() {
    let trace = trace();
    let page = report::trace("<b>", TraceReader::new(&*trace).expect("a trace"), "again").expect("a page");
    assert!(page.contains("192.0.2.1:8333 added p1"), "the kind of a dial comes from the manager");
    assert!(page.contains("byte for byte"));
    assert!(!page.contains("Faults of the simulated world"), "nothing is known of faults in a real one");
    assert!(!page.contains("<b>"));
}

#[test]
fn a_trace_that_is_cut_off_becomes_a_page_that_says_so() {
    let mut trace = trace();
    trace.truncate(trace.len() - 3);
    let page = report::trace("cut", TraceReader::new(&*trace).expect("a trace"), "again").expect("a page");
    assert!(page.contains("The last line is cut off."));
}

#[test]
fn a_trace_that_goes_another_way_becomes_a_page_that_marks_what_differs() {
    let text = String::from_utf8(trace()).expect("it is JSON");
    // The second action is said to be another.
    let action = text.lines().filter(|line| line.contains("\"action\"")).nth(1).expect("it did several things");
    let other = text.replacen(action, r#"{"action":{"close":{"conn":"1","reason":"late"}}}"#, 1);
    let page = report::trace("other", TraceReader::new(other.as_bytes()).expect("a trace"), "again").expect("a page");
    assert!(page.contains("the replay went another way"));
    assert!(page.contains("► c1"), "what a difference names is marked");
}
