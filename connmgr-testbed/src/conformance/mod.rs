//! One list of scenarios, executed by every adapter on real loopback sockets.
//!
//! Beyond what a scenario expects, the end of each [`TestWorld`] checks that the run's trace replays action for action,
//! and that the application was told what the manager emitted, in that order. On Linux, where each scenario has a
//! process of its own, it also checks that no descriptor, task or thread is left.
//!
//! An adapter implements [`Rig`]; `connmgr_testbed::conformance!(rig::Tokio);` makes one test of each scenario.

mod alone;
#[cfg(target_os = "linux")]
mod census;
mod ledger;
#[cfg(target_os = "linux")]
mod limits;
#[cfg(target_os = "linux")]
mod namespace;
mod rig;
pub mod scenarios;
mod setup;
mod world;

pub use alone::run;
pub use rig::{NextEvent, Rig, RigPool};
pub use setup::{BACKOFF, Hook, Listen, Prepare, Setup, config};
pub use world::{TestWorld, tale};

/// Makes a test of each scenario, run with this [`Rig`].
#[macro_export]
macro_rules! conformance {
    ($rig:ty) => {
        $crate::scenarios! { $rig;
            added:
                an_added_peer_is_connected,
                a_connection_that_is_released_is_made_again_after_its_back_off,
                a_connection_that_we_close_ends_for_whoever_holds_it;
            refused:
                a_peer_that_refuses_is_tried_until_it_accepts,
                every_failure_is_followed_by_the_time_of_its_retry;
            silent:
                #[cfg(target_os = "linux")] a_silent_peer_is_given_up_at_its_deadline,
                #[cfg(target_os = "linux")] a_silent_peer_that_wakes_is_connected,
                #[cfg(target_os = "linux")] a_dial_that_was_given_up_reaches_nobody;
            itself:
                #[cfg(target_os = "linux")] a_dial_that_meets_itself_has_met_nobody;
            late:
                a_dial_that_succeeds_after_its_abort_is_not_shown,
                a_dial_that_succeeds_at_its_abort_is_closed;
            hung_up:
                a_peer_that_hangs_up_without_a_word_is_told_so,
                a_peer_that_closes_at_once_is_dialed_ever_more_slowly;
            resets:
                a_reset_before_the_first_byte_is_told,
                a_reset_after_the_first_byte_is_told,
                a_reset_is_seen_by_whoever_writes,
                a_stranger_that_resets_at_once_harms_nobody,
                a_proxy_that_resets_at_any_stage_has_failed;
            half_close:
                a_peer_that_has_said_everything_still_listens,
                our_half_can_be_closed_alone;
            inbound:
                who_comes_is_connected_and_who_goes_is_missed,
                one_too_many_of_a_host_is_refused,
                a_hundred_that_go_at_once_are_all_missed,
                two_listeners_are_told_apart,
                after_a_shutdown_nobody_is_let_in;
            families:
                both_families_are_let_in_at_one_port;
            crowd:
                #[cfg(target_os = "linux")] five_hundred_connections_are_held_at_once;
            proxied:
                a_name_goes_to_a_slow_proxy_and_what_follows_its_reply_is_the_peers,
                each_connection_has_a_circuit_of_its_own,
                a_proxy_that_is_not_there_is_not_the_peers_fault,
                a_dial_that_is_given_up_ends_at_once,
                dials_that_open_one_after_another_use_nothing_up,
                dials_given_up_one_after_another_use_nothing_up,
                a_proxy_that_talks_nonsense_is_told_so;
            plain_proxies:
                a_proxy_without_authentication_is_used_and_told_of_once,
                a_proxy_that_takes_credentials_isolates_and_is_not_told_of,
                a_seed_is_dialed_by_name_where_its_lookup_is_not_supported,
                why_a_seed_has_failed_at_its_proxy_is_told;
            named_proxies:
                a_proxy_is_found_by_its_name,
                an_address_of_the_proxy_that_refuses_is_followed_by_the_next,
                a_proxy_that_has_moved_is_found_again,
                a_proxy_whose_name_is_unknown_fails_the_dial_until_it_is_known,
                a_seed_is_looked_up_through_a_proxy_by_name,
                a_dial_that_waits_for_its_proxys_name_can_be_given_up;
            seeds:
                a_seed_is_looked_up_through_the_proxy_and_nowhere_else,
                a_lookup_that_is_never_answered_ends_at_its_deadline;
            names:
                a_name_is_resolved_by_the_hook,
                a_name_that_nobody_knows_fails_its_peer,
                a_resolver_that_hangs_delays_nobody_else,
                #[cfg(target_os = "linux")] a_shutdown_waits_for_no_resolver,
                #[cfg(target_os = "linux")] a_resolver_that_never_answers_has_four_threads_at_most,
                #[cfg(target_os = "linux")] a_shutdown_waits_for_no_lookup_of_the_operating_system;
            commands:
                commands_are_answered_in_the_middle_of_the_event_loop,
                next_may_be_given_up_at_any_time,
                facts_reach_the_manager,
                a_host_that_misbehaves_is_banned;
            prepared:
                #[cfg(target_os = "linux")] a_dial_comes_from_the_address_that_the_hook_binds,
                every_socket_is_prepared_also_one_to_a_proxy,
                a_hook_that_fails_is_not_the_peers_fault;
            given_listener:
                who_comes_to_a_listener_that_was_given_is_let_in,
                a_listener_that_was_given_is_known_as_our_own;
            taken_out:
                a_stream_that_was_taken_out_belongs_to_its_owner_until_it_is_released,
                a_stream_that_was_taken_out_is_shut_when_we_close,
                the_peers_end_of_a_stream_that_was_taken_out_is_told;
            connect:
                a_connection_that_is_asked_for_is_had_and_is_no_event,
                a_peer_that_refuses_is_the_end_of_it,
                a_name_that_nobody_knows_is_not_found,
                the_next_address_is_tried_until_one_opens,
                once_connected_no_other_address_is_tried,
                what_forbids_the_dial_is_told_at_once,
                what_a_name_leads_to_may_be_forbidden_too,
                without_a_slot_it_does_not_wait,
                the_connection_of_the_pool_is_not_disturbed,
                a_peer_that_is_added_and_connected_is_told_with_its_connection,
                a_name_is_reached_through_the_proxy,
                a_connection_that_nobody_waits_for_is_given_back,
                a_pool_that_is_gone_connects_nobody,
                #[cfg(target_os = "linux")] a_silent_peer_is_waited_for_until_the_dials_deadline,
                #[cfg(target_os = "linux")] a_dial_that_nobody_waits_for_is_given_up,
                #[cfg(target_os = "linux")] a_shutdown_ends_the_wait;
            sockets:
                #[cfg(unix)] a_connection_knows_our_own_end,
                #[cfg(unix)] a_connection_knows_the_other_end_of_its_socket,
                #[cfg(unix)] small_messages_are_sent_at_once;
            life:
                #[cfg(target_os = "linux")] bytes_that_are_read_keep_a_network_up;
            idle:
                an_idle_pool_does_not_wake;
            starting:
                a_port_that_is_taken_is_named,
                a_configuration_that_makes_no_sense_is_refused_by_field,
                a_listener_after_the_last_number_is_refused;
            state:
                a_ban_outlives_the_pool,
                a_ban_outlives_a_pool_that_is_dropped,
                addresses_outlive_the_pool,
                a_disk_that_takes_nothing_is_told_of_at_the_end,
                a_directory_that_is_removed_is_made_again,
                #[cfg(target_os = "linux")] a_directory_that_turns_read_only_is_told_of_and_the_pool_goes_on,
                a_damaged_file_is_told_of_and_the_pool_goes_on,
                two_pools_do_not_share_a_directory,
                a_trace_tells_the_whole_run_and_runs_again;
            times:
                the_time_until_a_retry_can_be_told;
            descriptors:
                #[cfg(target_os = "linux")] a_listener_without_descriptors_pauses_and_comes_back,
                #[cfg(target_os = "linux")] a_dial_without_descriptors_is_not_the_peers_fault;
            shutdown:
                a_shutdown_in_the_middle_of_dials_hangs_up_on_everyone,
                a_shutdown_in_the_middle_of_a_lookup_hangs_up_on_the_proxy,
                the_last_event_is_stopped,
                a_pool_that_is_dropped_closes_its_connections,
                #[cfg(target_os = "linux")] a_shutdown_in_the_middle_of_everything_leaves_nothing;
        }
    };
}

