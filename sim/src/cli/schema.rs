//! `credsim schema`.

use super::{Console, exit};
use crate::scenario;

/// Prints the JSON Schema of scenario files.
pub fn run(console: &mut Console) -> u8 {
    let schema = scenario::schema();
    console.data(schema.trim_end());
    console.data("\n");
    exit::PASSED
}
