//! The conformance suite on tokio.

mod rig;

connmgr_testbed::conformance!(crate::rig::Tokio);

#[cfg(all(feature = "interop", target_os = "linux"))]
mod behind_tor {
    connmgr_testbed::behind_tor!(crate::rig::Tokio);
}

#[cfg(all(feature = "interop", target_os = "linux"))]
mod behind_ssh {
    connmgr_testbed::behind_ssh!(crate::rig::Tokio);
}