/// Makes a test of each scenario that needs a real Tor, run with this [`Rig`]: for `.ci/interop-tor`.
#[macro_export]
macro_rules! behind_tor {
    ($rig:ty) => {
        $crate::scenarios! { $rig;
            behind_tor:
                a_seed_is_resolved_by_tor_and_its_answer_dialed_through_tor,
                a_seed_may_answer_with_an_ipv6_address,
                a_seed_that_tor_cannot_resolve_has_failed,
                each_stream_has_a_user_of_its_own,
                a_name_that_tor_cannot_reach_has_timed_out,
                an_onion_address_that_cannot_be_is_an_unreachable_service,
                a_dead_tor_is_a_dead_network_until_it_is_back;
        }
    };
}

/// Makes a test of each scenario that needs a real OpenSSH, run with this [`Rig`]: for `.ci/interop-ssh`.
#[macro_export]
macro_rules! behind_ssh {
    ($rig:ty) => {
        $crate::scenarios! { $rig;
            behind_ssh:
                a_peer_is_connected_through_ssh,
                a_seed_is_dialed_by_name_through_ssh,
                where_isolation_is_required_ssh_is_of_no_use;
        }
    };
}

/// One test a scenario: `file: scenario, scenario; file: ...`.
#[doc(hidden)]
#[macro_export]
macro_rules! scenarios {
    ($rig:ty; $($file:ident: $($(#[$meta:meta])* $name:ident),+;)+) => { $($(
        #[test]
        $(#[$meta])*
        fn $name() {
            let test = concat!(module_path!(), "::", stringify!($name));
            $crate::conformance::run::<$rig>(test, $crate::conformance::scenarios::$file::$name);
        }
    )+)+ };
}
