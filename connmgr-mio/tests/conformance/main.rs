//! The suite that every adapter passes, on mio.

mod rig;

connmgr_testbed::conformance!(crate::rig::Mio);
