use anyhow::Context;
use clap::CommandFactory;

use crate::cli::{Cli, ManArgs};
use crate::status::Outcome;

/// Writes man pages into a folder: one of the command, and one of each subcommand.
pub fn run(args: ManArgs) -> anyhow::Result<Outcome> {
    let place = || format!("--output {}: give a folder that can be written", args.output.display());
    std::fs::create_dir_all(&args.output).with_context(place)?;
    clap_mangen::generate_to(Cli::command(), &args.output).with_context(place)?;
    Ok(Outcome::Complete)
}
