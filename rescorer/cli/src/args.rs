use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};
use rescorer::scoring::{EncoderScore, TextCasing};
use rescorer::{DecisionRule, DeviceRequest, Fusion, ScoringConfig, Unit};
use rescorer_models::PrecisionRequest;
use rescorer_nbest::{FieldNames, Format, OutputFormat};

use crate::judge_args::{CompareArgs, EvaluateArgs, ExplainArgs, TuneArgs};
use crate::numbers;
use crate::perturb_args::{HomophonesArgs, PerturbArgs, PerturbAudioArgs, RobustnessArgs, StatsArgs};
use crate::train_args::{AdapterArgs, TrainArgs};
use crate::transcribe_args::TranscribeArgs;

/// A language model takes a second look at the N-best lists of a speech recogniser.
#[derive(Parser)]
#[command(name = "rescorer", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "Examples:
  rescorer tune dev.jsonl --output policy.toml
  rescorer evaluate test.jsonl --policy policy.toml
  rescorer rescore lists.jsonl --policy policy.toml > text.tsv
  recogniser | rescorer rescore - --policy policy.toml --json

Exit codes: 0 complete; 1 finished, but some utterances were skipped; 2 bad usage, or nothing usable.";

#[derive(Subcommand)]
pub enum Command {
    /// Named models: what there is, and fetching one
    Models(ModelsArgs),
    /// Language-model scores of hypotheses or sentences
    Score(ScoreArgs),
    /// Pick the better hypothesis of every list
    Rescore(RescoreArgs),
    /// Find the weights of least word error rate on lists with references
    Tune(TuneArgs),
    /// Word error rate before and after
    Evaluate(EvaluateArgs),
    /// Train an adapter on lists with references
    Train(Box<TrainArgs>),
    /// Look at adapters, convert, merge and shorten them
    Adapter(AdapterArgs),
    /// Why one hypothesis is ahead of another, token by token
    Explain(ExplainArgs),
    /// Is the difference between two outputs of `rescore --json` real?
    Compare(CompareArgs),
    /// What lists hold: sizes, diversity, oracle, where the errors are
    Stats(StatsArgs),
    /// Words that sound the same
    Homophones(HomophonesArgs),
    /// Replace words of lists by homophones
    Perturb(PerturbArgs),
    /// Add noise to recordings, change their speed, clip them
    PerturbAudio(PerturbAudioArgs),
    /// How much rescorers lose when their lists are perturbed: WER, NPRR, a report
    Robustness(RobustnessArgs),
    /// Text of recordings: a recogniser's N-best lists and the second pass over them
    Transcribe(Box<TranscribeArgs>),
    /// Completions for a shell
    Completions(CompletionsArgs),
    /// Man pages
    Man(ManArgs),
    /// What there is not
    #[command(external_subcommand)]
    Unknown(Vec<OsString>),
}

#[derive(Args)]
pub struct CommonArgs {
    /// JSON instead of text on stdout
    #[arg(long)]
    pub json: bool,
    /// No progress and no messages on stderr, other than warnings and errors
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Args)]
pub struct ListArgs {
    /// N-best lists: files, gzip or not, folders of ESPnet or Kaldi, or - for stdin (read and answered line by line)
    #[arg(required = true)]
    pub lists: Vec<PathBuf>,
    #[command(flatten)]
    pub select: SelectArgs,
}

#[derive(Args)]
pub struct SelectArgs {
    #[arg(long, alias = "format", help = input_format_help(), value_name = "FORMAT")]
    pub input_format: Option<Format>,
    /// Fields or columns whose names are not the usual ones, as text=hyp,score=am: text, score, id, reference, context,
    /// position, hypotheses. score=-NAME is a cost, score=ln:NAME a probability; several scores are added up
    #[arg(long, value_name = "FIELD=NAME,...")]
    pub columns: Option<FieldNames>,
    /// Leave out the first N utterances
    #[arg(long, default_value_t = 0, value_name = "N", allow_negative_numbers = true)]
    pub skip: usize,
    /// Stop after N utterances
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub limit: Option<usize>,
    /// Go on after an utterance that can't be used; they are reported and counted, and the exit code is 1
    #[arg(long)]
    pub skip_invalid: bool,
}

