//! What lies between the managers and the hosts: name servers and a proxy.

use serde::{Deserialize, Serialize};

use super::{Span, TimeSpread};
use crate::types::Instant;

/// A DNS seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SeedSpec {
    /// Its name, such as `seed1.example`.
    pub name: String,
    /// What it does.
    #[serde(default)]
    pub behavior: SeedBehavior,
    /// What it does when it is asked by services, as `x9.` and its name: `answer` is whatever it does otherwise. Absent: it
    /// is known not to filter, and is never asked that way.
    #[serde(default)]
    pub by_services: Option<SeedBehavior>,
    /// A change of its behavior at one moment.
    #[serde(default)]
    pub turns: Option<SeedTurn>,
    /// The populations it answers with; none named: all that may be known.
    #[serde(default)]
    pub about: Vec<String>,
    /// How many addresses it answers with; 26 as a rule.
    #[serde(default = "rule")]
    pub answers: u32,
    /// How long it takes.
    #[serde(default = "a_while")]
    pub latency: TimeSpread,
}

/// A change of a seed's behavior.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SeedTurn {
    /// When.
    pub at: Span,
    /// What it does from then on.
    pub into: SeedBehavior,
}

impl SeedSpec {
    /// A seed that answers.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            behavior: SeedBehavior::default(),
            by_services: None,
            turns: None,
            about: Vec::new(),
            answers: rule(),
            latency: a_while(),
        }
    }

    /// What it does at a moment of the world.
    pub fn behavior(&self, now: Instant) -> SeedBehavior {
        let turned = self.turns.filter(|turn| now >= Instant::ZERO.after(turn.at.0));
        turned.map_or(self.behavior, |turn| turn.into)
    }
}

/// What a name server does when it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeedBehavior {
    /// Answers.
    #[default]
    Answer,
    /// Says that there is no such name.
    NotFound,
    /// Says that it failed.
    Fail,
    /// Says nothing.
    Hang,
    /// Answers with no address.
    Empty,
    /// Answers with addresses that can't be reached.
    Junk,
    /// Answers after the deadline.
    Late,
    /// Answers twice.
    Twice,
}

/// How names of added peers are looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct NamesSpec {
    /// What name servers do.
    pub behavior: SeedBehavior,
    /// How long it takes.
    pub latency: TimeSpread,
    /// A name resolves to this many hosts of its population.
    pub answers: u32,
}

impl Default for NamesSpec {
    fn default() -> Self {
        Self { behavior: SeedBehavior::Answer, latency: a_while(), answers: 1 }
    }
}

/// The SOCKS proxy of every manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProxySpec {
    /// Everything goes through it; otherwise only what lives in onion.
    #[serde(default)]
    pub for_all: bool,
    /// It understands Tor's RESOLVE.
    #[serde(default = "yes")]
    pub resolves: bool,
    /// What it adds to every dial.
    #[serde(default)]
    pub adds: Span,
}

/// How a proxy fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyFault {
    /// Nobody listens at its address.
    Refused,
    /// It is up, and reports that its network is unreachable.
    Fails,
    /// It is up, its network is dead, and it never answers.
    Silent,
    /// It is up, and every service behind it looks down.
    Unreachable,
    /// It refuses our credentials.
    Auth,
    /// It is up, and reports after 5 s that its network is unreachable.
    FailsLate,
    /// It is up, and reports after 10 s that the host can't be reached.
    HostUnreachable,
    /// Something that does not speak SOCKS listens at its address.
    Garbage,
}

const fn rule() -> u32 {
    26
}

const fn yes() -> bool {
    true
}

fn a_while() -> TimeSpread {
    TimeSpread::Uniform(Span::millis(20), Span::millis(400))
}
