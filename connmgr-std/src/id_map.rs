//! The table for ids.

use rustc_hash::FxHashMap;

/// A table whose keys are ids of the manager's. They count up, and nobody else chooses any: a cheap hash is safe.
pub type IdMap<K, V> = FxHashMap<K, V>;
