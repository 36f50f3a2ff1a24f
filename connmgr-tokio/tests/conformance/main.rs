//! The suite that every adapter passes, on tokio.

mod rig;

connmgr_testbed::conformance!(crate::rig::Tokio);
