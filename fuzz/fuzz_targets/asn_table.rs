//! See `connmgr_fuzz::asn_table`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| connmgr_fuzz::asn_table(data));
