//! The program as its user runs it: the little world on loopback, Ctrl-C, wrong options, traces and state.

#![cfg(unix)]

#[macro_use]
mod support;

use std::path::Path;
use std::time::Duration;

use connmgr_node::world::behavior::PeerBehavior;
use connmgr_node::world::{LoopbackWorld, WorldConfig};
use connmgr_std::TraceReader;
use connmgr_testbed::peers::free_port;
use serde_json::{Value, json};
use support::program::{Program, replay_byte_for_byte, run};
use support::{Runtime, settled};

on_each_runtime! {
    without_a_network_it_reaches_its_target_in_its_little_world,
    ctrl_c_closes_everything_and_is_no_failure,
    ctrl_c_before_anything_was_reached_is_no_failure_either,
    a_target_that_was_never_reached_is_a_failure,
    what_can_not_be_done_names_the_option,
    what_was_told_before_an_error_is_written,
    a_recorded_run_goes_the_same_way_again_byte_for_byte,
    a_run_that_goes_another_way_says_where,
    #[cfg(target_os = "linux")]
    with_a_table_in_which_all_are_one_system_one_of_them_is_connected,
    what_was_learnt_is_there_at_the_next_run,
    a_second_process_on_the_same_state_is_told_so,
    #[cfg(target_os = "linux")]
    a_world_out_of_reach_costs_next_to_nothing,
    one_node_dials_another,
    a_node_told_to_connect_to_itself_says_so,
    a_node_that_meets_itself_says_so_and_reaches_no_target,
    after_half_a_minute_a_node_says_why_its_target_is_not_reached,
    a_wanted_peer_that_sends_garbage_is_closed_and_not_banned,
    a_ban_of_the_only_peer_keeps_no_node_from_starting,
    addresses_travel_from_peer_to_node_to_node,
}

async fn without_a_network_it_reaches_its_target_in_its_little_world(runtime: Runtime) {
    let ended = Program::start(runtime, "--for 12s").end().await;
    let summary = &ended.summary;
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""), "{summary}");
    assert!(summary["time_to_target_ms"].is_u64(), "{summary}");
    assert_eq!((&summary["target"], &summary["height"]), (&json!(10), &json!(150)));
    assert_eq!(summary["world"].as_array().map(Vec::len), Some(10));
}

async fn ctrl_c_closes_everything_and_is_no_failure(runtime: Runtime) {
    let (dir, world) = (tempfile::tempdir().expect("a directory"), world());
    let trace = dir.path().join("trace");
    // These stay as long as we do: what ends is ended by us.
    let peers: Vec<_> = world.addresses(PeerBehavior::Good).take(10).collect();
    let connect: String = peers.iter().map(|peer| format!(" --connect {peer}")).collect();
    let mut program = Program::start(runtime, &format!("--chain regtest{connect} --trace {}", trace.display()));
    program.hear_text("target reached: 10 of 10").await;
    assert_eq!(settled(&world, PeerBehavior::Good, |row| row.ready == 10).await.live, 10);

    program.interrupt();
    let ended = program.end().await;
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
    let summary = &ended.summary;
    assert_eq!((&summary["live"], &summary["on_target"], &summary["ended"]), (&json!(10), &json!(10), &json!(0)));

    assert_eq!(closed_by_us(&trace), ["shutdown"; 10]);
    let row = settled(&world, PeerBehavior::Good, |row| row.live == 0).await;
    assert_eq!((row.accepted, row.ready), (10, 10), "and nobody was dialed again");
}

/// Why the manager closed connections, in the order in which it did.
fn closed_by_us(trace: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(trace).expect("a trace");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.filter_map(|line| line["action"]["close"]["reason"].as_str().map(str::to_string)).collect()
}

async fn ctrl_c_before_anything_was_reached_is_no_failure_either(runtime: Runtime) {
    let mut program = Program::start(runtime, "--chain regtest --connect [2001:db8::1]");
    program.hear_text("added").await;
    program.interrupt();
    assert_eq!(program.end().await.code, Some(0));
}

async fn a_target_that_was_never_reached_is_a_failure(runtime: Runtime) {
    let (code, told, errors) = run(runtime, "--chain regtest --connect 127.0.0.1:1 --for 300ms").await;
    assert_eq!((code, errors.as_str()), (Some(1), "error: the target was never reached\n"));
    assert!(told.contains("0 of 1 wanted, never reached"), "{told}");
}

