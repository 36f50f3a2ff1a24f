//! The list of all rules: a new rule is one line here.

use connmgr_core::{Action, ConnManager, Input, Reply};

use super::checker::{Rule, RuleContext};
use super::ledger::Ledger;
use super::rules;
use super::violation::Violation;

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
