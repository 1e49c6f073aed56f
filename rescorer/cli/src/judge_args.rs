//! Arguments of the commands that tune, judge and compare.

use std::path::PathBuf;

use clap::Args;
use rescorer::fusion::FusionKind;
use rescorer::{DecisionRule, Normalization, Unit};

use crate::args::{ChoiceArgs, CommonArgs, ListArgs, NoSeedArgs, ScoringArgs, WeightArgs, named_adapters};
use crate::numbers;
use crate::policy_arg::PolicyArg;

#[derive(Args)]
#[command(
    after_help = "Examples:
  rescorer tune dev.jsonl --normalize lower --output policy.toml
  rescorer tune mandarin.jsonl --unit character --output policy.toml
  rescorer tune dev.jsonl --cascade encoder/policy.toml --cascade-rate 0.3 --output policy.toml",
    mut_arg("adapter", named_adapters)
)]
pub struct TuneArgs {
    #[command(flatten)]
    pub lists: ListArgs,
    /// Normalisation before errors are counted
    ///
    /// One of none, lower, nfc, nfc-lower, whisper-basic and whisper-english.
    #[arg(long, default_value = "none", value_name = "KIND", help_heading = "Errors")]
    pub normalize: Normalization,
    /// Unit of error: word, character or mixed
    ///
    /// The rates are WER, CER and MER. mixed counts Chinese, Japanese, Thai, Lao, Khmer and Burmese by characters, everything else by
    /// words.
    #[arg(long, default_value = "word", value_name = "UNIT", help_heading = "Errors")]
    pub unit: Unit,
    /// Answer rule of the policy: maximum, mbr or merge
    ///
    /// maximum takes the largest total, mbr the fewest expected word errors; merge votes word by word. All three are tuned, so
    /// `rescore --decision` can name another one.
    #[arg(long, default_value = "maximum", value_name = "RULE", help_heading = "Answer")]
    pub decision: DecisionRule,
    /// What is tuned: features or classic
    ///
    /// features are weights near those of the default policy; 50 lists are enough to begin. classic are LM weight, length bonus and
    /// margin, and what a cascade takes.
    #[arg(long, default_value_t, value_name = "KIND", help_heading = "Answer")]
    pub fusion: FusionKind,
    /// Policy of a rescorer to put first, as a cascade
    ///
    /// The first rescorer is mostly an encoder. Its scores are added to those of the first pass.
    #[arg(long, alias = "earlier", value_name = "FILE", help_heading = "Model")]
    pub cascade: Option<PathBuf>,
    /// Share of the lists for the second rescorer
    ///
    /// It gets the lists where the first rescorer is least sure; the others exit early [default: all]
    #[arg(
        long,
        alias = "earlier-cost",
        value_name = "SHARE",
        requires = "cascade",
        value_parser = numbers::any_share,
        allow_negative_numbers = true,
        help_heading = "Model"
    )]
    pub cascade_rate: Option<f64>,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    /// Write the policy to this file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub output: PathBuf,
    #[command(flatten)]
    pub no_seed: NoSeedArgs,
}

/// How errors are counted.
#[derive(Args)]
#[command(next_help_heading = "Errors")]
pub struct MetricArgs {
    /// Normalisation before errors are counted
    ///
    /// One of none, lower, nfc, nfc-lower, whisper-basic and whisper-english.
    #[arg(long, default_value = "none", value_name = "KIND")]
    pub normalize: Normalization,
    /// Unit of error: word, character or mixed
    ///
    /// The rates are WER, CER and MER. mixed counts Chinese, Japanese, Thai, Lao, Khmer and Burmese by characters, everything else by
    /// words.
    #[arg(long, default_value = "word", value_name = "UNIT")]
    pub unit: Unit,
}

#[derive(Args)]
#[command(after_help = "Examples:
  rescorer evaluate lists.jsonl
  rescorer evaluate test.jsonl --policy policy.toml --show 5
  rescorer evaluate test.jsonl --policy policy.toml --html report.html
  rescorer evaluate lists.json --cross-validate 10")]
