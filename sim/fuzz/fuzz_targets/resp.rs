//! What a Redis client or server may send, in pieces.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    credsim::service::redis::resp_survives(bytes);
});
