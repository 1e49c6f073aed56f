//! Arguments of the commands that tune, judge and compare.

use std::path::PathBuf;

use clap::Args;
use rescorer::{DecisionRule, Normalization, Unit};

use crate::args::{ChoiceArgs, CommonArgs, ListArgs, NoSeedArgs, ScoringArgs, WeightArgs};
use crate::numbers;

#[derive(Args)]
#[command(after_help = "Example:
  rescorer tune dev.jsonl --normalize lower --output policy.toml
  rescorer tune mandarin.jsonl --unit character --output policy.toml
  rescorer tune dev.jsonl --cascade encoder/policy.toml --cascade-adapter encoder --cascade-rate 0.3 --output policy.toml")]
pub struct TuneArgs {
    #[command(flatten)]
    pub lists: ListArgs,
    /// Where the policy goes
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// Normalisation before words are compared: none, lower, nfc, nfc-lower, whisper-basic or whisper-english
    #[arg(long, default_value = "none", value_name = "KIND")]
    pub normalize: Normalization,
    /// Unit of error: word (WER), character (CER) or mixed (MER: Chinese, Japanese, Thai, Lao, Khmer and Burmese by characters, the
    /// rest by words)
    #[arg(long, default_value = "word", value_name = "UNIT")]
    pub unit: Unit,
    /// What the policy answers with: maximum (the largest total), mbr (the fewest expected word errors) or merge (a text voted on
    /// word by word); all are tuned, and `rescore --decision` may name another
    #[arg(long, default_value = "maximum", value_name = "RULE")]
    pub decision: DecisionRule,
    /// Policy of a rescorer that is asked first, most often an encoder: what it adds to the first pass stays, so both decide
    #[arg(long, alias = "earlier", value_name = "FILE")]
    pub cascade: Option<PathBuf>,
    /// Ask the model for this share of the lists only, those where the earlier rescorer is the least sure
    #[arg(long, alias = "earlier-cost", value_name = "SHARE", requires = "cascade", value_parser = numbers::any_share, allow_negative_numbers = true)]
    pub cascade_rate: Option<f64>,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    #[command(flatten)]
    pub no_seed: NoSeedArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  rescorer evaluate test.jsonl --policy policy.toml --show 5
  rescorer evaluate test.jsonl --policy policy.toml --html report.html
  rescorer evaluate lists.json --cross-validate 5")]
pub struct EvaluateArgs {
    #[command(flatten)]
    pub lists: ListArgs,
    /// Weights and conventions that `tune` wrote; lists it was tuned on are left out
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lm_weight", "length_bonus", "margin"])]
    pub policy: Option<PathBuf>,
    /// Tune on the other folds of these lists themselves, K of them [default: 5]; with a list right behind it: --cross-validate=5
    #[arg(
        long,
        value_name = "K",
        num_args = 0..=1,
        default_missing_value = "5",
        value_parser = numbers::folds,
        conflicts_with_all = ["policy", "lm_weight", "length_bonus", "margin"]
    )]
    pub cross_validate: Option<usize>,
    #[command(flatten)]
    pub weights: WeightArgs,
    /// Normalisation before words are compared: none, lower, nfc, nfc-lower, whisper-basic or whisper-english [default: the policy's, else none]
    #[arg(long, value_name = "KIND")]
    pub normalize: Option<Normalization>,
    /// Unit of error: word (WER), character (CER) or mixed (MER: Chinese, Japanese, Thai, Lao, Khmer and Burmese by characters, the
    /// rest by words) [default: the policy's, else word]
    #[arg(long, value_name = "UNIT")]
    pub unit: Option<Unit>,
    /// What answers: maximum, mbr or merge [default: the policy's, else maximum]; without it the three are compared too
    #[arg(long, value_name = "RULE", conflicts_with = "lm_weight")]
    pub decision: Option<DecisionRule>,
    /// Show the first N lists that the second pass made better or worse, word by word
    #[arg(long, default_value_t = 0, value_name = "N", conflicts_with = "json")]
    pub show: usize,
    /// Write a page: the report, reliability diagrams, and every list that was made better or worse, word by word
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write a line of JSON for every utterance: errors before, after and of the oracle
    #[arg(long, value_name = "FILE")]
    pub rows: Option<PathBuf>,
    /// Seed of what is drawn: folds and bootstrap
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
    #[command(flatten)]
    pub scoring: ScoringArgs,
}

#[derive(Args)]
#[command(after_help = "Example:
  rescorer rescore test.jsonl --policy a.toml --json > a.jsonl
  rescorer rescore test.jsonl --policy b.toml --json > b.jsonl
  rescorer compare a.jsonl b.jsonl --html difference.html")]
pub struct CompareArgs {
    /// An output of `rescore --json`
    pub first: PathBuf,
    /// Another over the same utterances
    pub second: PathBuf,
    /// Normalisation before words are compared: none, lower, nfc, nfc-lower, whisper-basic or whisper-english
    #[arg(long, default_value = "none", value_name = "KIND")]
    pub normalize: Normalization,
    /// Unit of error: word (WER), character (CER) or mixed (MER: Chinese, Japanese, Thai, Lao, Khmer and Burmese by characters, the
    /// rest by words)
    #[arg(long, default_value = "word", value_name = "UNIT")]
    pub unit: Unit,
    /// Seed of the bootstrap
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
    /// Show the first N utterances with more or fewer errors in the second, word by word
    #[arg(long, default_value_t = 0, value_name = "N", conflicts_with = "json")]
    pub show: usize,
    /// Write a page: what is printed here, and every utterance that was answered differently, word by word
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  rescorer explain lists.jsonl --policy policy.toml --utterance u17
  rescorer explain lists.jsonl --lm-weight 0.3 --utterance u17 --position 2 --against 0 --html why.html")]
pub struct ExplainArgs {
    #[command(flatten)]
    pub lists: ListArgs,
    /// The id of the list
    #[arg(long, value_name = "ID")]
    pub utterance: String,
    /// The hypothesis whose lead is explained, from 0 [default: the answer]
    #[arg(long, value_name = "N")]
    pub position: Option<usize>,
    /// The one it is compared with [default: the first-pass best, or where that is the answer the next best]
    #[arg(long, value_name = "N")]
    pub against: Option<usize>,
    #[command(flatten)]
    pub choice: ChoiceArgs,
    /// Write a page with what every token gives, in colour
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    #[command(flatten)]
    pub no_seed: NoSeedArgs,
}
