//! The `rescorer` command.
fn main() {}
