//! Why the target is not reached, in plain words, with what may help.
//!
//! It collects clues from events, and asks the manager's explanations. It decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use connmgr_core::{
    CloseReason, ConnState, DialError, DialFailure, DialRule, EndReason, Event, Explanation, HeldBack, Hindrance,
    LookupError, NetworkKind, Obstacle, PeerAddress, PeerId, PeerState,
};

/// How long the node waits for its target before it says why it is not reached.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What has happened that may explain what has not.
#[derive(Clone, Debug, Default)]
pub struct Clues {
    /// What went wrong last with each added peer.
    troubles: BTreeMap<PeerId, PeerTrouble>,
    /// Failed automatic dials by reason.
    failures: BTreeMap<DialFailure, u32>,
    seeds_answered: u32,
    seed_error: Option<LookupError>,
    down: BTreeSet<NetworkKind>,
    held_back: Option<HeldBack>,
}

/// What went wrong with an added peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PeerTrouble {
    Dial(DialFailure),
    Ended(EndReason),
    Lookup(LookupError),
}

impl Clues {
    /// Takes note of an event.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::DialFailed { peer: Some(peer), error, .. } => {
                self.troubles.insert(*peer, PeerTrouble::Dial(*error));
            }
            Event::DialFailed { peer: None, error, .. } => *self.failures.entry(*error).or_default() += 1,
            Event::Disconnected { peer: Some(peer), reason, .. } => {
                self.troubles.insert(*peer, PeerTrouble::Ended(*reason));
            }
            Event::LookupFailed { peer, error, .. } => {
                self.troubles.insert(*peer, PeerTrouble::Lookup(*error));
            }
            Event::SeedAnswered { .. } => self.seeds_answered += 1,
            Event::SeedFailed { error, .. } => self.seed_error = Some(*error),
            Event::NetworkDown { network } => {
                self.down.insert(*network);
            }
            Event::NetworkUp { network } => {
                self.down.remove(network);
            }
            Event::AddressesWanted { held_back, .. } => self.held_back = Some(*held_back),
            _ => {}
        }
    }

    /// Why an added peer is not connected; `None` if it is. `lift`: how a ban is lifted.
    pub fn of_peer(&self, id: PeerId, address: &PeerAddress, told: &Explanation, lift: &str) -> Option<String> {
        let state = told.peer.as_ref().map(|peer| peer.state);
        if let Some(PeerState::Connected(conn)) = state {
            let is_ready = told.connections.iter().all(|view| view.conn != conn || view.state == ConnState::Ready);
            let why = "connected, but the handshake is not done: is it a node of the same chain (--chain)?";
            return (!is_ready).then(|| format!("{address}: {why}"));
        }
        let trouble = self.troubles.get(&id);
        let mut text = format!("{address}: ");
        match trouble {
            Some(PeerTrouble::Dial(error)) => text += &format!("not reached: {error}"),
            Some(PeerTrouble::Ended(reason)) => text += &format!("the connection ended: {reason}"),
            Some(PeerTrouble::Lookup(error)) => text += &format!("its name is not resolved: {error}"),
            None => text += "not connected",
        }
        match state {
            Some(PeerState::Dialing(_)) => text += "; it is being dialed now",
            Some(PeerState::Resolving) => text += "; its name is being resolved now",
            _ => told.added.iter().for_each(|found| text += &hindrance(found, told)),
        }
        let advice = trouble.map(|trouble| advice(*trouble)).filter(|advice| !advice.is_empty());
        advice.into_iter().for_each(|advice| text += &format!(". {advice}"));
        let is_ban = |found: &Hindrance| found.rule == DialRule::Obstacle(Obstacle::Banned);
        if told.added.iter().any(is_ban) {
            text += &format!("; {lift}");
        }
        Some(text)
    }

    /// Why automatic connections are missing, one line for each reason. `known`: how many addresses are known.
    pub fn of_automatic(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.of_addresses());
        for network in &self.down {
            lines.push(format!(
                "no dial into {network} is answered: is this machine online, and does its firewall let dials out?"
            ));
        }
        let most = self.failures.iter().max_by_key(|(_, count)| **count);
        if let Some((failure, count)) = most {
            let all: u32 = self.failures.values().sum();
            let advice = advice(PeerTrouble::Dial(*failure));
            lines.push(format!("{all} dials have failed, {count} of them: {failure}. {advice}").trim_end().to_string());
        }
        if lines.is_empty() {
            lines.push("dials are under way: more time may be all it takes".to_string());
        }
        lines
    }

    fn of_addresses(&self) -> Option<String> {
        let held_back = self.held_back.filter(|held_back| held_back.free == 0)?;
        if held_back.known > 0 {
            return Some(format!("no known address may be dialed now: {held_back}. More are asked for by themselves"));
        }
        let add = "or name a peer with --add";
        Some(match (self.seeds_answered, self.seed_error) {
            (0, Some(error)) => {
                let suspect = match error {
                    LookupError::Proxy | LookupError::ProxyUnreachable | LookupError::ProxyAuth => {
                        "the proxy (--proxy)"
                    }
                    LookupError::NoneInRange => "--ranges (private ones on a LAN) and this machine's DNS",
                    LookupError::ProxyNotFound => "the proxy's name (--proxy) and this machine's DNS",
                    _ => "this machine's DNS",
                };
                format!("no address is known, for no seed answers ({error}): check {suspect}, {add}")
            }
            (0, None) => "no address is known, and no seed has told any: name a peer with --add".to_string(),
            (_, _) => format!("no address is known, though seeds have answered: try again later, {add}"),
        })
    }
}

