//! Arguments of `score` and `rescore`.

use std::path::PathBuf;

use clap::Args;
use rescorer_nbest::OutputFormat;

use crate::args::{
    ChoiceArgs, ListArgs, NoSeedArgs, ScoringArgs, SearchArgs, SelectArgs, asked_adapters,
    output_format_help, output_format_long_help,
};

#[derive(Args)]
#[command(after_help = "Examples:
  rescorer score lists.jsonl --json
  echo 'turn left at the next light' | rescorer score --text - --tokens --json",
    // Scores alone are held against those of other tools.
    mut_arg("precision", |precision| precision.default_value("f32")),
    mut_arg("adapter", asked_adapters),
    mut_arg("vocabulary", |vocabulary| vocabulary.hide(true)))]
pub struct ScoreArgs {
    /// N-best lists: files, folders, or - for stdin
    pub lists: Vec<PathBuf>,
    /// Score the lines of this file instead of lists; - for stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lists", "input_format", "columns"], help_heading = "Input")]
    pub text: Option<PathBuf>,
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    /// Include the log-probability of each token (with --json)
    #[arg(long, requires = "json", help_heading = "Output")]
    pub tokens: bool,
    #[command(flatten)]
    pub no_seed: NoSeedArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  rescorer rescore lists.jsonl --policy policy.toml
  rescorer rescore lists.jsonl --lm-weight 0.3 --nbest --json
  rescorer rescore lists.jsonl --policy policy.toml --nbest --output lists.csv
  rescorer rescore lists.am.json --policy policy.toml --output-format trn --output hyp.trn")]
pub struct RescoreArgs {
    #[command(flatten)]
    pub lists: ListArgs,
    #[command(flatten)]
    pub choice: ChoiceArgs,
    /// Answer each list within MS milliseconds, on the CPU
    ///
    /// The most probable hypotheses are scored first. The answer is the best of those that were scored in time.
    #[arg(
        long,
        value_name = "MS",
        conflicts_with = "nbest",
        allow_negative_numbers = true,
        help_heading = "Answer"
    )]
    pub deadline_ms: Option<u64>,
    #[command(flatten)]
    pub search: SearchArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    /// Write the whole list, best hypothesis first
    #[arg(long, help_heading = "Output")]
    pub nbest: bool,
    /// Write to this file instead of stdout
    ///
    /// The file appears when everything is done.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    #[arg(
        long,
        alias = "to",
        help = output_format_help("text"),
        long_help = output_format_long_help("text"),
        conflicts_with = "json",
        value_name = "FORMAT",
        help_heading = "Output"
    )]
    pub output_format: Option<OutputFormat>,
    #[command(flatten)]
    pub no_seed: NoSeedArgs,
}
