//! How the program ends: at signals, and where its output can't be written.

#![cfg(target_os = "linux")]

#[macro_use]
mod support;

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use connmgr_node::world::behavior::PeerBehavior;
use connmgr_node::world::{LoopbackWorld, WorldConfig};
use rustix::process::Signal;
use support::program::{Program, command, command_with_signals, run, signal};
use support::{Runtime, soon};

on_each_runtime! {
    each_signal_ends_it_in_order_and_saves_its_state,
    a_closed_terminal_is_nothing_to_who_was_started_to_outlive_it,
    a_report_that_can_not_be_written_is_told_of,
}

/// A node on the loopback world's entry, with a directory for its state.
async fn started(command: impl FnOnce(&str) -> Program, world: &LoopbackWorld, dir: &Path) -> Program {
    let peer = world.addresses(PeerBehavior::Good).next().expect("on stage");
    let mut program = command(&format!("--chain regtest --add {peer} --state-dir {}", dir.display()));
    program.hear_text("headers up to ").await;
    program
}

fn world() -> LoopbackWorld {
    LoopbackWorld::start(&WorldConfig::default()).expect("loopback")
}

async fn each_signal_ends_it_in_order_and_saves_its_state(runtime: Runtime) {
    let world = world();
    for number in [Signal::HUP, Signal::TERM, Signal::INT] {
        let dir = tempfile::tempdir().expect("a directory");
        let with_signals = |words: &str| Program::spawn(command_with_signals(runtime, words));
        let program = started(with_signals, &world, dir.path()).await;
        signal(program.pid(), number);
        let ended = program.end().await;
        assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""), "{number:?}");
        assert!(dir.path().join("peers.dat").exists(), "{number:?}");
    }
}

async fn a_closed_terminal_is_nothing_to_who_was_started_to_outlive_it(runtime: Runtime) {
    let (world, dir) = (world(), tempfile::tempdir().expect("a directory"));
    let nohup = |words: &str| {
        let node = command(runtime, words);
        let mut shell = tokio::process::Command::new("sh");
        shell.args(["-c", r#"trap "" HUP; exec "$0" "$@""#]).arg(node.as_std().get_program());
        shell.args(node.as_std().get_args()).kill_on_drop(true);
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Program::spawn(shell)
    };
    let mut program = started(nohup, &world, dir.path()).await;
    signal(program.pid(), Signal::HUP);
    let heard = serde_json::Value::from(program.listen_for(Duration::from_millis(500)).await).to_string();
    assert!(!heard.contains("stopping"), "{heard}");
    program.interrupt();
    assert_eq!(program.end().await.code, Some(0));
}

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").expect("Linux has it").into()
}

fn closed() -> Stdio {
    let (_reader, out) = UnixStream::pair().expect("two sockets");
    OwnedFd::from(out).into()
}

/// Runs with this standard output. Returns the exit code and standard error.
async fn run_into(out: Stdio, runtime: Runtime, words: &str) -> (Option<i32>, String) {
    let child = command(runtime, words).stdout(out).spawn().expect("it starts");
    let output = soon("the end", child.wait_with_output()).await.expect("it ends");
    (output.status.code(), String::from_utf8(output.stderr).expect("text"))
}

async fn a_report_that_can_not_be_written_is_told_of(runtime: Runtime) {
    for (out, why) in [(full(), "No space left"), (closed(), "Broken pipe")] {
        let (code, errors) = run_into(out, runtime, "--chain regtest --outbound 0 --for 100ms").await;
        assert_eq!(code, Some(0));
        assert!(errors.starts_with("warning: the report could not be written: ") && errors.contains(why), "{errors}");
    }
}

#[tokio::test]
async fn a_result_that_can_not_be_written_is_an_error_in_a_sentence() {
    let dir = tempfile::tempdir().expect("a directory");
    let trace = dir.path().join("trace");
    run(Runtime::Tokio, &format!("--chain regtest --outbound 0 --for 100ms --trace {}", trace.display())).await;
    let replay = format!("--replay {}", trace.display());
    for words in [&replay, &format!("{replay} --json"), "--help", "--version"] {
        for (out, why) in [(full(), "No space left"), (closed(), "Broken pipe")] {
            let (code, errors) = run_into(out, Runtime::Tokio, words).await;
            assert_eq!((code, errors.lines().count()), (Some(1), 1), "{words}: {errors}");
            assert!(errors.contains("can't be written: ") && errors.contains(why), "{words}: {errors}");
        }
    }
}

#[tokio::test]
async fn errors_that_can_not_be_written_change_no_exit_code() {
    for (words, code) in [("--chain moon", 2), ("--replay /dev/null", 1), ("--connect 127.0.0.1:1 --for 1ms", 1)] {
        let mut command = command(Runtime::Tokio, words);
        let status = soon("the end", command.stdout(full()).stderr(full()).status()).await.expect("it starts");
        assert_eq!(status.code(), Some(code), "{words}");
    }
}
