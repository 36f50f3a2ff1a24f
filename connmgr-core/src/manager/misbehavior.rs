//! Scores and bans.

use core::time::Duration;

use crate::mechanisms::bans::Lifted;
use crate::types::{BanTarget, CloseReason, CommandError, ConnId, Event, Host, Penalty, SteadySecond, Time};

use super::{ConnManager, Phase, Timer};

impl ConnManager {
    /// A peer has misbehaved: raises its score by `penalty`. The last 1024 ended connections still count.
    pub fn handle_misbehavior(&mut self, conn: ConnId, penalty: Penalty, now: Time) {
        self.begin(now);
        let live = self.table.get(conn).map(|conn| (conn.host(), conn.is_spared()));
        let late = || self.ended.get(conn).map(|ended| (Some(ended.host.clone()), ended.no_ban));
        match live.or_else(late).filter(|_| self.phase != Phase::Stopped) {
            None => self.ignore(),
            Some((Some(host), no_ban)) if self.rules().is_bannable(&host) => {
                self.raise_score(conn, &host, no_ban, penalty);
            }
            Some(_) => self.raise_own_score(conn, penalty),
        }
        self.plan();
    }

    fn raise_score(&mut self, conn: ConnId, host: &Host, no_ban: bool, penalty: Penalty) {
        let now = self.now();
        let score = self.scores.increase(host, penalty, now);
        let config = self.config.score;
        if score <= config.threshold {
            return self.warn(conn, Some(host), score);
        }
        self.scores.reset(host);
        if no_ban {
            self.close(conn, CloseReason::Misbehaved);
        } else {
            self.impose(&BanTarget::Host(host.clone()), config.ban_for);
        }
    }

    /// Many peers share an onion listener, loopback or a proxy, so penalties count against the connection, not the host.
    fn raise_own_score(&mut self, conn: ConnId, penalty: Penalty) {
        let now = self.now();
        let Some(notes) = self.table.notes(conn) else { return };
        let score = notes.score.increase(penalty, now);
        if score > self.config.score.threshold {
            self.close(conn, CloseReason::Misbehaved);
        } else {
            self.warn(conn, None, score);
        }
    }

    fn warn(&mut self, conn: ConnId, host: Option<&Host>, score: u32) {
        if score > self.config.score.threshold / 2 {
            self.tell(Event::ScoreWarning { conn, host: host.cloned(), score });
        }
    }

    /// Bans a host or a subnet for `duration`: closes its connections, and neither dials nor admits it until the ban
    /// ends. If it is banned already, the later end counts.
    ///
    /// # Errors
    /// [`CommandError::NotBannable`] for loopback (unless `ranges.loopback` is on), for the address of a proxy, and for
    /// every target if `max_bans` is 0; [`CommandError::ShuttingDown`].
    pub fn ban(&mut self, target: &BanTarget, duration: Duration, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        self.check_running()?;
        let target = &self.settled_target(target.clone());
        if !self.is_bannable(target) {
            return Err(CommandError::NotBannable);
        }
        self.impose(target, duration);
        self.plan();
        Ok(())
    }

    /// Whether a ban of this target bans one peer or network in particular. A wide subnet may contain loopback or a
    /// proxy; those stay exempt.
    pub(super) fn is_bannable(&self, target: &BanTarget) -> bool {
        match target {
            BanTarget::Host(host) => self.rules().is_bannable(host),
            BanTarget::Subnet(net) => {
                let is_loopback = net.network().is_loopback() && net.broadcast().is_loopback();
                let is_host = net.network() == net.broadcast();
                let spared = is_loopback && !self.config.ranges.loopback;
                self.config.max_bans > 0
                    && !spared
                    && (!is_host || self.rules().is_bannable(&Host::from(net.network())))
            }
        }
    }

    /// The target, as the networks in use name it: what covers an IPv6 address of `fc00::/8` covers the CJDNS address.
    pub(super) fn settled_target(&self, target: BanTarget) -> BanTarget {
        match target {
            BanTarget::Host(host) => BanTarget::Host(host.settled(self.config.networks)),
            BanTarget::Subnet(_) => target,
        }
    }

    fn impose(&mut self, target: &BanTarget, duration: Duration) {
        let (since, until) = (SteadySecond::at(self.now()), self.now().after(duration));
        self.restored_bans.forget(target);
        if let Some(evicted) = self.bans.ban(target, since, until) {
            let evicted = self.settled_target(evicted);
            self.tell(Event::Unbanned { target: evicted });
            self.release_banned_peers();
            self.wake_starved();
        }
        self.stats.bans += 1;
        // Another ban of the target, or of a subnet around it, may last longer.
        let stands = self.bans.end_around(target).map_or(until, |end| end.max(until));
        let until = self.clocks.unix_at(stands);
        self.tell(Event::Banned { target: target.clone(), until });
        self.bans_changed();
        self.sweep_wanted = true;
    }

    /// Lifts a ban. If `target` itself is not banned but lies in a banned subnet, it becomes an exception of that: it may be
    /// dialed and let in, while the rest of the subnet stays banned. [`BanView::exceptions`](super::BanView::exceptions)
    /// lists them. An exception lasts as long as any ban around it, also when that is renewed; a later ban of it, or of
    /// another subnet around it, ends it. There are at most 1024.
    ///
    /// # Errors
    /// [`CommandError::NotBanned`] if nothing covers the whole target; [`CommandError::TooManyExceptions`];
    /// [`CommandError::ShuttingDown`].
    pub fn unban(&mut self, target: &BanTarget, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        self.check_running()?;
        let target = &self.settled_target(target.clone());
        match self.bans.unban(target, self.clocks.now()) {
            Lifted::Ban | Lifted::Exception => {}
            Lifted::Nothing => return Err(CommandError::NotBanned),
            Lifted::Full => return Err(CommandError::TooManyExceptions),
        }
        self.tell(Event::Unbanned { target: target.clone() });
        self.bans_changed();
        self.release_banned_peers();
        self.wake_starved();
        self.plan();
        Ok(())
    }

    /// Resets a host's score to 0.
    ///
    /// # Errors
    /// [`CommandError::ShuttingDown`].
    pub fn reset_score(&mut self, host: &Host, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        self.check_running()?;
        self.scores.reset(&host.clone().settled(self.config.networks));
        Ok(())
    }

    pub(super) fn bans_timer_fired(&mut self) {
        let now = self.now();
        while self.has_room() {
            let Some(target) = self.bans.pop_expired(now) else { break };
            let target = self.settled_target(target);
            self.tell(Event::Unbanned { target });
            self.wake_starved();
        }
        self.arm_bans();
    }

    fn bans_changed(&mut self) {
        self.arm_bans();
        self.save_bans_later();
    }

    /// Sets the timer to the earliest end of a ban.
    pub(super) fn arm_bans(&mut self) {
        match self.bans.next_expiry() {
            Some(at) => self.arm(Timer::Bans, at),
            None => self.disarm(Timer::Bans),
        }
    }
}
