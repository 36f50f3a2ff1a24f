//! One list of scenarios, executed by every adapter on real loopback sockets.
//!
//! What a scenario expects is written once, so the adapters are compared with one another through it. Beyond what the
//! scenario says, the end of each [`World`] checks that the run's trace replays action for action, and that the
//! application was told what the manager emitted, in that order; and, on Linux, where each scenario has a process of
//! its own, that afterwards no descriptor, task or thread is left.
//!
//! An adapter brings a [`Rig`] and names it: `connmgr_testbed::conformance!(rig::Tokio);` makes one test of each
//! scenario. Nothing here knows a runtime.

mod alone;
#[cfg(target_os = "linux")]
mod census;
mod ledger;
mod rig;
pub mod scenarios;
mod setup;
mod world;

pub use alone::run;
pub use rig::{Next, Rig, RigPool};
pub use setup::{BACKOFF, Hook, Listen, Setup, config};
pub use world::{World, tale};

/// Makes a test of each scenario, run with this [`Rig`].
#[macro_export]
macro_rules! conformance {
    ($rig:ty) => {
        $crate::scenarios! { $rig;
            refused: a_peer_that_refuses_is_tried_until_it_accepts;
            added: an_added_peer_is_connected;
            inbound: who_comes_is_connected_and_who_goes_is_missed;
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
