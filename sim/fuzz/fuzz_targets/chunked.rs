//! A chunked body that the proxy passes on, in pieces.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    credsim::live::chunked_survives(bytes);
});
