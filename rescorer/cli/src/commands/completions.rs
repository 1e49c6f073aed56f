use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs};
use crate::status::Outcome;

/// Writes the completion script of a shell to stdout.
pub fn run(args: CompletionsArgs) -> anyhow::Result<Outcome> {
    clap_complete::generate(args.shell, &mut Cli::command(), "rescorer", &mut std::io::stdout());
    Ok(Outcome::Complete)
}
