use std::io::Write;

use clap::CommandFactory;

use crate::cli::{Cli, CompletionsArgs};
use crate::sink::Sink;
use crate::status::Outcome;

/// Writes the completion script of a shell to stdout.
pub fn run(args: CompletionsArgs) -> anyhow::Result<Outcome> {
    // The generator panics where its output can't be written.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "rescorer", &mut script);
    let mut out = Sink::open(None)?;
    out.write_all(&script)?;
    out.finish()?;
    Ok(Outcome::Complete)
}
