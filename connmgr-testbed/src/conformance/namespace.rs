//! A network namespace without root: loopback alone, and a resolver that asks there.

use std::env;
use std::fs;
use std::process::{Command, Stdio};

/// Set inside the namespace.
const INSIDE: &str = "CONNMGR_NAMESPACE";

/// Prepares the namespace, and then runs the command.
const ENTER: &str = r#"ip link set lo up && mount --bind "$1" /etc/resolv.conf && shift && exec "$@""#;

/// The resolver gives up after 5 s.
const RESOLV_CONF: &str = "nameserver 127.0.0.1\noptions timeout:5 attempts:1\n";

/// Whether this process is in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Namespace {
    /// Inside: go on.
    Inside,
    /// Outside: this process was run again inside, and succeeded.
    Done,
    /// Outside, and this machine allows no namespace.
    Unavailable,
}

impl Namespace {
    /// Runs this process again inside, with the same arguments, unless it is inside already.
    ///
    /// # Panics
    /// When the process inside failed.
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
