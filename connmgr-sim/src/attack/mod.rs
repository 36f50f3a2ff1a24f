//! Attacks on the address book: what honest nodes announce, and what an attacker does, as lists of announcements.
//!
//! It knows no book and no manager. The same seed gives the same lists; the attacker's addresses are never in a group
//! in which an honest node is, so every address shows whose it is. All are IPv4, where groups are /16.

mod land;
mod plan;
mod population;

use connmgr_core::{AddressInfo, SourceGroup};

pub use land::is_attackers;
pub use plan::AttackPlan;
pub use population::{HonestNode, HonestNodes};

/// One address, and who announced it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The group of the node that announced it.
    pub source: SourceGroup,
    /// What it said.
    pub info: AddressInfo,
}
