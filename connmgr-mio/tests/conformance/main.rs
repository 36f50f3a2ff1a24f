//! The conformance suite on mio.

mod rig;

connmgr_testbed::conformance!(crate::rig::Mio);

#[cfg(all(feature = "interop", target_os = "linux"))]
mod behind_tor {
    connmgr_testbed::behind_tor!(crate::rig::Mio);
}

#[cfg(all(feature = "interop", target_os = "linux"))]
mod behind_ssh {
    connmgr_testbed::behind_ssh!(crate::rig::Mio);
}
