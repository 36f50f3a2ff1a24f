//! The peers that the operator asked for, and what keeps some of them away: bans.
//!
//! A banned peer can't be added. That must not keep the node from starting: the ban ends some day, and then the peer is
//! added. What lifts a ban earlier is said when it matters. It knows no runtime.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use connmgr_core::{BanTarget, BanView, PeerAddress, PeerId, UnixTime};

/// Years have four digits: a ban that ends later ends never.
const LAST_DATE: u64 = 253_402_300_799;

/// The peers of the options.
#[derive(Debug)]
pub struct WantedPeers {
    state_dir: Option<PathBuf>,
    added: Vec<(PeerId, PeerAddress)>,
    waiting: Vec<PeerAddress>,
}

impl WantedPeers {
    /// None yet. `state_dir` is where bans are kept.
    pub const fn new(state_dir: Option<PathBuf>) -> Self {
        Self { state_dir, added: Vec::new(), waiting: Vec::new() }
    }

    /// A peer was added.
    pub fn note_added(&mut self, id: PeerId, address: PeerAddress) {
        self.added.push((id, address));
    }

    /// The peers that were added.
    pub fn added(&self) -> &[(PeerId, PeerAddress)] {
        &self.added
    }

    /// A peer is banned, and is to be added when the ban is over. Returns what to tell the operator.
    pub fn note_banned(&mut self, peer: PeerAddress, bans: &[BanView]) -> String {
        let longest = bans.iter().filter(|ban| covers(&ban.target, &peer)).max_by_key(|ban| ban.until);
        let text = match longest {
            Some(ban) => self.explain(&peer, &ban.target, ban.until),
            None => format!("{peer} is banned, and is added when the ban is over"),
        };
        self.waiting.push(peer);
        text
    }

    /// What to tell the operator of a new ban: a line for each peer that it keeps away. `met` is where a peer was connected
    /// last: the address of a name.
    pub fn tell_ban(
        &self,
        target: &BanTarget,
        until: UnixTime,
        met: impl Fn(PeerId) -> Option<PeerAddress>,
    ) -> Vec<String> {
        let is_kept_away = |(id, address): &&(PeerId, PeerAddress)| {
            covers(target, address) || met(*id).is_some_and(|address| covers(target, &address))
        };
        self.added.iter().filter(is_kept_away).map(|(_, address)| self.explain(address, target, until)).collect()
    }

    /// A ban is over: the peers to add now. Those that are banned still go back by [`WantedPeers::note_banned`].
    pub fn take_free(&mut self, target: &BanTarget) -> Vec<PeerAddress> {
        let (free, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|peer| covers(target, peer));
        self.waiting = waiting;
        free
    }

    /// What lifts the ban of an address to which a name leads.
    pub fn how_to_lift_a_ban(&self) -> String {
        self.remedy("its address", ", which says until when it is banned")
    }

    fn explain(&self, peer: &PeerAddress, target: &BanTarget, until: UnixTime) -> String {
        format!("{peer} is wanted but banned {}; {}", BanEnd(until), self.remedy(&target.to_string(), ""))
    }

    fn remedy(&self, banned: &str, more: &str) -> String {
        match &self.state_dir {
            Some(dir) => {
                let file = dir.join("bans.json");
                format!("to lift the ban now, stop the node and remove {banned} from {}{more}", file.display())
            }
            None => "to lift the ban now, start the node again: without --state-dir no ban outlives it".to_string(),
        }
    }
}

/// Whether a ban keeps a peer with this address away. Names are not banned, but their addresses are.
fn covers(target: &BanTarget, peer: &PeerAddress) -> bool {
    match target {
        BanTarget::Host(host) => host == peer.host(),
        BanTarget::Subnet(net) => peer.host().ip().is_some_and(|ip| net.contains(&ip)),
    }
}

/// The end of a ban, as people write dates.
struct BanEnd(UnixTime);

impl fmt::Display for BanEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0.as_secs();
        if secs > LAST_DATE {
            return f.write_str("for good");
        }
        write!(f, "until {}", humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(secs)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ban(target: &str, until: u64) -> BanView {
        let target = match target.parse() {
            Ok(net) => BanTarget::Subnet(net),
            Err(_) => BanTarget::Host(target.parse().expect("a host")),
        };
        BanView::new(target, UnixTime::from_secs(0), UnixTime::from_secs(until))
    }

    fn peer(text: &str) -> PeerAddress {
        text.parse().expect("an address")
    }

    #[test]
    fn the_longest_ban_is_told_with_the_file_that_holds_it() {
        let bans = [ban("1.2.3.4", 1_800_000_000), ban("1.2.0.0/16", 1_900_000_000), ban("1.3.0.0/16", u64::MAX)];
        let mut wanted = WantedPeers::new(Some("/var/x".into()));
        let text = wanted.note_banned(peer("1.2.3.4:8333"), &bans);
        assert_eq!(
            text,
            "1.2.3.4:8333 is wanted but banned until 2030-03-17T17:46:40Z; to lift the ban now, stop the node and remove \
             1.2.0.0/16 from /var/x/bans.json"
        );
        assert_eq!(wanted.tell_ban(&bans[0].target, bans[0].until, |_| None), [""; 0], "it is not added");
    }

    #[test]
    fn without_a_directory_a_new_start_lifts_bans_and_the_last_of_all_ends_never() {
        let mut wanted = WantedPeers::new(None);
        wanted.note_added(PeerId::from_u64(1), peer("1.2.3.4:1"));
        let ban = ban("1.2.3.4", u64::MAX);
        let text = wanted.tell_ban(&ban.target, ban.until, |_| None).join("\n");
        assert!(text.contains("banned for good; to lift the ban now, start the node again"), "{text}");
    }

    #[test]
    fn a_name_is_kept_away_by_a_ban_of_the_address_where_it_was_met() {
        let (mut wanted, id) = (WantedPeers::new(None), PeerId::from_u64(1));
        wanted.note_added(id, peer("a.example:1"));
        let ban = ban("1.2.0.0/16", 0);
        assert_eq!(wanted.tell_ban(&ban.target, ban.until, |_| None), [""; 0]);
        let told = wanted.tell_ban(&ban.target, ban.until, |id| (id.as_u64() == 1).then(|| peer("1.2.3.4:1")));
        assert!(told[0].starts_with("a.example:1 is wanted but banned"), "{told:?}");
    }

    #[test]
    fn who_was_banned_is_added_when_that_ban_is_over() {
        let mut wanted = WantedPeers::new(None);
        for address in ["1.2.3.4:1", "1.2.3.5:1", "a.example:1"] {
            wanted.note_banned(peer(address), &[]);
        }
        assert_eq!(wanted.take_free(&ban("1.2.3.5", 0).target), [peer("1.2.3.5:1")]);
        assert_eq!(wanted.take_free(&ban("1.2.0.0/16", 0).target), [peer("1.2.3.4:1")]);
        assert_eq!(wanted.take_free(&ban("1.2.0.0/16", 0).target), []);
    }
}
