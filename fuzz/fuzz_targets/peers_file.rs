//! See `connmgr_fuzz::peers_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| connmgr_fuzz::peers_file(data));
