//! A network of one's own, in which nobody needs to be root: only loopback, and a resolver that asks there.

use std::env;
use std::fs;
use std::process::{Command, Stdio};

/// Set where there is one.
const INSIDE: &str = "CONNMGR_NAMESPACE";

/// What is done in it first; then, what is to be run there.
const ENTER: &str = r#"ip link set lo up && mount --bind "$1" /etc/resolv.conf && shift && exec "$@""#;

/// The resolver gives up by itself in the end.
const RESOLV_CONF: &str = "nameserver 127.0.0.1\noptions timeout:5 attempts:1\n";

/// Where we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Namespace {
    /// Inside: go on.
    Inside,
    /// Outside: this process was run again, inside, and went well.
    Done,
    /// Outside, and there is no way in on this machine.
    Unavailable,
}

impl Namespace {
    /// Runs this process again, with the same arguments, inside; unless it is.
    ///
    /// # Panics
    /// When it did not go well there.
    pub(super) fn enter() -> Self {
        if env::var_os(INSIDE).is_some() {
            return Self::Inside;
        }
        let dir = tempfile::tempdir().expect("a directory");
        let resolv_conf = dir.path().join("resolv.conf");
        fs::write(&resolv_conf, RESOLV_CONF).expect("it is ours");
        let inside = |command: &[std::ffi::OsString]| {
            let mut unshare = Command::new("unshare");
            unshare.args(["--user", "--map-root-user", "--mount", "--net", "sh", "-c", ENTER, "sh"]);
            unshare.arg(&resolv_conf).args(command);
            unshare.env(INSIDE, "1").env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
            unshare
        };
        let tried = inside(&["true".into()]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !tried.is_ok_and(|status| status.success()) {
            return Self::Unavailable;
        }
        let arguments: Vec<_> = env::args_os().collect();
        let status = inside(&arguments).status().expect("it was just tried");
        assert!(status.success(), "{status}");
        Self::Done
    }
}
