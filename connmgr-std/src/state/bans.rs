//! `bans.json`: the bans, for people to read and to edit.
//!
//! ```json
//! { "version": 1, "bans": [
//!   { "target": "1.2.3.0/24", "since": "2026-01-31T12:00:00Z", "until": "2026-02-01T12:00:00Z" },
//!   { "target": "2001:db8::1", "until": 1769947200 } ] }
//! ```
//! `"except": ["1.2.3.4"]` in an entry names parts of its target that are not banned. A target with a slash is a subnet, any other a host. Times are dates in UTC, or seconds since 1970. `since` may be
//! left out. A bad entry is skipped; the others are kept.

use connmgr_core::{BanTarget, SavedBan, UnixTime};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::damage::{DamageCause, Loaded};
use super::date;

/// The version of the format.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct WriteFile {
    version: u32,
    bans: Vec<BanEntry>,
}

#[derive(Deserialize)]
struct ReadFile {
    #[serde(default)]
    bans: Vec<Value>,
}

#[derive(Serialize, Deserialize)]
struct BanEntry {
    target: String,
    #[serde(default)]
    since: BanTime,
    until: BanTime,
    /// Parts of it that are not banned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    except: Vec<String>,
}

/// A time, as a date or as seconds since 1970.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "a time must be a date such as 2026-01-31T12:00:00Z, or seconds since 1970")]
enum BanTime {
    Secs(u64),
    Date(String),
}

impl Default for BanTime {
    fn default() -> Self {
        Self::Secs(0)
    }
}

/// The whole file.
pub(super) fn encode(bans: &[SavedBan]) -> Vec<u8> {
    let file = WriteFile { version: VERSION, bans: bans.iter().map(BanEntry::from).collect() };
    let mut text = serde_json::to_vec_pretty(&file).expect("text and numbers, into a vector");
    text.push(b'\n');
    text
}

/// The good entries, and what is wrong with the others.
pub(super) fn decode(file: &[u8]) -> Loaded<Vec<SavedBan>> {
    match open(file) {
        Ok(entries) => parse(entries),
        Err(why) => Loaded::Nothing(why),
    }
}

fn open(file: &[u8]) -> Result<Vec<Value>, DamageCause> {
    let wrong = |error: serde_json::Error| DamageCause::Content(error.to_string());
    // The version comes first: another release may have other fields.
    let file: Value = serde_json::from_slice(file).map_err(wrong)?;
    let version = file.get("version").ok_or(DamageCause::Foreign)?;
    match u32::deserialize(version).map_err(wrong)? {
        VERSION => {}
        found => return Err(DamageCause::Version { found, known: VERSION }),
    }
    ReadFile::deserialize(file).map(|file| file.bans).map_err(wrong)
}

fn parse(entries: Vec<Value>) -> Loaded<Vec<SavedBan>> {
    let mut bans = Vec::new();
    let mut wrong = None;
    let mut count = 0;
    for (index, entry) in entries.into_iter().enumerate() {
        let entry = BanEntry::deserialize(entry).map_err(|error| error.to_string());
        match entry.and_then(|entry| SavedBan::try_from(&entry)) {
            Ok(ban) => bans.push(ban),
            Err(why) => {
                count += 1;
                wrong.get_or_insert((index + 1, why));
            }
        }
    }
    match wrong {
        None => Loaded::Whole(bans),
        Some((first, why)) => Loaded::Part(bans, DamageCause::Entries { count, first, why }),
    }
}

impl From<&SavedBan> for BanEntry {
    fn from(ban: &SavedBan) -> Self {
        Self {
            target: ban.target.to_string(),
            since: BanTime::from(ban.since),
            until: BanTime::from(ban.until),
            except: ban.exceptions.iter().map(ToString::to_string).collect(),
        }
    }
}

impl TryFrom<&BanEntry> for SavedBan {
    type Error = String;

    fn try_from(entry: &BanEntry) -> Result<Self, String> {
        let exceptions: Result<Vec<_>, String> = entry.except.iter().map(|text| target(text)).collect();
        Ok(Self {
            target: target(&entry.target)?,
            since: entry.since.time()?,
            until: entry.until.time()?,
            exceptions: exceptions?,
        })
    }
}

fn target(text: &str) -> Result<BanTarget, String> {
    let wrong = |why: &dyn ToString| format!("target {text:?}: {}", why.to_string());
    if text.contains('/') {
        text.parse().map(BanTarget::Subnet).map_err(|error| wrong(&error))
    } else {
        text.parse().map(BanTarget::Host).map_err(|error| wrong(&error))
    }
}

impl From<UnixTime> for BanTime {
    fn from(time: UnixTime) -> Self {
        date::write(time).map_or(Self::Secs(time.as_secs()), Self::Date)
    }
}

impl BanTime {
    fn time(&self) -> Result<UnixTime, String> {
        match self {
            Self::Secs(secs) => Ok(UnixTime::from_secs(*secs)),
            Self::Date(text) => date::read(text).ok_or_else(|| format!("no time: {text:?}")),
        }
    }
}