#[derive(Args)]
pub struct ModelArgs {
    /// A named model (see `models list`), a .gguf file, or a Hugging Face folder
    #[arg(long, default_value = rescorer_models::named::DEFAULT_MODEL, value_name = "NAME|PATH")]
    pub model: String,
    /// Where to compute: auto (a real GPU that passes the self-test, else the CPU), cpu, gpu or gpu:N
    #[arg(long, default_value = "auto")]
    pub device: DeviceRequest,
    /// Arithmetic: auto (int8 on the CPU, f16 on a GPU), f32, int8 (CPU only) or f16 (GPU only)
    ///
    /// int8 takes two thirds of the time of f32 and a third of the memory, f16 half the memory; the scores are nearly the same.
    #[arg(long, default_value_t, value_name = "NAME")]
    pub precision: PrecisionRequest,
    /// Threads on the CPU [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// On a GPU: compile and tune the kernels of every batch size before the first list (minutes the first time)
    #[arg(long)]
    pub warm_up: bool,
    /// Never use the network; a named model must be there
    #[arg(long)]
    pub offline: bool,
    /// An adapter in the files of PEFT; may repeat. The first is for all lists, others for those whose field
    /// `adapter` names them
    #[arg(long, value_name = "[NAME=]DIR")]
    pub adapter: Vec<String>,
}

/// In commands that draw nothing: a seed would change nothing, and whoever gives one expects something else.
#[derive(Args)]
pub struct NoSeedArgs {
    #[arg(long, hide = true, value_name = "N", value_parser = nothing_is_drawn)]
    seed: Option<u64>,
}

fn nothing_is_drawn(_: &str) -> Result<u64, String> {
    Err("nothing is drawn here, so a seed changes nothing; leave it out".into())
}

/// What every command that scores takes.
#[derive(Args)]
pub struct ScoringArgs {
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub convention: ConventionArgs,
    #[command(flatten)]
    pub cascade: CascadeArgs,
    /// What the model reads before every text that has no `context` of its own: earlier turns, names that may be said
    #[arg(long, value_name = "TEXT")]
    pub context: Option<String>,
    #[command(flatten)]
    pub common: CommonArgs,
}

/// One of several names. An error lists them; clap says which flag it was.
fn named<T: FromStr<Err = rescorer::Error>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| match error {
        rescorer::Error::Settings(rescorer::scoring::SettingsError::Option { expected, .. }) => {
            format!("expected {expected}")
        }
        error => error.to_string(),
    })
}

/// The rescorer that a policy asks first.
#[derive(Args)]
pub struct CascadeArgs {
    /// Model of the rescorer that the policy asks first [default: by the name that the policy has]
    #[arg(long, alias = "earlier-model", value_name = "NAME|PATH")]
    pub cascade_model: Option<String>,
    /// Its adapter
    #[arg(long, alias = "earlier-adapter", value_name = "[NAME=]DIR")]
    pub cascade_adapter: Option<String>,
}

#[derive(Args)]
pub struct ConventionArgs {
    /// What the model sees of the text: none (as it is), lower, or sentence [default: none]
    #[arg(long, alias = "lm-text", value_name = "KIND", value_parser = named::<TextCasing>)]
    pub text_casing: Option<TextCasing>,
    /// Token id that begins a sentence [default: the model's BOS, else its EOS]
    #[arg(long, value_name = "ID")]
    pub bos: Option<u32>,
    /// Leave the end of the sentence unscored
    #[arg(long)]
    pub no_eos: bool,
    /// Divide the score by the number of tokens
    #[arg(long)]
    pub score_mean: bool,
    /// How an encoder scores: pll (each token masked in turn), pll-unmasked (one pass), head (of its adapter) [default: head where the
    /// adapter has one, else pll]
    #[arg(long, value_name = "KIND", value_parser = named::<EncoderScore>)]
    pub encoder_score: Option<EncoderScore>,
}

impl ConventionArgs {
    pub fn convention(&self) -> ScoringConfig {
        ScoringConfig {
            bos: self.bos,
            eos: !self.no_eos,
            mean: self.score_mean,
            lm_text: self.text_casing.unwrap_or_default(),
            encoder: self.encoder_score,
        }
    }

    /// The first option that a policy would overrule.
    pub fn given(&self) -> Option<&'static str> {
        let options = [
            ("--text-casing", self.text_casing.is_some()),
            ("--bos", self.bos.is_some()),
            ("--no-eos", self.no_eos),
            ("--score-mean", self.score_mean),
            ("--encoder-score", self.encoder_score.is_some()),
        ];
        options.into_iter().find(|(_, given)| *given).map(|(name, _)| name)
    }
}

