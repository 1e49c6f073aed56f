use std::ffi::OsString;

use anyhow::bail;

use crate::status::Outcome;

/// Subcommands of the interface that this version does not have yet.
const LATER: [&str; 1] = ["transcribe"];

/// Refuses a subcommand by name.
pub fn refuse(words: &[OsString]) -> anyhow::Result<Outcome> {
    let name = words.first().map(|word| word.to_string_lossy()).unwrap_or_default();
    if LATER.contains(&name.as_ref()) {
        bail!("`{name}` is not built in this version; see `rescorer --help` for what is");
    }
    bail!("there is no subcommand `{name}`; see `rescorer --help`");
}
