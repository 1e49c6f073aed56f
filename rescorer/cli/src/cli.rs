//! The command as a whole, its subcommands, and the small ones' arguments.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::args::CommonArgs;
use crate::judge_args::{CompareArgs, EvaluateArgs, ExplainArgs, TuneArgs};
use crate::learn_args::LearnArgs;
use crate::perturb_args::{HomophonesArgs, PerturbArgs, PerturbAudioArgs, RobustnessArgs, StatsArgs};
use crate::score_args::{RescoreArgs, ScoreArgs};
#[cfg(feature = "serve")]
use crate::serve_args::ServeArgs;
use crate::train_args::{AdapterArgs, TrainArgs};
use crate::transcribe_args::TranscribeArgs;

/// Rescore the N-best lists of a speech recogniser with a language model
#[derive(Parser)]
#[command(name = "rescorer", version, after_help = EXAMPLES, disable_help_subcommand = true)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What is shown where nothing was asked for.
pub const START: &str = "Rescore the N-best lists of a speech recogniser with a language model.

Three things to do:
  rescorer evaluate lists.jsonl                       Measure the gain on lists with references
  rescorer tune lists.jsonl --output policy.toml      Find the best weights on lists with references
  rescorer rescore lists.jsonl --policy policy.toml   Pick the best hypothesis of each list

Usage: rescorer <COMMAND>. For all commands, run `rescorer --help`.
";

const EXAMPLES: &str = "Examples:
  rescorer evaluate lists.jsonl
  rescorer tune dev.jsonl --output policy.toml
  rescorer evaluate test.jsonl --policy policy.toml
  rescorer rescore lists.jsonl --policy policy.toml > text.tsv
  recogniser | rescorer rescore - --policy policy.toml --json

Exit codes:
  0  complete
  1  finished, but some utterances were skipped
  2  bad usage, or nothing usable";

#[derive(Subcommand)]
pub enum Command {
    /// Pick the best hypothesis of each list
    Rescore(RescoreArgs),
    /// Measure the word error rate before and after rescoring
    Evaluate(EvaluateArgs),
    /// Find the weights with the lowest word error rate
    Tune(TuneArgs),
    /// Score hypotheses or sentences with a language model
    Score(ScoreArgs),
    /// Show why one hypothesis beats another, token by token
    Explain(ExplainArgs),
    /// Test whether two outputs of `rescore --json` differ significantly
    Compare(CompareArgs),
    /// Describe lists: sizes, diversity, oracle, frequent errors
    Stats(StatsArgs),
    /// Recognise recordings and rescore the results
    Transcribe(Box<TranscribeArgs>),
    /// Answer lists over HTTP, with many adapters
    #[cfg(feature = "serve")]
    Serve(Box<ServeArgs>),
    /// List and download models
    Models(ModelsArgs),
    /// Train an adapter on lists with references, or on text
    Train(Box<TrainArgs>),
    /// Let an adapter learn from corrections, checked and undoable
    Learn(Box<LearnArgs>),
    /// Inspect, convert, merge and truncate adapters
    Adapter(AdapterArgs),
    /// Measure the loss on perturbed lists and write a report
    Robustness(RobustnessArgs),
    /// Replace words of lists with homophones
    Perturb(PerturbArgs),
    /// Add noise to recordings, change their speed, clip them
    PerturbAudio(PerturbAudioArgs),
    /// List words that sound the same
    Homophones(HomophonesArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Write the man pages
    Man(ManArgs),
}

#[derive(Args)]
pub struct ModelsArgs {
    #[command(subcommand)]
    pub action: ModelsAction,
}

#[derive(Subcommand)]
pub enum ModelsAction {
    /// List all named models with size, licence, checksum and path
    #[command(after_help = "Example:\n  rescorer models list --json")]
    List(CommonArgs),
    /// Download a model into the cache and print its path
    ///
    /// The cache is the folder RESCORER_HOME, or else the platform's cache folder.
    #[command(after_help = "Example:\n  rescorer models pull smollm2-360m")]
    Pull {
        /// Name of the model
        #[arg(default_value = rescorer_models::named::DEFAULT_MODEL)]
        name: String,
        /// Check the checksum of a model that is already there
        #[arg(long)]
        verify: bool,
        /// Do not use the network
        #[arg(long)]
        offline: bool,
        #[command(flatten)]
        common: CommonArgs,
    },
}

#[derive(Args)]
#[command(after_help = "Example:
  rescorer completions bash > ~/.local/share/bash-completion/completions/rescorer")]
pub struct CompletionsArgs {
    /// Shell to complete for
    pub shell: clap_complete::Shell,
}

#[derive(Args)]
#[command(after_help = "Example:
  rescorer man --output ~/.local/share/man/man1")]
pub struct ManArgs {
    /// Write the pages into this folder: one page for each command
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
}
