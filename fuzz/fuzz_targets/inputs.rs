//! See `connmgr_fuzz::inputs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| connmgr_fuzz::inputs(data));
