//! The bodies of the fuzz targets.
//!
//! A body takes any bytes, and panics when a property is broken. It does not depend on a fuzzing engine:
//! `fuzz/fuzz_targets` calls it with the bytes of libFuzzer, `tests/corpus.rs` with those in `fuzz/corpus`. How to run a
//! target and how to add one is in `fuzz/README.md`.

mod asn_table;
mod bytes;
mod configs;
mod inputs;
mod peers_file;
mod scenario;
mod script;
mod snapshot;
mod socks;
mod state_files;
mod words;

pub use asn_table::asn_table;
pub use inputs::inputs;
pub use peers_file::peers_file;
pub use scenario::scenario;
pub use snapshot::snapshot;
pub use socks::socks;
pub use state_files::state_files;

/// A body: panics when the bytes break a property.
pub type Body = fn(&[u8]);

/// Every target, in order of names. The name is that of its file in `fuzz/fuzz_targets` and its directory in
/// `fuzz/corpus`.
pub const TARGETS: [(&str, Body); 7] = [
    ("asn_table", asn_table),
    ("inputs", inputs),
    ("peers_file", peers_file),
    ("scenario", scenario),
    ("snapshot", snapshot),
    ("socks", socks),
    ("state_files", state_files),
];
