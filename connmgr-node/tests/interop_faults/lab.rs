//! Two network namespaces and the link between them, and faults of that link.
//!
//! One namespace is the node's. The other is the rest of the world: all of 20.0.0.0/8 and 2a00::/16 is there, on one
//! interface, so a single listener is a peer at every address. Faults are real: the kernel's packet filter drops or
//! resets, and the interface goes down. Read first: `ip-netns(8)`, `nft(8)`; "AnyIP" in `ip-route(8)` under `local`.
//!
//! Run by `.ci/interop-faults`, which gives the names a prefix and removes what is left over.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The environment variable with the prefix of namespace names.
const PREFIX: &str = "CONNMGR_NETNS";

/// A pair of namespaces, removed when dropped.
#[derive(Debug)]
pub(crate) struct Lab {
    node: String,
    world: String,
}

impl Lab {
    /// Makes the two namespaces, connected.
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let prefix = std::env::var(PREFIX).unwrap_or_else(|_| panic!("{PREFIX} is not set: run .ci/interop-faults"));
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let lab = Self { node: format!("{prefix}-{number}n"), world: format!("{prefix}-{number}w") };
        lab.build();
        lab
    }

    fn build(&self) {
        let Self { node, world } = self;
        for name in [node, world] {
            ip(&format!("netns add {name}"));
            ip(&format!("-n {name} link set lo up"));
        }
        ip(&format!("link add cable netns {node} type veth peer name cable netns {world}"));
        ip(&format!("-n {world} addr add 192.168.0.2/30 dev cable"));
        ip(&format!("-n {world} addr add fd00::2/64 dev cable nodad"));
        ip(&format!("-n {world} link set cable up"));
        ip(&format!("-n {world} route add local 20.0.0.0/8 dev lo"));
        ip(&format!("-n {world} -6 route add local 2a00::/16 dev lo"));
        self.plug();
    }

    /// The node's namespace.
    pub(crate) fn node(&self) -> &str {
        &self.node
    }

    /// Moves the current thread into the world's namespace. Sockets it opens stay there.
    pub(crate) fn enter_world(&self) {
        let namespace = File::open(format!("/run/netns/{}", self.world)).expect("`ip netns add` made it");
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).expect("root may");
    }

    /// Drops all new connections; open ones stay.
    pub(crate) fn drop_syns(&self) {
        self.filter("prerouting", "tcp flags & (syn | ack) == syn drop");
    }

    /// Answers everything that reaches the world with a reset.
    pub(crate) fn reset_all(&self) {
        self.filter("input", "meta l4proto tcp reject with tcp reset");
    }

    /// Drops all of IPv6. Neighbour discovery goes on; otherwise the node's own system would report the fault.
    pub(crate) fn swallow_v6(&self) {
        self.filter("prerouting", "meta nfproto ipv6 meta l4proto tcp drop");
    }

    /// Removes all filters.
    pub(crate) fn restore(&self) {
        self.nft("flush ruleset\n");
    }

    /// Takes the node's interface down: its routes are gone.
    pub(crate) fn pull(&self) {
        ip(&format!("-n {} link set cable down", self.node));
    }

    /// Takes the node's interface up, with the addresses and routes that a DHCP client would set.
    pub(crate) fn plug(&self) {
        let node = &self.node;
        ip(&format!("-n {node} link set cable up"));
        ip(&format!("-n {node} addr replace 192.168.0.1/30 dev cable"));
        ip(&format!("-n {node} addr replace fd00::1/64 dev cable nodad"));
        ip(&format!("-n {node} route replace default via 192.168.0.2"));
        ip(&format!("-n {node} -6 route replace default via fd00::2"));
    }

    /// Changes what makes no difference: a route to other places, an address of the link alone, and the lease of an
    /// address, which is announced as if it were new.
    pub(crate) fn fidget(&self) {
        let node = &self.node;
        ip(&format!("-n {node} route replace 203.0.113.0/24 via 192.168.0.2"));
        ip(&format!("-n {node} addr replace fe80::77/64 dev cable nodad"));
        for lifetime in [1000, 2000] {
            let lease = format!("valid_lft {lifetime} preferred_lft {lifetime}");
            ip(&format!("-n {node} addr replace 192.168.0.1/30 dev cable {lease}"));
            ip(&format!("-n {node} addr replace fd00::1/64 dev cable nodad {lease}"));
        }
    }

    /// Aborts all connections of the node's system, as it does after a quarter of an hour without an answer.
    pub(crate) fn give_up_connections(&self) {
        run(Command::new("ip").args(["netns", "exec", &self.node, "ss", "-t", "-K", "state", "established"]), "");
    }

    fn filter(&self, hook: &str, rule: &str) {
        self.nft(&format!("table inet fault {{ chain c {{ type filter hook {hook} priority 0; {rule}; }}; }}\n"));
    }

    fn nft(&self, rules: &str) {
        run(Command::new("ip").args(["netns", "exec", &self.world, "nft", "-f", "-"]), rules);
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for name in [&self.node, &self.world] {
            // What is left over is the script's to remove.
            let _removed = Command::new("ip").args(["netns", "delete", name]).stderr(Stdio::null()).status();
        }
    }
}

fn ip(words: &str) {
    run(Command::new("ip").args(words.split_whitespace()), "");
}

/// Runs a command with this input. It must succeed.
fn run(command: &mut Command, input: &str) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("see .ci/interop-faults");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    let status = child.wait().expect("it ends");
    assert!(status.success(), "{command:?}: {status}\n{input}");
}