#[derive(Args)]
pub struct WeightArgs {
    /// Weight of the language-model score
    #[arg(long, value_name = "W", value_parser = numbers::finite, allow_negative_numbers = true)]
    pub lm_weight: Option<f64>,
    /// Reward for every word, or whatever --unit is
    #[arg(long, value_name = "B", value_parser = numbers::finite, allow_negative_numbers = true, requires = "lm_weight")]
    pub length_bonus: Option<f64>,
    /// Lead that another hypothesis needs over the first-pass best, at least 0
    #[arg(long, value_name = "M", value_parser = numbers::at_least_zero, allow_negative_numbers = true, requires = "lm_weight")]
    pub margin: Option<f64>,
}

impl WeightArgs {
    pub fn fusion(&self) -> Option<Fusion> {
        self.lm_weight.map(|lm_weight| Fusion {
            lm_weight,
            length_bonus: self.length_bonus.unwrap_or(0.0),
            margin: self.margin.unwrap_or(0.0),
        })
    }
}

#[derive(Args)]
pub struct ModelsArgs {
    #[command(subcommand)]
    pub action: ModelsAction,
}

#[derive(Subcommand)]
pub enum ModelsAction {
    /// Size, licence, checksum and place of every named model
    List(CommonArgs),
    /// Fetch a model into the cache folder (RESCORER_HOME, else the platform's)
    Pull {
        #[arg(default_value = rescorer_models::named::DEFAULT_MODEL)]
        name: String,
        /// Check the sum of a model that is already there
        #[arg(long)]
        verify: bool,
        /// Never use the network
        #[arg(long)]
        offline: bool,
        #[command(flatten)]
        common: CommonArgs,
    },
}

#[derive(Args)]
#[command(after_help = "Example:
  echo 'turn left at the next light' | rescorer score --text - --tokens --json")]
pub struct ScoreArgs {
    /// N-best lists: files, or - for stdin
    pub lists: Vec<PathBuf>,
    /// Sentences, one a line, instead of lists
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lists", "input_format", "columns"])]
    pub text: Option<PathBuf>,
    /// The log-probability of every token (with --json)
    #[arg(long, requires = "json")]
    pub tokens: bool,
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
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
    /// The whole list, best first, not the winner alone
    #[arg(long)]
    pub nbest: bool,
    /// Write to FILE, which appears when all is done
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[arg(long, alias = "to", help = output_format_help("text"), conflicts_with = "json", value_name = "FORMAT")]
    pub output_format: Option<OutputFormat>,
    /// Answer every list within MS milliseconds, by the most probable hypotheses that could be scored until then (on the CPU)
    #[arg(long, value_name = "MS", conflicts_with = "nbest", allow_negative_numbers = true)]
    pub deadline_ms: Option<u64>,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    #[command(flatten)]
    pub no_seed: NoSeedArgs,
}

/// Weights by policy or by hand.
#[derive(Args)]
pub struct ChoiceArgs {
    /// Weights and conventions that `tune` wrote
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lm_weight", "length_bonus", "margin"])]
    pub policy: Option<PathBuf>,
    #[command(flatten)]
    pub weights: WeightArgs,
    /// What answers: maximum, mbr or merge, with the numbers that `tune` put into the policy [default: the policy's]
    #[arg(long, value_name = "RULE", requires = "policy")]
    pub decision: Option<DecisionRule>,
    /// What the length bonus and confidences are for: word, character or mixed [default: the policy's, else word]
    #[arg(long, value_name = "UNIT")]
    pub unit: Option<Unit>,
}

/// The help of `--input-format`.
fn input_format_help() -> String {
    let names: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
    format!("Format of the lists: {} [default: by content]", names.join(", "))
}

/// The help of `--output-format`.
pub fn output_format_help(default: &str) -> String {
    format!("{} [default: by the extension of --output, else {default}]", OutputFormat::help())
}

/// The format that was asked for: by name, or by the extension of the output.
pub fn output_format(
    named: Option<OutputFormat>,
    output: Option<&Path>,
    default: OutputFormat,
) -> OutputFormat {
    named.or_else(|| output.and_then(OutputFormat::of_path)).unwrap_or(default)
}

#[derive(Args)]
pub struct CompletionsArgs {
    /// bash, zsh, fish, elvish or powershell
    pub shell: clap_complete::Shell,
}

#[derive(Args)]
#[command(after_help = "Example:
  rescorer man --output ~/.local/share/man/man1")]
pub struct ManArgs {
    /// Folder for the pages, one of the command and one of each subcommand
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
}