async fn what_can_not_be_done_names_the_option(runtime: Runtime) {
    for (words, option, why) in [
        ("--listen 198.51.100.1:1", "--listen", "can't listen on 198.51.100.1:1"),
        ("--state-dir /dev/null/x", "--state-dir", "/dev/null/x"),
        ("--trace /dev/null/x", "--trace", "/dev/null/x"),
        ("--add 127.0.0.1:1 --add 127.0.0.1:1 --chain regtest", "--add", "added already"),
        ("--outbound 2000000 --max-peers 1000000", "--outbound", "at most --max-peers, 1000000"),
        ("--chain regtest --add a.onion", "--add", "onion"),
        ("--chain regtest --connect 1.2.3.4:0", "--connect", "port 0"),
        ("--listen 7 --listen 7", "--listen", "given twice"),
        ("--trace /dev/null", "--trace", "it exists and is not overwritten: remove it, or name another file"),
        ("--replay /dev/null", "--replay", "does not begin with a birth: it is no trace of this program"),
        ("--replay /proc/self/status", "--replay", "it is no trace of this program"),
        ("--replay /nowhere", "--replay", "No such file"),
        ("--asmap /nowhere", "--asmap /nowhere", "No such file"),
        ("--asmap /dev/null", "--asmap", "it is empty"),
        ("--asmap /etc/passwd", "--asmap", "line 1: expected a prefix and a number"),
        ("--replay /nowhere --asmap /nowhere", "--replay", "No such file"),
    ] {
        let (code, _, errors) = run(runtime, words).await;
        assert!(code.is_some_and(|code| code > 0), "{words}");
        assert!(errors.contains(option) && errors.contains(why), "{words}: {errors}");
    }
}

async fn what_was_told_before_an_error_is_written(runtime: Runtime) {
    let (_, told, _) = run(runtime, "--chain regtest --add 127.0.0.1:1 --add 127.0.0.1:1").await;
    assert!(told.contains("added p1: 127.0.0.1:1\n"), "{told}");
}

async fn a_recorded_run_goes_the_same_way_again_byte_for_byte(runtime: Runtime) {
    let dir = tempfile::tempdir().expect("a directory");
    let trace = dir.path().join("trace");
    let words = format!("--trace {} --seed-rng {}", trace.display(), "07".repeat(32));
    let mut program = Program::start(runtime, &words);
    program.hear_text("target reached").await;
    program.interrupt();
    assert_eq!(program.end().await.code, Some(0));

    assert!(replay_byte_for_byte(&trace) > 30);
    let birth = TraceReader::open(&trace).expect("a trace").birth().clone();
    assert_eq!(birth.rng_seed, [7; 32]);

    let (code, told, errors) = run(runtime, &format!("--replay {}", trace.display())).await;
    assert_eq!(code, Some(0), "{errors}");
    assert!(told.contains("all as recorded"), "{told}");
}

/// On Linux each peer of the little world is in a group of its own, by its prefix.
#[cfg(target_os = "linux")]
async fn with_a_table_in_which_all_are_one_system_one_of_them_is_connected(runtime: Runtime) {
    let dir = tempfile::tempdir().expect("a directory");
    let (trace, table, other) = (dir.path().join("trace"), dir.path().join("table"), dir.path().join("other"));
    std::fs::write(&table, "127.0.0.0/8 AS64500 # this machine").expect("written");
    std::fs::write(&other, "127.0.0.0/8 AS64501").expect("written");
    let words = format!("--asmap {} --trace {}", table.display(), trace.display());
    let mut program = Program::start(runtime, &words);
    program.hear_text("a group is an autonomous system: 1 range of 1 autonomous system (digest").await;
    program.listen_for(Duration::from_secs(3)).await;
    program.interrupt();
    let summary = program.end().await.summary;
    // One of the book, and the entry, which is an added peer.
    assert!(summary["live"].as_u64().is_some_and(|live| (1..=2).contains(&live)), "{summary}");

    let replay = format!("--replay {}", trace.display());
    let (code, _, errors) = run(runtime, &replay).await;
    assert!(code == Some(1) && errors.contains("was not supplied") && errors.contains("--asmap FILE"), "{errors}");
    let (code, _, errors) = run(runtime, &format!("{replay} --asmap {}", other.display())).await;
    assert!(code == Some(1) && errors.contains("made with 1 range of 1 autonomous system "), "{errors}");
    let (code, told, errors) = run(runtime, &format!("{replay} --asmap {}", table.display())).await;
    assert_eq!((code, told.contains("all as recorded")), (Some(0), true), "{errors}");
}

