//! The command as people use it: what it prints first, what it returns, and that it says the same twice.
#![cfg(feature = "cli")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A small world: one manager, a peer it was told to keep, ten minutes.
const SMALL: &str = r#"
version = 1
name = "small"
about = "One peer."
duration = "10m"

[node]
base = "plain"

[[hosts]]
name = "honest"
count = 3

[[peers]]
of = "honest"
count = 2
"#;

fn sim(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_connmgr-sim")).args(words).output().expect("the program is there")
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("the program writes UTF-8")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("nobody killed it")
}

/// The small world with more in it, in a file.
fn file(dir: &Path, more: &str) -> String {
    let path = dir.join("small.toml");
    let limits = if more.contains("node.limits") { "" } else { "[node.limits]\nfull = 0\ntotal = 8\n" };
    std::fs::write(&path, SMALL.to_owned() + more + limits).expect("the directory is ours");
    path.to_str().expect("a name of ours").to_owned()
}

fn dir() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is room")
}

#[test]
fn the_first_line_holds_the_seed_and_the_command_that_gives_the_same_again() {
    let dir = dir();
    let file = file(dir.path(), "");
    let output = sim(&["run", &file, "--seed", "7"]);
    assert_eq!(code(&output), 0, "{}", text(&output));
    let first = text(&output).lines().next().expect("a line").to_owned();
    assert_eq!(first, format!("seed 7: connmgr-sim run {file} --seed 7"));
    let words: Vec<String> = first.split_whitespace().skip(3).map(str::to_owned).collect();
    let again = sim(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let digest = |output: &Output| text(output).lines().find(|line| line.starts_with("digest")).map(str::to_owned);
    assert_eq!(digest(&again), digest(&output));
}

/// As with `| head -1`.
#[test]
fn whoever_stops_to_listen_gets_the_page_all_the_same() {
    let dir = dir();
    let page = dir.path().join("page.html");
    let mut program = Command::new(env!("CARGO_BIN_EXE_connmgr-sim"));
    program.args(["run", "cold-start", "--report"]).arg(&page).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().expect("the program is there");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((code(&output), String::from_utf8_lossy(&output.stderr).as_ref()), (0, ""));
    assert!(page.exists());
}

#[test]
fn each_sort_of_failure_has_an_exit_code() {
    for (more, expected) in [
        ("[expect]\nbounds = [{ of = \"dials\", max = 0 }]\n", 14),
        // There are not as many hosts as are wanted.
        ("[expect]\nfull-within = \"1m\"\n[node.limits]\nfull = 4\ntotal = 8\n", 11),
    ] {
        let dir = dir();
        let output = sim(&["run", &file(dir.path(), more)]);
        assert_eq!(code(&output), expected, "{}", text(&output));
    }
    let dir = dir();
    let file = file(dir.path(), "[expect]\nprobes = [\"ban\"]\n");
    let output = sim(&["campaign", &file, "--seeds", "2"]);
    assert_eq!(code(&output), 13, "{}", text(&output));
    for wrong in [&["run", "no-such-scenario"][..], &["run", "cold-start", "--seed", "x"], &["frobnicate"]] {
        assert_eq!(code(&sim(wrong)), 2, "{wrong:?}");
    }
}

/// After hours of work the answer is worth more than the page.
#[test]
fn a_page_that_cannot_be_written_does_not_cost_the_answer() {
    let dir = dir();
    let file = file(dir.path(), "[expect]\nbounds = [{ of = \"dials\", max = 0 }]\n");
    let [saved, nowhere] = ["saved.toml", "nowhere/page.html"]
        .map(|name| dir.path().join(name).to_str().expect("a name of ours").to_owned());
    assert_eq!(code(&sim(&["run", &file, "--save", &saved])), 14);
    for (command, answer) in [
        (["run", &*file, "--report", &*nowhere], "FAILED"),
        (["campaign", &file, "--out", &nowhere], "digest"),
        (["campaign", &file, "--report", &nowhere], "digest"),
        (["replay", &saved, "--report", &nowhere], "as it was saved"),
    ] {
        let output = sim(&command);
        assert_eq!(code(&output), 1, "{}", text(&output));
        assert!(text(&output).contains(answer), "{}", text(&output));
        assert!(String::from_utf8_lossy(&output.stderr).contains(&nowhere));
    }
}

#[test]
fn what_is_mistyped_is_told_with_what_there_is() {
    for (command, told) in [
        (&["run", "cold-strt"][..], "did you mean `cold-start`?"),
        (&["replay", "lost.trace"], "neither a scenario nor a file `lost.trace`"),
        (&["sweep", "outage", "--param", "a", "--values", "1", "--figure", "luck"], "there are seconds-to-target, "),
        (&["campaign", "--jobs", "0"], "at least 1"),
    ] {
        let said = String::from_utf8_lossy(&sim(command).stderr).into_owned();
        assert!(said.contains(told), "{said}");
    }
}

#[test]
fn a_campaign_says_the_same_whoever_works_at_it() {
    let dir = dir();
    let file = file(dir.path(), "");
    let campaign = |jobs: &str| text(&sim(&["campaign", &file, "--seeds", "5", "--jobs", jobs]));
    let alone = campaign("1");
    assert!(alone.contains("5 runs"), "{alone}");
    assert_eq!(alone, campaign("2"));
}

#[test]
fn random_worlds_are_run_and_named_like_scenarios() {
    let campaign = |jobs: &str| sim(&["campaign", "--random", "20", "--first-seed", "5", "--jobs", jobs]);
    let alone = campaign("1");
    let said = text(&alone);
    assert!(said.starts_with("seeds from 5: connmgr-sim campaign --random 20 --first-seed 5\n"), "{said}");
    assert!(said.contains("20 runs"), "{said}");
    assert_eq!(said, text(&campaign("2")));
    let world = text(&sim(&["scenarios", "random:7"]));
    assert_eq!(connmgr_sim::Scenario::parse(&world), Ok(connmgr_sim::scenario::random::scenario(7)));
    let run = sim(&["run", "random:7", "--seed", "7"]);
    assert!(text(&run).starts_with("seed 7: connmgr-sim run random:7 --seed 7\n"), "{}", text(&run));
    for wrong in [&["run", "random:x"][..], &["campaign", "--random", "2", "outage"], &["campaign", "--random", "0"]] {
        assert_eq!(code(&sim(wrong)), 2, "{wrong:?}");
    }
}

#[test]
fn ours_is_shown_beside_plain_policies() {
    let dir = dir();
    let file = file(dir.path(), "");
    let output = sim(&["rivals", &file, "--seed", "3"]);
    let said = text(&output);
    assert_eq!(code(&output), 0, "{said}");
    assert!(said.starts_with(&format!("seed 3: connmgr-sim rivals {file} --seed 3\nall promises kept\n")), "{said}");
    for name in ["ours", "N at a time", "one at a time", "core-like", "btcd-like"] {
        assert!(said.lines().any(|line| line.starts_with(name) && line.contains("2 dials")), "{name}: {said}");
    }
    let short = text(&sim(&["rivals", &file, "--seed", "3", "--no-table"]));
    assert_eq!(short.lines().skip(1).collect::<Vec<_>>(), ["all promises kept"]);
}

#[test]
fn shards_put_together_say_what_the_whole_says() {
    let dir = dir();
    let file = file(dir.path(), "[expect]\nprobes = [\"ban\"]\n");
    let out = |name: &str| dir.path().join(name).to_str().expect("a name of ours").to_owned();
    for shard in ["0/2", "1/2"] {
        let name = out(&shard[..1]);
        let output = sim(&["campaign", &file, "--seeds", "5", "--shard", shard, "--out", &name]);
        assert_eq!(code(&output), 0, "a part alone promises nothing: {}", text(&output));
    }
    let merged = sim(&["merge", &out("1"), &out("0")]);
    let whole = sim(&["campaign", &file, "--seeds", "5"]);
    assert_eq!((code(&merged), code(&whole)), (13, 13));
    assert_eq!(text(&merged).lines().last(), text(&whole).lines().last());
    assert_eq!(code(&sim(&["merge", &out("0")])), 2, "a part is missing");
}

#[test]
fn a_failure_is_seen_again_by_the_file_of_its_scenario() {
    let dir = tempfile::Builder::new().prefix("my worlds ").tempdir().expect("a temporary directory");
    let file = file(dir.path(), "[expect]\nbounds = [{ of = \"dials\", max = 0 }]\n");
    let [results, page] = ["results", "page"].map(|name| dir.path().join(name).to_str().expect("a name").to_owned());
    let output = sim(&["campaign", &file, "--seeds", "2", "--out", &results]);
    let merged = sim(&["merge", &results, "--report", &page]);
    // As a shell takes it: the name has a space in it.
    let again = format!("connmgr-sim run '{file}' --seed 2");
    assert!(text(&output).contains(&again) && text(&merged).contains(&again), "{}", text(&merged));
    let on_page = || std::fs::read_to_string(&page).expect("a page");
    assert!(on_page().contains(&again));
    sim(&["replay", &file, "--seed", "2", "--report", &page]);
    assert!(on_page().contains(&format!("connmgr-sim replay '{file}' --seed 2")));
}

/// A failure of the canary, saved, in a directory of its own.
fn fallen(dir: &Path) -> String {
    let path = dir.join("fallen.toml").to_str().expect("a name of ours").to_owned();
    let output = sim(&["run", "canary", "--canary", "--save", &path]);
    assert_eq!(code(&output), 10, "{}", text(&output));
    path
}

#[test]
fn a_saved_failure_replays_without_the_catalogue() {
    let dir = dir();
    let output = sim(&["replay", &fallen(dir.path())]);
    assert_eq!(code(&output), 10, "{}", text(&output));
    assert_eq!(text(&output).lines().last(), Some("as it was saved"));
}

#[test]
fn a_failure_shrinks_to_one_that_fails_alike() {
    let dir = dir();
    let out = dir.path().join("small").to_str().expect("a name of ours").to_owned();
    let output = sim(&["shrink", &fallen(dir.path()), "--out", &out]);
    assert_eq!(code(&output), 10, "{}", text(&output));
    let test = std::fs::read_to_string(format!("{out}.rs")).expect("a regression test was written");
    assert!(test.contains("fn canary_in_canary_seed_1()") && test.lines().count() < 40, "{test}");
    let again = sim(&["replay", &format!("{out}.toml")]);
    assert_eq!(text(&again).lines().last(), Some("as it was saved"));
}

#[test]
fn what_keeps_its_promises_does_not_shrink() {
    let dir = dir();
    assert_eq!(code(&sim(&["shrink", &file(dir.path(), "")])), 2);
}

#[test]
fn a_replay_shows_how_the_manager_stood_and_tells_of_a_connection() {
    let dir = dir();
    let output = sim(&["replay", &file(dir.path(), ""), "--at", "1m", "--explain", "c1"]);
    let shown = text(&output);
    assert_eq!(code(&output), 0, "{shown}");
    for part in ["2 connections and dials", "2 added peers", "networks down: none", "dial c1 ", "ready c1"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn two_runs_part_where_their_worlds_do() {
    let dir = dir();
    let file = file(dir.path(), "");
    let same = text(&sim(&["diff", &file]));
    assert!(same.contains("is the same from beginning to end"), "{same}");
    let other = text(&sim(&["diff", &file, "--set", "peers.0.count=1"]));
    assert!(other.contains("they part") && other.contains("add peer"), "{other}");
    assert_eq!(code(&sim(&["diff", &file, "--set", "peers.0.colour=1"])), 2);
}

#[test]
fn the_program_finds_its_own_canary() {
    let dir = dir();
    let output = sim(&["self-test", &file(dir.path(), ""), "--seeds", "2"]);
    assert_eq!(code(&output), 0, "{}", text(&output));
    assert!(text(&output).contains("told again it falls again"), "{}", text(&output));
}