/// One reason why an added peer is not being dialed, as the next clause of a sentence.
fn hindrance(found: &Hindrance, told: &Explanation) -> String {
    match (found.rule, told.peer.as_ref().and_then(|peer| peer.next_retry)) {
        (DialRule::BackOff, Some(at)) => format!("; dialed again in {} s", at.since(told.at).as_secs()),
        // The obstacle is that of an address to which the name led.
        (rule @ DialRule::Obstacle(_), _) if told.address.network().is_none() => {
            let left = left(found, told);
            let again =
                left.map(|left| format!(" (its name is looked up again in {} s at the latest)", left.as_secs()));
            format!("; {rule}{}", again.unwrap_or_default())
        }
        (rule, _) => format!("; {rule}{}", for_how_long(found, told)),
    }
}

fn for_how_long(found: &Hindrance, told: &Explanation) -> String {
    left(found, told).map_or_else(String::new, |left| format!(" (for {} s more at least)", left.as_secs().max(1)))
}

fn left(found: &Hindrance, told: &Explanation) -> Option<Duration> {
    found.until.map(|until| until.since(told.at)).filter(|left| !left.is_zero())
}

/// What the operator may do.
const fn advice(trouble: PeerTrouble) -> &'static str {
    match trouble {
        PeerTrouble::Dial(DialFailure::Failed(error)) => match error {
            DialError::Refused => "Does it run, and listen on this port?",
            DialError::TimedOut | DialError::HostUnreachable | DialError::Reset => {
                "Does it run, and does no firewall lie between?"
            }
            DialError::NetworkUnreachable | DialError::AddressFamilyUnsupported => {
                "This machine has no way there: check its network."
            }
            DialError::ProxyUnreachable
            | DialError::ProxyNotFound
            | DialError::ProxyMethod
            | DialError::ProxyAuth
            | DialError::ProxyFailed
            | DialError::ProxyProtocol => "Check the proxy (--proxy): does it run, and is this its address?",
            DialError::ServiceUnreachable => "Does the service run?",
            DialError::OutOfResources => "Raise the limit of open files (ulimit -n), or lower --max-peers.",
            _ => "",
        },
        PeerTrouble::Dial(DialFailure::GivenUp(CloseReason::DialTimeout)) => {
            "Nothing answers: does it run, and does no firewall lie between?"
        }
        PeerTrouble::Ended(EndReason::Ours(CloseReason::OwnAddress)) => {
            "It is this node itself: name another node with --connect or --add."
        }
        PeerTrouble::Ended(EndReason::Theirs(_)) => "Is it a node of the same chain (--chain), and has it room for us?",
        PeerTrouble::Ended(EndReason::Ours(CloseReason::HandshakeTimeout)) => {
            "Is it a node of the same chain (--chain)?"
        }
        PeerTrouble::Lookup(LookupError::NotFound) => "Is the name right?",
        PeerTrouble::Lookup(_) => "Check this machine's DNS.",
        PeerTrouble::Dial(_) | PeerTrouble::Ended(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    use connmgr_core::{
        Action, AddedPeer, BanTarget, Birth, Config, ConnId, ConnManager, Input, Reply, Time, UnixTime,
    };

    fn failed(peer: Option<PeerId>, error: DialError) -> Event {
        let address = "1.2.3.4:1".parse().expect("an address");
        let error = DialFailure::Failed(error);
        Event::DialFailed { conn: ConnId::from_u64(1), peer, tag: None, address, error }
    }

    fn after(events: &[Event]) -> Clues {
        let mut clues = Clues::default();
        events.iter().for_each(|event| clues.note(event));
        clues
    }

    fn wanted(held_back: HeldBack) -> Event {
        Event::AddressesWanted { network: None, held_back }
    }

    #[test]
    fn a_peer_that_refuses_is_told_with_when_it_is_dialed_and_what_may_help() {
        let (config, now, unix) = (Config::default(), Time::ZERO, UnixTime::from_secs(1_767_225_600));
        let mut manager =
            ConnManager::new(Birth { config, snapshot: None, rng_seed: [7; 32], unix, now }).expect("a configuration");
        let address: PeerAddress = "11.1.1.1:8333".parse().expect("an address");
        let reply = manager.apply(&Input::AddPeer { peer: AddedPeer::new(address.clone()) }, now);
        let Reply::Added(Ok(peer)) = reply else { panic!("not added: {reply:?}") };
        let conn = manager.connections()[0].conn;
        let clues = after(&[failed(Some(peer), DialError::Refused)]);
        let text = clues.of_peer(peer, &address, &manager.explain(&address, now), "").expect("it is not connected");
        assert!(text.starts_with("11.1.1.1:8333: not reached: connection refused; it is being dialed now. "), "{text}");
        manager.handle_dial_result(conn, Err(DialError::Refused), now);
        let text = clues.of_peer(peer, &address, &manager.explain(&address, now), "").expect("it is not connected");
        assert!(text.starts_with("11.1.1.1:8333: not reached: connection refused; dialed again in "), "{text}");
        assert!(text.ends_with("Does it run, and listen on this port?"), "{text}");
    }

    #[test]
    fn a_name_that_leads_to_a_banned_host_is_told_with_what_lifts_the_ban() {
        let (config, now, unix) = (Config::default(), Time::ZERO, UnixTime::from_secs(1_767_225_600));
        let mut manager =
            ConnManager::new(Birth { config, snapshot: None, rng_seed: [7; 32], unix, now }).expect("a configuration");
        let ban = BanTarget::Host("11.1.1.1".parse().expect("a host"));
        manager.ban(&ban, Duration::from_secs(9999), now).expect("it can be banned");
        let address: PeerAddress = "a.example:8333".parse().expect("an address");
        let reply = manager.apply(&Input::AddPeer { peer: AddedPeer::new(address.clone()) }, now);
        let Reply::Added(Ok(peer)) = reply else { panic!("not added: {reply:?}") };
        let lookup = std::iter::from_fn(|| manager.poll_action()).find_map(|action| match action {
            Action::ResolveHost { lookup, .. } => Some(lookup),
            _ => None,
        });
        let ip: IpAddr = [11, 1, 1, 1].into();
        manager.handle_lookup_result(lookup.expect("it is looked up"), Ok(&[ip.into()]), now);
        let told = manager.explain(&address, now);
        let text = Clues::default().of_peer(peer, &address, &told, "remove it from bans.json");
        assert_eq!(
            text.as_deref(),
            Some(
                "a.example:8333: not connected; its host is banned (its name is looked up again in 300 s at the latest); \
                 remove it from bans.json"
            )
        );
    }

    #[test]
    fn what_keeps_seeds_from_answering_is_named_the_proxy_or_the_ranges() {
        let of = |error| {
            let seed = "seed.example".parse().expect("a name");
            after(&[wanted(HeldBack::default()), Event::SeedFailed { seed, error }]).of_automatic().join("|")
        };
        for error in [LookupError::Proxy, LookupError::ProxyUnreachable, LookupError::ProxyAuth] {
            let text = of(error);
            assert!(text.contains("check the proxy (--proxy), or name") && !text.contains("DNS"), "{text}");
        }
        assert!(of(LookupError::NoneInRange).contains("check --ranges"));
        let text = of(LookupError::ProxyNotFound);
        assert!(text.contains("check the proxy's name (--proxy) and this machine's DNS"), "{text}");
    }

    #[test]
    fn without_addresses_and_seeds_dns_and_add_are_named() {
        let seed = "seed.example".parse().expect("a name");
        let error = LookupError::Failed;
        let clues = after(&[wanted(HeldBack::default()), Event::SeedFailed { seed, error }]);
        assert_eq!(
            clues.of_automatic(),
            [
                "no address is known, for no seed answers (the resolver failed): check this machine's DNS, or name a peer \
              with --add"
            ]
        );
        let none = after(&[wanted(HeldBack::default())]);
        assert_eq!(none.of_automatic(), ["no address is known, and no seed has told any: name a peer with --add"]);
    }

    #[test]
    fn what_fails_most_is_told() {
        let clues = after(&[
            failed(None, DialError::Refused),
            failed(None, DialError::NetworkUnreachable),
            failed(None, DialError::NetworkUnreachable),
            Event::NetworkDown { network: NetworkKind::Ipv4 },
        ]);
        let lines = clues.of_automatic();
        assert!(lines[0].starts_with("no dial into ipv4 is answered"), "{lines:?}");
        assert!(lines[1].starts_with("3 dials have failed, 2 of them: network unreachable. This machine"), "{lines:?}");
    }

    #[test]
    fn a_network_that_is_up_again_is_no_reason() {
        let network = NetworkKind::Ipv6;
        let clues = after(&[Event::NetworkDown { network }, Event::NetworkUp { network }]);
        assert_eq!(clues.of_automatic(), ["dials are under way: more time may be all it takes"]);
    }
}
