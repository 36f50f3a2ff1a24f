//! Bitcoin's configuration: ports, seeds, kinds and limits, as in Bitcoin Core.

use alloc::vec::Vec;

use super::{Config, GroupRule, Ranges, RequiredServices, Seed, SeedConfig};
use crate::types::names::names;
use crate::types::{HostName, Limits, Services};

/// One of Bitcoin's networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Chain {
    /// The main network.
    Mainnet,
    /// The public test network of BIP 94.
    Testnet4,
    /// The default signet of BIP 325.
    Signet,
    /// A private network on this machine.
    Regtest,
}

names! {
    Chain {
        Mainnet => "mainnet",
        Testnet4 => "testnet4",
        Signet => "signet",
        Regtest => "regtest",
    }
}

impl Chain {
    /// The port its nodes listen on.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Mainnet => 8333,
            Self::Testnet4 => 48333,
            Self::Signet => 38333,
            Self::Regtest => 18444,
        }
    }

    /// The DNS seeds of Bitcoin Core. All of them filter by services.
    pub const fn seed_names(self) -> &'static [&'static str] {
        match self {
            Self::Mainnet => &[
                "seed.bitcoin.sipa.be",
                "dnsseed.bluematt.me",
                "seed.bitcoin.jonasschnelli.ch",
                "seed.btc.petertodd.net",
                "seed.bitcoin.sprovoost.nl",
                "dnsseed.emzy.de",
                "seed.bitcoin.wiz.biz",
                "seed.mainnet.achownodes.xyz",
            ],
            Self::Testnet4 => &["seed.testnet4.bitcoin.sprovoost.nl", "seed.testnet4.wiz.biz"],
            Self::Signet => &["seed.signet.bitcoin.sprovoost.nl", "seed.signet.achownodes.xyz"],
            Self::Regtest => &[],
        }
    }

    fn seeds(self) -> Vec<Seed> {
        let seed = |name: &&str| {
            Seed::new(HostName::new(name).expect("the names above are host names")).filters_services(true)
        };
        self.seed_names().iter().map(seed).collect()
    }
}

impl Config {
    /// The configuration of a Bitcoin node: 8 full and 2 block-relay connections and one feeler out of 200; peers must
    /// serve blocks and witnesses; Bitcoin Core's seeds; no group rule in overlay networks. On regtest, peers may
    /// be on loopback too.
    pub fn bitcoin(chain: Chain) -> Self {
        let useful = Services::NETWORK | Services::WITNESS;
        Self {
            limits: Limits { total: 200, block_relay: 2, feeler: 1, ..Limits::default() },
            default_port: chain.default_port(),
            required: RequiredServices { full: useful, block_relay: useful, ..RequiredServices::default() },
            groups: GroupRule { exempt_overlays: true, ..GroupRule::default() },
            seeds: SeedConfig { names: chain.seeds(), ..SeedConfig::default() },
            ranges: Ranges { loopback: chain == Chain::Regtest, ..Ranges::default() },
            ..Self::default()
        }
    }
}
