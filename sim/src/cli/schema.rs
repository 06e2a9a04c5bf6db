//! `credsim schema`.

use super::{Console, exit};

/// Prints the JSON Schema of scenario files.
pub fn run(console: &mut Console) -> u8 {
    let schema = crate::story::schema();
    console.data(schema.trim_end());
    console.data("\n");
    exit::PASSED
}
