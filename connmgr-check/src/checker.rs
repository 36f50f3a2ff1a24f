//! The trait of a rule, and the list of all rules.

use connmgr_core::{Action, ConnManager, Input, Reply, Time};

use super::ledger::Ledger;
use super::property::Property;
use super::rules;
use super::step::StepRecord;
use super::violation::Violation;

/// Whether a rule holds; if not, a text that says what was expected and what was seen.
pub(crate) type RuleResult = Result<(), String>;

/// Fails with a text unless the rule holds. The text is only built on failure.
pub(crate) fn hold(holds: bool, otherwise: impl FnOnce() -> String) -> RuleResult {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// What every rule may look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RuleContext<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) step: &'a StepRecord,
}

impl RuleContext<'_> {
    pub(crate) const fn now(&self) -> Time {
        self.step.now
    }
}

/// Which steps concern a rule. In nearly all steps a peer gives a sign of life, or time passes, and nothing is caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Concern {
    /// Each.
    EachStep,
    /// Those with actions, or with an input that is more than time, a sign of life or addresses. What `input` notes for
    /// such a step, `after` takes: it is not called in between.
    News,
    /// Those that dial.
    Dials,
    /// Due timeouts.
    DueTimeout,
}

/// A rule checks one property of the manager from its inputs and actions. `input` and `action` see the ledger as it was
/// before the input or action.
pub(crate) trait Rule: Default {
    /// The property that is broken when the rule is.
    const PROPERTY: Property;
    /// When `input` is called; no action is known then.
    const INPUT: Concern = Concern::EachStep;
    /// When `after` is called.
    const AFTER: Concern = Concern::EachStep;

    /// The manager is born. Called once, before all else.
    fn begin(&mut self, _: &Ledger) {}

    /// The manager was told an input and gave this reply; its actions follow. Called as [`Self::INPUT`] says.
    fn input(&mut self, _: RuleContext<'_>, _: &Input, _: &Reply) -> RuleResult {
        Ok(())
    }

    /// The manager emitted an action.
    fn action(&mut self, _: RuleContext<'_>, _: &Action) -> RuleResult {
        Ok(())
    }

    /// The step is over. The ledger knows all its actions. Called as [`Self::AFTER`] says.
    fn after(&mut self, _: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        Ok(())
    }

    /// Called now and then after a step, for checks that cost too much to run at every step.
    fn audit(&mut self, _: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        Ok(())
    }
}

macro_rules! rules {
    ($($module:ident: $rule:ident,)+) => {
        /// All rules.
        #[derive(Clone, Debug, Default)]
        pub(crate) struct RuleSet {
            $($module: rules::$module::$rule,)+
        }

        impl RuleSet {
            pub(crate) fn new(ledger: &Ledger) -> Self {
                let mut rules = Self::default();
                $(rules.$module.begin(ledger);)+
                rules
            }

            pub(crate) fn input(&mut self, seen: RuleContext<'_>, input: &Input, reply: &Reply) -> Result<(), Violation> {
                $(if seen.step.is_of(<rules::$module::$rule as Rule>::INPUT) {
                    self.$module.input(seen, input, reply).map_err(|what| broken(&self.$module, seen, what))?;
                })+
                Ok(())
            }

            pub(crate) fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> Result<(), Violation> {
                $(self.$module.action(seen, action).map_err(|what| broken(&self.$module, seen, what))?;)+
                Ok(())
            }

            pub(crate) fn after(&mut self, seen: RuleContext<'_>, manager: &ConnManager) -> Result<(), Violation> {
                $(if seen.step.is_of(<rules::$module::$rule as Rule>::AFTER) {
                    self.$module.after(seen, manager).map_err(|what| broken(&self.$module, seen, what))?;
                } else {
                    debug_assert_eq!(self.$module.after(seen, manager), Ok(()), "the step is not of the rule's concern");
                })+
                Ok(())
            }

            pub(crate) fn audit(&mut self, seen: RuleContext<'_>, manager: &ConnManager) -> Result<(), Violation> {
                $(self.$module.audit(seen, manager).map_err(|what| broken(&self.$module, seen, what))?;)+
                Ok(())
            }
        }
    };
}

#[cold]
fn broken<R: Rule>(_: &R, seen: RuleContext<'_>, what: String) -> Violation {
    Violation { property: R::PROPERTY, at: seen.now(), what }
}

rules! {
    connection_ends_once: ConnectionEndsOnceRule,
    dial_ends_once: DialEndsOnceRule,
    ids_count_up: IdsCountUpRule,
    early_is_free: EarlyIsFreeRule,
    progress: ProgressRule,
    actions_bounded: ActionsBoundedRule,
    no_spin: NoSpinRule,
    address_in_use: AddressInUseRule,
    own_address: OwnAddressRule,
    banned_dial: BannedDialRule,
    ban_closes: BanClosesRule,
    ban_ends: BanEndsRule,
    group_taken: GroupTakenRule,
    slot_limits: SlotLimitsRule,
    success_kept: SuccessKeptRule,
    total_limit: TotalLimitRule,
    route: RouteRule,
    connect_only: ConnectOnlyRule,
    deadlines: DeadlinesRule,
    retry_bounds: RetryBoundsRule,
    retry_comes: RetryComesRule,
    removed_peer: RemovedPeerRule,
    added_peers: AddedPeersRule,
    score_arithmetic: ScoreArithmeticRule,
    inbound_admission: InboundAdmissionRule,
    refusals_told: RefusalsToldRule,
    accept_pause: AcceptPauseRule,
    nonce_unique: NonceUniqueRule,
    self_connection: SelfConnectionRule,
    duplicates: DuplicatesRule,
    required_services: RequiredServicesRule,
    transport: TransportRule,
    seeds: SeedsRule,
    resting: RestingRule,
    shut_means_shut: ShutMeansShutRule,
    outage_budget: OutageBudgetRule,
    dial_spacing: DialSpacingRule,
    dial_rate: DialRateRule,
    pace: PaceRule,
    shortage: ShortageRule,
    alias_rests: AliasRestsRule,
    dial_storm: DialStormRule,
    drop_blames_nobody: DropBlamesNobodyRule,
    save_spacing: SaveSpacingRule,
    view_agrees: ViewAgreesRule,
    invariants: InvariantsRule,
}
