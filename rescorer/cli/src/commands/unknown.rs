use std::ffi::OsString;

use anyhow::bail;

use crate::status::Outcome;

/// Refuses a subcommand by name.
pub fn refuse(words: &[OsString]) -> anyhow::Result<Outcome> {
    let name = words.first().map(|word| word.to_string_lossy()).unwrap_or_default();
    bail!("there is no subcommand `{name}`; see `rescorer --help`");
}
