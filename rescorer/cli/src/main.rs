//! The `rescorer` command: options in, library calls, lines out.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod ahead;
mod answers;
mod args;
mod audit_args;
mod base_model_args;
mod cli;
mod commands;
mod judge_args;
mod learn_args;
mod lists;
mod model;
mod numbers;
mod perturb_args;
mod policy_arg;
mod read_item;
mod recipe_flags;
mod recipe_keys;
mod reference_warnings;
mod remedy;
mod routing;
mod score_args;
#[cfg(feature = "serve")]
mod serve_args;
mod sink;
mod status;
mod train_args;
mod transcribe_args;
mod view;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use status::Outcome;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap's own answer to --help and --version goes to stdout with 0, to bad usage to stderr with 2.
            if std::env::args_os().len() > 1 {
                let _ = error.print();
            } else {
                status::print(cli::START.trim_end());
            }
            return ExitCode::from(u8::from(error.use_stderr()) * 2);
        }
    };
    match run(cli) {
        Ok(Outcome::Complete) => ExitCode::SUCCESS,
        Ok(Outcome::Partial) => ExitCode::from(1),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            status::print(format_args!("error: {}", remedy::told(&error)));
            ExitCode::from(2)
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<Outcome> {
    match cli.command {
        Command::Models(args) => commands::models::run(args),
        Command::Score(args) => commands::score::run(args),
        Command::Rescore(args) => commands::rescore::run(args),
        Command::Tune(args) => commands::tune::run(args),
        Command::Evaluate(args) => commands::evaluate::run(args),
        Command::Learn(args) => commands::learn::run(*args),
        Command::Train(args) => commands::train::run(*args),
        Command::Adapter(args) => commands::adapter::run(args),
        Command::Explain(args) => commands::explain::run(args),
        Command::Compare(args) => commands::compare::run(args),
        Command::Homophones(args) => commands::homophones::run(args),
        Command::Perturb(args) => commands::perturb::run(args),
        Command::PerturbAudio(args) => commands::perturb_audio::run(args),
        Command::Robustness(args) => commands::robustness::run(args),
        Command::Stats(args) => commands::stats::run(args),
        #[cfg(feature = "serve")]
        Command::Serve(args) => commands::serve::run(*args),
        Command::Transcribe(args) => commands::transcribe::run(*args),
        Command::Completions(args) => commands::completions::run(args),
        Command::Man(args) => commands::man::run(args),
    }
}

/// A reader of our output that has seen enough, such as `head`, is no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
            || cause
                .downcast_ref::<rescorer_nbest::Error>()
                .is_some_and(rescorer_nbest::Error::is_broken_pipe)
    })
}
