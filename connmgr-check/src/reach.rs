//! Counts the notable states that a step reaches. Checks nothing.

use connmgr_core::{Action, BanTarget, CloseReason, DialError, DialFailure, Event, Input, Kind, Reply};
use core::time::Duration;

use super::checker::RuleContext;
use super::ledger::conn::{ConnLife, KnownConn};
use super::probe::{Probe, Probes};
use super::step::StepCause;

/// A timeout that comes later than this after its deadline is late.
const LATE: Duration = Duration::from_secs(60);

impl Probes {
    pub(crate) fn input(&mut self, seen: RuleContext<'_>, input: &Input, reply: &Reply) {
        match reply {
            Reply::Accepted(Ok(_)) => self.reach(Probe::Admitted),
            Reply::Accepted(Err(refusal)) => {
                if let Some(probe) = Probe::of_refusal(*refusal) {
                    self.reach(probe);
                }
            }
            Reply::Noted | Reply::Learnt(_) | Reply::Added(_) | Reply::Addresses(_) | Reply::Done(_) => {}
        }
        match seen.step.cause {
            StepCause::Timeout => self.timeout(seen),
            StepCause::DialResult(conn, _) if seen.ledger.conn(conn).is_some_and(KnownConn::is_open) => {
                self.reach(Probe::DoubledResult);
            }
            StepCause::SetActive(false) => self.reach(Probe::Inactive),
            StepCause::Other if matches!(input, Input::Clock { .. }) => self.reach(Probe::ClockSet),
            _ => {}
        }
    }

    fn timeout(&mut self, seen: RuleContext<'_>) {
        let due = seen.step.due_before.flatten();
        if due.is_some_and(|due| seen.now().since(due) > LATE) {
            self.reach(Probe::LateTimeout);
        }
    }

    pub(crate) fn action(&mut self, seen: RuleContext<'_>, action: &Action) {
        match action {
            Action::Dial { .. } => self.reach_if(seen.ledger.unheard.is_some(), Probe::TransportDowngrade),
            Action::Close { reason, .. } => self.close(*reason),
            Action::ScheduleRetry { peer, attempt, .. } => {
                let Some(peer) = seen.ledger.peers.get(*peer) else { return };
                let retry = peer.wanted.retry.unwrap_or(seen.ledger.config.retry);
                self.reach(Probe::Retry);
                self.reach_if(retry.wait(*attempt) == retry.cap, Probe::RetryCapped);
                self.reach_if(peer.last_end.forgotten > 0, Probe::RetryReset);
                self.reach_if(*attempt == peer.attempt, Probe::RetryFrozen);
            }
            Action::PauseAccept { until, .. } => {
                self.reach(Probe::PauseAccept);
                let capped = *until >= seen.now().after(seen.ledger.config.inbound.max_pause);
                self.reach_if(capped, Probe::PauseCapped);
            }
            Action::Save => self.reach(Probe::Save),
            Action::Emit(event) => self.event(seen, event),
            Action::ResolveSeed { .. } | Action::ResolveHost { .. } => {}
        }
    }

    fn reach_if(&mut self, reached: bool, probe: Probe) {
        if reached {
            self.reach(probe);
        }
    }

    fn close(&mut self, reason: CloseReason) {
        let probe = match reason {
            CloseReason::DialTimeout => Probe::DialTimeout,
            CloseReason::HandshakeTimeout => Probe::HandshakeTimeout,
            CloseReason::Surplus => Probe::SurplusClose,
            CloseReason::Late => Probe::LateSuccess,
            CloseReason::Banned => Probe::BanClosed,
            CloseReason::Misbehaved => Probe::Misbehaved,
            CloseReason::OwnAddress => Probe::OwnAddress,
            CloseReason::Duplicate => Probe::Duplicate,
            CloseReason::WrongIdentity => Probe::WrongIdentity,
            CloseReason::Superseded => Probe::Superseded,
            CloseReason::MissingServices => Probe::MissingServices,
            CloseReason::Done => Probe::VisitDone,
            CloseReason::LimitLowered => Probe::LimitLoweredClose,
            CloseReason::MadeRoom => Probe::MadeRoom,
            CloseReason::PeerRemoved => Probe::RemovedWhileBusy,
            CloseReason::Evicted | CloseReason::Requested | CloseReason::Inactive | CloseReason::Shutdown => return,
            // A reason of a later version has no probe here.
            _ => return,
        };
        self.reach(probe);
    }

    fn event(&mut self, seen: RuleContext<'_>, event: &Event) {
        let probe = match event {
            Event::Adopted { .. } => Probe::Adopted,
            Event::LookupFailed { .. } => Probe::LookupFailed,
            Event::PeerFinished { .. } => Probe::PeerFinished,
            Event::ScoreWarning { .. } => Probe::ScoreWarning,
            Event::Banned { target, .. } => {
                self.reach_if(matches!(target, BanTarget::Subnet(_)), Probe::SubnetBan);
                Probe::Ban
            }
            Event::Unbanned { .. } if seen.step.cause == StepCause::Timeout => Probe::BanExpired,
            Event::Unbanned { .. } if seen.step.cause != StepCause::Unban => Probe::BanEvicted,
            Event::DialFailed { error: DialFailure::Failed(DialError::OutOfResources), .. }
                if seen.ledger.short_from.is_none() =>
            {
                Probe::Shortage
            }
            Event::NetworkDown { .. } => Probe::NetworkDown,
            Event::NetworkUp { .. } => Probe::NetworkUp,
            Event::AddressesWanted { .. } => Probe::AddressesWanted,
            Event::Refused { .. } => Probe::RefusalsTold,
            Event::SeedAnswered { .. } => Probe::SeedAnswered,
            Event::SeedFailed { .. } => Probe::SeedFailed,
            Event::Stopped => Probe::Stopped,
            _ => return,
        };
        self.reach(probe);
    }

    pub(crate) fn after(&mut self, seen: RuleContext<'_>) {
        let (ledger, step) = (seen.ledger, seen.step);
        let full = ledger.count(Kind::Full);
        if let StepCause::Ready(conn, _) = step.cause {
            let is_full =
                ledger.conn(conn).is_some_and(|conn| conn.kind == Some(Kind::Full) && conn.life == ConnLife::Ready);
            self.reach_if(is_full && full.ready == ledger.split.full, Probe::TargetReached);
        }
        for dial in step.dials.iter().filter_map(|id| ledger.conn(*id)) {
            let held = full.open + full.dialing;
            self.reach_if(dial.kind == Some(Kind::Full) && held > ledger.split.full, Probe::HedgedDial);
            self.reach_if(dial.is_probe, Probe::OutageProbe);
        }
        self.reach_if(step.stalled, Probe::StalledHandshake);
        self.reach_if(step.took_slot, Probe::SlotTakenBack);
        self.reach_if(step.slowed, Probe::PaceSlowed);
        self.reach_if(step.restored, Probe::PaceRestored);
        let most = ledger.config.max_actions_per_input;
        self.reach_if(step.actions + 8 > most && !step.is_settled(), Probe::MaxActionsBoundReached);
    }
}
