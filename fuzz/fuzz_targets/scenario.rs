//! See `connmgr_fuzz::scenario`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| connmgr_fuzz::scenario(data));
