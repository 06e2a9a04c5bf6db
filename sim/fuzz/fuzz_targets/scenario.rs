//! A scenario file.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    credsim::simulation::scenario_survives(bytes);
});