pub struct EvaluateArgs {
    #[command(flatten)]
    pub lists: ListArgs,
    /// Policy file from `tune`, or default or none
    ///
    /// Lists that the policy was tuned on are left out. default is the policy in the program, none keeps the first pass.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["lm_weight", "length_bonus", "margin"],
        help_heading = "Answer"
    )]
    pub policy: Option<PolicyArg>,
    /// Tune each of K folds on the others; the default without weights
    ///
    /// K is 5 if not given. Without this option, few references get fewer folds. Before a list, write --cross-validate=5, since the option takes the next word as K.
    #[arg(
        long,
        value_name = "K",
        num_args = 0..=1,
        default_missing_value = "5",
        value_parser = numbers::folds,
        conflicts_with_all = ["policy", "lm_weight", "length_bonus", "margin"],
        help_heading = "Answer"
    )]
    pub cross_validate: Option<usize>,
    #[command(flatten)]
    pub weights: WeightArgs,
    /// Answer rule: maximum, mbr or merge [default: the policy's]
    ///
    /// Without this option, the three rules are also compared.
    #[arg(long, value_name = "RULE", conflicts_with = "lm_weight", help_heading = "Answer")]
    pub decision: Option<DecisionRule>,
    /// What each fold tunes: features or classic
    ///
    /// features are weights near those of the default policy, classic are LM weight, length bonus and margin.
    #[arg(long, default_value_t, value_name = "KIND", conflicts_with_all = ["policy", "lm_weight"], help_heading = "Answer")]
    pub fusion: FusionKind,
    /// Seed of the folds and the bootstrap
    #[arg(long, default_value_t = 0, value_name = "N", help_heading = "Answer")]
    pub seed: u64,
    /// Normalisation before errors are counted [default: policy's, else none]
    ///
    /// One of none, lower, nfc, nfc-lower, whisper-basic and whisper-english.
    #[arg(long, value_name = "KIND", help_heading = "Errors")]
    pub normalize: Option<Normalization>,
    /// Unit of error: word, character or mixed [default: policy's, else word]
    ///
    /// The rates are WER, CER and MER. mixed counts Chinese, Japanese, Thai, Lao, Khmer and Burmese by characters, everything else by
    /// words.
    #[arg(long, value_name = "UNIT", help_heading = "Errors")]
    pub unit: Option<Unit>,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    /// Show the first N lists that became better or worse
    #[arg(long, default_value_t = 0, value_name = "N", conflicts_with = "json", help_heading = "Output")]
    pub show: usize,
    /// Write an HTML page to this file
    ///
    /// The page has the report, reliability diagrams, and all lists that became better or worse, word by word.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub html: Option<PathBuf>,
    /// Write the errors of each utterance to this file, as JSON Lines
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub rows: Option<PathBuf>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  rescorer rescore test.jsonl --policy a.toml --json > a.jsonl
  rescorer rescore test.jsonl --policy b.toml --json > b.jsonl
  rescorer compare a.jsonl b.jsonl --html difference.html")]
pub struct CompareArgs {
    /// Output of `rescore --json`
    pub first: PathBuf,
    /// Another output over the same utterances
    pub second: PathBuf,
    #[command(flatten)]
    pub metric: MetricArgs,
    /// Seed of the bootstrap
    #[arg(long, default_value_t = 0, value_name = "N", help_heading = "Errors")]
    pub seed: u64,
    /// Show the first N utterances with more or fewer errors
    #[arg(long, default_value_t = 0, value_name = "N", conflicts_with = "json", help_heading = "Output")]
    pub show: usize,
    /// Write an HTML page to this file
    ///
    /// The page has the report and all utterances with different answers, word by word.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  rescorer explain lists.jsonl --policy policy.toml --utterance u17
  rescorer explain lists.jsonl --lm-weight 0.3 --utterance u17 --position 2 --html why.html")]
pub struct ExplainArgs {
    #[command(flatten)]
    pub lists: ListArgs,
    /// Id of the list
    #[arg(long, value_name = "ID", help_heading = "Input")]
    pub utterance: String,
    /// Hypothesis to explain, from 0 [default: the answer]
    #[arg(long, value_name = "N", help_heading = "Input")]
    pub position: Option<usize>,
    /// Hypothesis to compare with [default: the first-pass best]
    ///
    /// If the first-pass best is the answer, the default is the next best.
    #[arg(long, value_name = "N", help_heading = "Input")]
    pub against: Option<usize>,
    #[command(flatten)]
    pub choice: ChoiceArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    /// Write an HTML page to this file
    ///
    /// The page shows the share of each token in colour.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    pub no_seed: NoSeedArgs,
}
