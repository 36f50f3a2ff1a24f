//! How a rule is written, and the list of all rules.

use connmgr_core::{Action, ConnManager, Input, Reply, Time};

use super::ledger::Ledger;
use super::property::Property;
use super::rules::*;
use super::step::Step;
use super::violation::Violation;

/// Whether a rule is kept; if not, what was expected and seen, for people.
pub(crate) type Verdict = Result<(), String>;

/// Holds, or fails with a text that is only made then.
pub(crate) fn hold(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// What every rule may look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) step: &'a Step,
}

impl Seen<'_> {
    pub(crate) const fn now(&self) -> Time {
        self.step.now
    }
}

/// A rule: one property of the manager, judged by what is told and asked. Each hook sees the ledger as it was before
/// what the hook is shown.
pub(crate) trait Rule {
    /// What is broken when the rule is.
    const PROPERTY: Property;

    /// An input was told, and answered so; its actions follow.
    fn input(&mut self, _: Seen<'_>, _: &Input, _: &Reply) -> Verdict {
        Ok(())
    }

    /// An action was asked for.
    fn action(&mut self, _: Seen<'_>, _: &Action) -> Verdict {
        Ok(())
    }

    /// All actions of the step were seen; the ledger has them.
    fn after(&mut self, _: Seen<'_>, _: &ConnManager) -> Verdict {
        Ok(())
    }

    /// Now and then, after a step: whatever costs more than a step may.
    fn audit(&mut self, _: Seen<'_>, _: &ConnManager) -> Verdict {
        Ok(())
    }
}

macro_rules! rules {
    ($($field:ident: $rule:ty,)+) => {
        /// All rules.
        #[derive(Clone, Debug)]
        pub(crate) struct Rules {
            $($field: $rule,)+
        }

        impl Rules {
            pub(crate) fn new(ledger: &Ledger) -> Self {
                Self { $($field: <$rule>::new(ledger),)+ }
            }

            pub(crate) fn input(&mut self, seen: Seen<'_>, input: &Input, reply: &Reply) -> Result<(), Violation> {
                $(self.$field.input(seen, input, reply).map_err(|what| broken::<$rule>(seen, what))?;)+
                Ok(())
            }

            pub(crate) fn action(&mut self, seen: Seen<'_>, action: &Action) -> Result<(), Violation> {
                $(self.$field.action(seen, action).map_err(|what| broken::<$rule>(seen, what))?;)+
                Ok(())
            }

            pub(crate) fn after(&mut self, seen: Seen<'_>, manager: &ConnManager) -> Result<(), Violation> {
                $(self.$field.after(seen, manager).map_err(|what| broken::<$rule>(seen, what))?;)+
                Ok(())
            }

            pub(crate) fn audit(&mut self, seen: Seen<'_>, manager: &ConnManager) -> Result<(), Violation> {
                $(self.$field.audit(seen, manager).map_err(|what| broken::<$rule>(seen, what))?;)+
                Ok(())
            }
        }
    };
}

#[cold]
fn broken<R: Rule>(seen: Seen<'_>, what: String) -> Violation {
    Violation { property: R::PROPERTY, at: seen.now(), what }
}

rules! {
    connection_ends_once: ConnectionEndsOnce,
    dial_ends_once: DialEndsOnce,
    ids_count_up: IdsCountUp,
    early_is_free: EarlyIsFree,
    progress: Progress,
    actions_bounded: ActionsBounded,
    no_spin: NoSpin,
    address_in_use: AddressInUse,
    own_address: OwnAddress,
    banned_dial: BannedDial,
    ban_closes: BanCloses,
    ban_ends: BanEnds,
    group_taken: GroupTaken,
    slot_limits: SlotLimits,
    success_kept: SuccessKept,
    total_limit: TotalLimit,
    route: Route,
    connect_only: ConnectOnly,
    deadlines: Deadlines,
    retry_bounds: RetryBounds,
    retry_comes: RetryComes,
    removed_peer: RemovedPeer,
    added_peers: AddedPeers,
    score_arithmetic: ScoreArithmetic,
    inbound_admission: InboundAdmission,
    accept_pause: AcceptPause,
    nonce_unique: NonceUnique,
    self_connection: SelfConnection,
    duplicates: Duplicates,
    required_services: RequiredServices,
    transport: Transport,
    seeds: Seeds,
    resting: Resting,
    shut_means_shut: ShutMeansShut,
    outage_budget: OutageBudget,
    dial_spacing: DialSpacing,
    dial_rate: DialRate,
    pace: Pace,
    shortage: Shortage,
    alias_rests: AliasRests,
    dial_storm: DialStorm,
    save_spacing: SaveSpacing,
    view_agrees: ViewAgrees,
    invariants: Invariants,
}
