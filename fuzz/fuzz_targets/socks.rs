//! See `connmgr_fuzz::socks`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| connmgr_fuzz::socks(data));
