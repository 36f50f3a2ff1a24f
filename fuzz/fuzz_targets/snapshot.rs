//! See `connmgr_fuzz::snapshot`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| connmgr_fuzz::snapshot(data));
