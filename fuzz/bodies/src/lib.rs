//! What each fuzz target does with its bytes.
//!
//! A body takes any bytes and panics when a promise is broken. It knows nothing of the engine that finds the bytes:
//! `fuzz/fuzz_targets` hands it those of libFuzzer, `tests/corpus.rs` those that are committed in `fuzz/corpus`. How
//! to run a target and how to add one is in `fuzz/README.md`.

mod bytes;
mod configs;
mod inputs;
mod scenario;
mod snapshot;
mod socks;
mod state_files;
mod story;
mod words;

pub use inputs::inputs;
pub use scenario::scenario;
pub use snapshot::snapshot;
pub use socks::socks;
pub use state_files::state_files;

/// A body: panics when the bytes break a promise.
pub type Body = fn(&[u8]);

/// Every target in order of its name, which is that of its file in `fuzz/fuzz_targets` and of its directory in `fuzz/corpus`.
pub const TARGETS: [(&str, Body); 5] = [
    ("inputs", inputs),
    ("scenario", scenario),
    ("snapshot", snapshot),
    ("socks", socks),
    ("state_files", state_files),
];
