//! Runs a program until it ends, prints a certain line, or takes too long.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// The address space of a program, in KiB: a broken one may allocate without end.
const MEMORY_KIB: u32 = 8 * 1024 * 1024;

/// How a run ended.
#[derive(Debug)]
pub(crate) enum WatchEnd {
    /// It printed a sign, and was stopped.
    Sign(String),
    /// It ended by itself, with this last line.
    Exit(ExitStatus, String),
    /// It was stopped because it took too long.
    TimedOut,
}

/// Runs a program in a directory until it ends, prints a sign, or exceeds the limit. Returns how it ended and how long it
/// took.
///
/// # Errors
/// It can't be started.
pub(crate) fn run(
    program: &Path,
    arguments: &[String],
    directory: &Path,
    limit: Duration,
    sign: impl Fn(&str) -> Option<String>,
) -> Result<(WatchEnd, Duration)> {
    let began = Instant::now();
    let mut child = Command::new("sh")
        .args(["-c", &format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\"")])
        .arg(program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| program.display().to_string())?;
    let lines = lines(&mut child);
    let end = watch(&mut child, &lines, began + limit, sign);
    // Killing a program that has ended is no error.
    child.kill()?;
    child.wait()?;
    Ok((end?, began.elapsed()))
}

fn watch(
    child: &mut Child,
    lines: &Receiver<String>,
    until: Instant,
    sign: impl Fn(&str) -> Option<String>,
) -> Result<WatchEnd> {
    let mut last = String::new();
    loop {
        match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                if let Some(said) = sign(&line) {
                    return Ok(WatchEnd::Sign(said));
                }
                if !line.trim().is_empty() {
                    last = line;
                }
            }
            Err(RecvTimeoutError::Timeout) => return Ok(WatchEnd::TimedOut),
            Err(RecvTimeoutError::Disconnected) => return Ok(WatchEnd::Exit(child.wait()?, last)),
        }
    }
}

/// The lines of a program's outputs, until it closes both.
fn lines(child: &mut Child) -> Receiver<String> {
    let (to, from) = channel();
    read(child.stdout.take().expect("it is piped"), to.clone());
    read(child.stderr.take().expect("it is piped"), to);
    from
}

fn read(output: impl Read + Send + 'static, to: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            if to.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> WatchEnd {
        let arguments = ["-c".to_owned(), script.to_owned()];
        let sign = |line: &str| line.strip_prefix("sign ").map(str::to_owned);
        run(Path::new("sh"), &arguments, Path::new("."), limit, sign).expect("there is a shell").0
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_sign_stops_it() {
        let end = shell("echo a; echo sign b >&2; exec sleep 600", LONG);
        assert!(matches!(&end, WatchEnd::Sign(said) if said == "b"), "{end:?}");
    }

    #[test]
    fn an_end_tells_the_last_line() {
        let end = shell("echo a; echo; exit 3", LONG);
        assert!(matches!(&end, WatchEnd::Exit(status, last) if status.code() == Some(3) && last == "a"), "{end:?}");
    }

    #[test]
    fn its_time_is_bounded() {
        let end = shell("exec sleep 600", Duration::from_millis(50));
        assert!(matches!(end, WatchEnd::TimedOut), "{end:?}");
    }
}