async fn a_run_that_goes_another_way_says_where(runtime: Runtime) {
    let dir = tempfile::tempdir().expect("a directory");
    let trace = dir.path().join("trace");
    let words = format!("--trace {} --chain regtest --connect 127.0.0.1:1 --for 100ms", trace.display());
    run(runtime, &words).await;
    let other = std::fs::read_to_string(&trace).expect("a trace").replacen("127.0.0.1:1", "127.0.0.1:2", 1);
    let dial = 1 + other.lines().position(|line| line.starts_with(r#"{"action":{"dial""#)).expect("a dial");
    std::fs::write(&trace, other).expect("written");
    let (code, _, errors) = run(runtime, &format!("--replay {}", trace.display())).await;
    assert_eq!(code, Some(1));
    assert!(errors.contains(&format!("line {dial}: did")), "{errors}");
}

async fn what_was_learnt_is_there_at_the_next_run(runtime: Runtime) {
    let dir = tempfile::tempdir().expect("a directory");
    let (state, trace) = (dir.path().join("state"), dir.path().join("trace"));
    let first = Program::start(runtime, &format!("--for 1s --state-dir {}", state.display())).end().await;
    assert!(first.summary["bans"].is_u64(), "{}", first.errors);

    let words = format!("--chain regtest --for 100ms --state-dir {} --trace {}", state.display(), trace.display());
    run(runtime, &words).await;
    let birth = TraceReader::open(&trace).expect("a trace").birth().clone();
    assert!(birth.snapshot.expect("what was saved").addresses.len() >= 20);
}

async fn a_second_process_on_the_same_state_is_told_so(runtime: Runtime) {
    let dir = tempfile::tempdir().expect("a directory");
    let words = format!("--chain regtest --outbound 0 --state-dir {}", dir.path().display());
    let mut first = Program::start(runtime, &words);
    first.hear_text("joining").await;
    let (code, _, errors) = run(runtime, &format!("{words} --for 1s")).await;
    assert_eq!(code, Some(1));
    assert!(errors.contains("--state-dir"), "{errors}");
}

#[cfg(target_os = "linux")]
async fn a_world_out_of_reach_costs_next_to_nothing(runtime: Runtime) {
    let pid_time = support::program::processor_time;
    let mut program = Program::start(runtime, support::OUT_OF_REACH);
    program.hear_text("added").await;
    program.listen_for(Duration::from_secs(1)).await;
    let before = pid_time(program.pid());
    let said = program.listen_for(Duration::from_secs(5)).await;
    let used = pid_time(program.pid()).saturating_sub(before);
    assert!(used <= Duration::from_millis(50), "{used:?} of 5 s");
    assert!(said.len() < 100, "{} lines in 5 s", said.len());
}

async fn one_node_dials_another(runtime: Runtime) {
    let mut host = Program::start(runtime, "--chain regtest --outbound 0 --listen 127.0.0.1:0");
    let listening = host.hear_text("listening on ").await;
    let address = listening.trim_start_matches("listening on ");
    let guest = Program::start(runtime, &format!("--chain regtest --for 1s --connect {address}")).end().await;
    assert_eq!((guest.code, &guest.summary["ready"]), (Some(0), &json!(1)), "{}", guest.summary);
    assert_eq!(host.hear_event("connected").await["kind"], json!("inbound"));
    assert!(host.hear_text("ready: ").await.contains("connmgr-node"));
    host.hear_event("disconnected").await;
}

/// A port that nobody has at present.
async fn a_node_told_to_connect_to_itself_says_so(runtime: Runtime) {
    // Who listens on all interfaces has every address of the machine.
    for host in ["127.0.0.1", "0.0.0.0"] {
        let port = free_port();
        let words = format!("--chain regtest --listen {host}:{port} --connect 127.0.0.1:{port}");
        let (code, told, errors) = run(runtime, &words).await;
        assert_eq!(code, Some(1));
        assert_eq!(errors, format!("error: --connect 127.0.0.1:{port}: the address is our own\n"));
        assert!(!told.contains("target reached"), "{told}");
    }
}

/// As behind a router that forwards a port: only the nonce tells.
async fn a_node_that_meets_itself_says_so_and_reaches_no_target(runtime: Runtime) {
    let (port, router) = (free_port(), tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback"));
    let outside = router.local_addr().expect("it is bound");
    let forward = tokio::spawn(async move {
        while let Ok((mut from, _)) = router.accept().await {
            let Ok(mut to) = tokio::net::TcpStream::connect(("127.0.0.1", port)).await else { continue };
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut from, &mut to).await });
        }
    });
    let words = format!("--chain regtest --for 2s --listen 127.0.0.1:{port} --connect {outside}");
    let (code, told, errors) = run(runtime, &words).await;
    forward.abort();
    assert_eq!((code, errors.as_str()), (Some(1), "error: the target was never reached\n"));
    assert!(told.contains(&format!("{outside} is this node itself: name another node")), "{told}");
    assert!(told.contains("reached ourselves") && !told.contains("target reached"), "{told}");
}

