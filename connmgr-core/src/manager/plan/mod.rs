//! The planner: the only module that emits a dial.
//!
//! Every input that can give it work ends in [`plan`](ConnManager::plan). It is a fixpoint: a second run at the same
//! time does nothing. Work that must wait (no slot, no address, too fast, too much for one call) is done after an input
//! that changes this, or at a deadline that the planner arms.

mod added;
mod automatic;
mod choosing;
#[cfg(feature = "experiments")]
mod experiment;
mod fetch;
mod hedge;
mod probe;
mod redial;

use crate::book::{AddressId, Numbered};
use crate::config::IsolationMode;
use crate::conn::{Conn, End, Notes};
use crate::mechanisms::groups::Group;
use crate::types::{
    DialRule, Hindrance, Isolation, IsolationToken, Kind, PeerAddress, PeerId, ProxyAddress, Time, Transport,
};

use super::{ConnManager, Phase, Timer};

pub(super) use automatic::MAKE_ROOM_EVERY;
use choosing::Chosen;
pub(super) use hedge::Vacancy;
pub(super) use redial::Redial;

/// A dial that was decided on.
struct PlannedDial {
    kind: Kind,
    address: PeerAddress,
    /// The number of the address, if it was chosen from the book.
    id: Option<AddressId>,
    /// The group that the dial takes, if its kind takes one.
    group: Option<Group>,
    peer: Option<PeerId>,
    /// Which address of the peer it is for.
    of: usize,
    transport: Transport,
    /// A trial: hedging does not take its slot before it ends.
    is_trial: bool,
    /// The proxy to dial through, if any.
    via: Option<(ProxyAddress, Isolation)>,
}

impl ConnManager {
    /// Does everything that is due now.
    pub(super) fn plan(&mut self) {
        if self.sweep_wanted {
            self.sweep();
        }
        if self.phase != Phase::Active {
            return self.drop_redials();
        }
        let split = self.split();
        self.dial_redials(&split);
        self.race();
        self.dial_added(&split);
        // After the added peers: a connection that they adopt may have had no slot, and leaves room to hedge.
        self.hedge();
        self.dial_probes(&split);
        self.notice_long_lives();
        let [first, second] = self.kinds_in_turn();
        if self.may_dial_automatic(first, &split) {
            self.dial_automatic(first, &split);
        }
        if self.may_dial_automatic(second, &split) {
            self.dial_automatic(second, &split);
        }
        self.dial_addr_fetches(&split);
    }

    /// Whether dials must wait, because this call has done enough or the machine lacks resources. If so, arms the
    /// planner's timer.
    #[inline]
    fn pause_if_needed(&mut self) -> bool {
        let until = if self.has_room() { self.shortage.until(self.now()) } else { Some(self.now()) };
        if let Some(until) = until {
            self.arm_earlier(Timer::Plan, until);
        }
        until.is_some()
    }

    /// Whether every dial waits at `now`, and until when. Says what [`pause_if_needed`](Self::pause_if_needed) decides.
    pub(in crate::manager) fn pause_rule(&self, now: Time) -> Option<Hindrance> {
        let goes_on = self.single.plan.map(|timer| self.timers.at(timer)).filter(|at| *at > now && !self.has_room());
        let busy = goes_on.map(|at| Hindrance { rule: DialRule::Busy, until: Some(at) });
        let short = |until| Hindrance { rule: DialRule::Shortage, until: Some(until) };
        busy.or_else(|| self.shortage.until(now).map(short))
    }

    /// Whether a dial of this kind must wait for its rate. If so, arms the planner's timer.
    fn wait_for_rate(&mut self, kind: Kind) -> bool {
        let ready_at = self.waits_for_rate(kind, self.now());
        if let Some(ready_at) = ready_at {
            self.arm_earlier(Timer::Plan, ready_at);
        }
        ready_at.is_some()
    }

    /// Until when a dial of this kind must wait for its rate; `None`: it need not.
    pub(in crate::manager) fn waits_for_rate(&self, kind: Kind, now: Time) -> Option<Time> {
        let ready_at = self.dial_bucket.ready_at(&self.config.dial.rate, now);
        (kind.is_automatic() && ready_at > now).then_some(ready_at)
    }

    /// Counts an automatic dial against the rate.
    fn pay_for_dial(&mut self) {
        self.dial_bucket.take(&self.config.dial.rate, self.clocks.now());
    }

    /// Dials an address of the book.
    fn dial_from_book(&mut self, kind: Kind, chosen: Chosen, is_trial: bool) {
        let Chosen { address, id, group } = chosen;
        let is_v1_only = self.book.is_v1_only(Numbered::new(&address, id), self.config.required.full);
        let transport = if is_v1_only { Transport::V1 } else { self.config.transport };
        let via = self.route(&address);
        self.dial(PlannedDial { kind, address, id, group, peer: None, of: 0, transport, is_trial, via });
    }

    /// Makes a dial. It takes slot, address and group in the same step.
    fn dial(&mut self, planned: PlannedDial) {
        let PlannedDial { kind, address, id: known, group, peer, of, transport, is_trial, via } = planned;
        debug_assert_eq!(self.rules().standing_obstacle(&address), None, "a dial breaks no rule");
        debug_assert!(self.rules().group_is_free(kind, &address), "the group of a dial has room");
        debug_assert_eq!(self.rules().group(kind, &address), group, "the group is the one of the address");
        let id = self.next_conn.take();
        let now = self.now();
        let is_proxied = via.is_some();
        let deadline = self.at_least_a_tick(now.after(self.patience(is_proxied).timeout));
        let (network, tells_of) = (address.network(), self.rules().health_network(address.host()));
        let address_id = self.book.record_try(Numbered::new(&address, known), now);
        let added = peer.and_then(|peer| self.peers.get_mut(peer));
        let (tag, is_spared) = added.as_ref().map_or((None, false), |peer| (peer.tag(), peer.is_spared()));
        if let Some(peer) = added {
            peer.dial(id, of, &address);
        }
        let nonce = self.rng.next_u64();
        let notes = Notes { is_trial, of, tag, is_spared, address_id, tells_of, ..Notes::new(nonce, deadline) };
        let end = End::Outbound { address, via, group };
        // Into the table at once, because a connection is large to move.
        let action = self.table.insert(Conn::dial(id, kind, end, peer, transport, notes, now)).dial_action();
        self.arm_progress_timer(id);
        self.shortage.record_dial(&self.config.health, now);
        if let (true, Some(network)) = (kind.is_automatic(), network) {
            self.paces[network.index()].record_dial(id.as_u64(), now);
        }
        self.stats.dials += 1;
        if let Some(action) = action {
            self.act(action);
        }
    }

    /// The route by which to dial an address.
    #[inline]
    fn route(&mut self, address: &PeerAddress) -> Option<(ProxyAddress, Isolation)> {
        let proxy = self.rules().proxy(address)?;
        let (proxy, mode) = (proxy.address.clone(), proxy.isolation);
        Some((proxy, self.isolation(mode)))
    }

    /// A circuit of its own, or a shared one.
    pub(super) fn isolation(&mut self, mode: IsolationMode) -> Isolation {
        let kind = match mode {
            IsolationMode::Off => return Isolation::Shared,
            IsolationMode::Preferred => Isolation::Preferred,
            IsolationMode::Required => Isolation::Token,
        };
        kind(IsolationToken::from_u64(self.rng.next_u64()))
    }
}
