//! The hash map for ids.

use rustc_hash::FxHashMap;

/// A map whose keys are ids of the manager. They count up and no stranger chooses them, so a cheap hash is safe.
pub type IdMap<K, V> = FxHashMap<K, V>;
