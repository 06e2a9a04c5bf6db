//! The head of a request to the proxy of a served world.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    credsim::live::head_survives(bytes);
});
