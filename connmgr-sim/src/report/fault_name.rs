//! Faults in plain words, as they are named on a page.

use connmgr_core::NetworkKind;

use super::time_axis::lasting;
use crate::scenario::FaultKind;

/// What goes wrong, in a few words.
pub(super) fn of(fault: &FaultKind) -> String {
    let fixed = match fault {
        FaultKind::Silent(networks) => return format!("no answer from {}", listed(networks)),
        FaultKind::NoRoute(networks) => return format!("no route to {}", listed(networks)),
        FaultKind::Reset(networks) => return format!("{} resets everything", listed(networks)),
        FaultKind::Partition(share) => return format!("{share} of the hosts unreachable"),
        FaultKind::ClockForward(span) => return format!("wall clock {} forward", lasting(span.0)),
        FaultKind::ClockBack(span) => return format!("wall clock {} back", lasting(span.0)),
        FaultKind::MissingResults(share) => return format!("{share} of dial results missing"),
        FaultKind::HalfHanging(share) => return format!("{share} of connections hang"),
        FaultKind::Interface => "interface down",
        FaultKind::NatReset => "NAT loses its state",
        FaultKind::OwnFailures(_) => "dials fail locally",
        FaultKind::Proxy(_) => "proxy fails",
        FaultKind::NamesHang => "name servers silent",
        FaultKind::NamesFail => "name servers fail",
        FaultKind::Suspend(_) => "machine asleep",
        FaultKind::Crash => "process crashes",
        FaultKind::CrashToOldState => "crash, old state restored",
        FaultKind::OutOfDescriptors => "out of descriptors",
        FaultKind::LateResults => "late dial results",
        FaultKind::DoubledResults => "doubled dial results",
        FaultKind::Limits(_) => "limits changed",
        FaultKind::Inactive => "manager deactivated",
        FaultKind::NetworkChanged => "network change reported",
        FaultKind::Restart => "process restarts",
    };
    fixed.to_owned()
}

fn listed(networks: &[NetworkKind]) -> String {
    networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Span;
    use crate::types::Share;

    #[test]
    fn faults_are_named_in_plain_words() {
        let networks = vec![NetworkKind::Ipv4, NetworkKind::Ipv6];
        assert_eq!(of(&FaultKind::Silent(networks)), "no answer from ipv4, ipv6");
        assert_eq!(of(&FaultKind::Partition(Share::ALL)), "100 % of the hosts unreachable");
        assert_eq!(of(&FaultKind::ClockBack(Span::days(365))), "wall clock 365 d back");
        assert_eq!(of(&FaultKind::Restart), "process restarts");
    }
}