async fn after_half_a_minute_a_node_says_why_its_target_is_not_reached(runtime: Runtime) {
    let words = format!("--chain regtest --connect 127.0.0.1:{}", free_port());
    let mut program = Program::start(runtime, &words);
    tokio::time::sleep(Duration::from_secs(25)).await;
    let told = program.hear_text("after 30 s").await;
    assert_eq!(told, "after 30 s 0 of 1 connections are ready. Why:");
    let why = program.hear_text("- ").await;
    assert!(why.contains("not reached: connection refused; "), "{why}");
    // Half a minute may be the very moment of a retry.
    assert!(why.contains("; dialed again in ") || why.contains("; it is being dialed now"), "{why}");
    assert!(why.ends_with("Does it run, and listen on this port?"), "{why}");
    program.interrupt();
    let ended = program.end().await;
    assert!(!ended.lines.iter().any(|line| line["text"].as_str().is_some_and(|text| text.starts_with("after 30 s"))));
}

fn world() -> LoopbackWorld {
    LoopbackWorld::start(&WorldConfig::default()).expect("loopback")
}

/// Who has one peer must not lose it for a day.
async fn a_wanted_peer_that_sends_garbage_is_closed_and_not_banned(runtime: Runtime) {
    let world = world();
    let garbage = world.addresses(PeerBehavior::Garbage).next().expect("one in the cast");
    let mut program = Program::start(runtime, &format!("--chain regtest --connect {garbage}"));
    program.hear_text("misbehaves: ").await;
    let told = program.hear("its end", |line| {
        let event = &line["event"];
        (event.get("banned").is_some() || event.get("disconnected").is_some()).then(|| event.clone())
    });
    assert_eq!(told.await["disconnected"]["reason"]["ours"], json!("misbehaved"));
    program.hear_event("connected").await;
}

async fn addresses_travel_from_peer_to_node_to_node(runtime: Runtime) {
    let world = world();
    let listen = "--chain regtest --outbound 0 --listen 127.0.0.1:0";
    let mut host = Program::start(runtime, &format!("{listen} --add {}", world.entry()));
    let listening = host.hear_text("listening on ").await;
    // Asked for after the addresses, so they are here, too.
    host.hear_text("headers up to ").await;

    let address = listening.trim_start_matches("listening on ");
    let mut guest = Program::start(runtime, &format!("--chain regtest --add {address}"));
    guest
        .hear("a peer that it was told of", |line| (line["event"]["connected"]["kind"] == json!("full")).then_some(()))
        .await;
}

async fn a_ban_of_the_only_peer_keeps_no_node_from_starting(runtime: Runtime) {
    let (dir, world) = (tempfile::tempdir().expect("a directory"), world());
    let peer = world.addresses(PeerBehavior::Good).next().expect("on stage");
    let file = dir.path().join("bans.json");
    let ends = std::time::SystemTime::now() + Duration::from_secs(2);
    let ends = ends.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let bans = json!({ "version": 1, "bans": [{ "target": peer.ip().to_string(), "until": ends }] });
    std::fs::write(&file, bans.to_string()).expect("written");

    let words = format!("--chain regtest --connect {peer} --state-dir {}", dir.path().display());
    let mut program = Program::start(runtime, &words);
    let text = program.hear_text(&format!("{peer} is wanted but banned until ")).await;
    assert!(text.contains(&format!("remove {} from {}", peer.ip(), file.display())), "{text}");
    program.hear_text("target reached: 1 of 1").await;
}
