//! Arguments that several commands share.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use rescorer::scoring::{EncoderScore, TextCasing};
use rescorer::{DecisionRule, DeviceRequest, Fusion, ScoringConfig, Unit};
use rescorer_models::PrecisionRequest;
use rescorer_nbest::{FieldNames, Format, OutputFormat};

use crate::numbers;
use crate::policy_arg::PolicyArg;

#[derive(Args)]
#[command(next_help_heading = "Output")]
pub struct CommonArgs {
    /// Print JSON instead of text
    #[arg(long, display_order = 900)]
    pub json: bool,
    /// Print only warnings and errors to stderr
    #[arg(long, display_order = 901)]
    pub quiet: bool,
}

#[derive(Args)]
pub struct ListArgs {
    /// N-best lists: files, folders, or - for stdin
    ///
    /// Files may be gzipped. Folders are those of ESPnet or Kaldi. Lists from stdin are answered line by line.
    #[arg(required = true)]
    pub lists: Vec<PathBuf>,
    #[command(flatten)]
    pub select: SelectArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Input")]
pub struct SelectArgs {
    /// Format of the lists [default: detected from the content]
    #[arg(long, alias = "format", long_help = input_format_help(), value_name = "FORMAT")]
    pub input_format: Option<Format>,
    /// Names of fields or columns, as text=hyp,score=am
    ///
    /// The fields are text, score, id, reference, context, position and hypotheses. score=-NAME reads a cost, score=ln:NAME a
    /// probability. Several scores are added.
    #[arg(long, value_name = "FIELD=NAME,...")]
    pub columns: Option<FieldNames>,
    /// Skip the first N utterances
    #[arg(long, default_value_t = 0, value_name = "N", allow_negative_numbers = true)]
    pub skip: usize,
    /// Stop after N utterances
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub limit: Option<usize>,
    /// Report and skip unusable utterances; the exit code is then 1
    #[arg(long)]
    pub skip_invalid: bool,
}

/// The help of `--adapter` for a command that takes none unless it is asked for.
pub fn asked_adapters(adapter: clap::Arg) -> clap::Arg {
    adapter_help(adapter, "PEFT adapter, or speech (built in); may repeat", "")
}

/// Has the help of a command say nothing of `--adapter auto`, which the command refuses.
pub fn named_adapters(adapter: clap::Arg) -> clap::Arg {
    let default = " Without this option smollm2-135m has the adapter speech, unless weights or a policy without it are given; \
                   none leaves it out.";
    adapter_help(adapter, "PEFT adapter, speech (built in) or none; may repeat", default)
}

fn adapter_help(adapter: clap::Arg, short: &'static str, more: &str) -> clap::Arg {
    let names = "The first adapter applies to all lists. Each further one applies to the lists that name it in their field \
                 `adapter`. Its name is NAME, or else that of its folder.";
    adapter.help(short).long_help(format!("{short}\n\n{names}{more}"))
}

#[derive(Args)]
#[command(next_help_heading = "Model")]
pub struct ModelArgs {
    /// Model name, .gguf file or folder
    ///
    /// The names are those of `rescorer models list`. A folder is one of Hugging Face, with config.json and safetensors.
    #[arg(long, default_value = rescorer_models::named::DEFAULT_MODEL, value_name = "MODEL")]
    pub model: String,
    /// PEFT adapter, speech (built in), none or auto; may repeat
    ///
    /// The first adapter applies to all lists. Each further one applies to the lists that name it in their field `adapter`. Its name is
    /// NAME, or else that of its folder. Without this option smollm2-135m has the adapter speech, unless weights or a policy without it
    /// are given; none leaves it out. With auto beside others, lists that name none go to the adapter whose domain they seem to be of,
    /// or to none.
    #[arg(long, value_name = "[NAME=]DIR")]
    pub adapter: Vec<String>,
    /// Device: auto, cpu, gpu or gpu:N
    ///
    /// auto is a real GPU that passes the self-test, or else the CPU.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    pub device: DeviceRequest,
    /// Arithmetic: auto, f32, int8 (CPU) or f16 (GPU)
    ///
    /// auto is int8 on the CPU and f16 on a GPU. int8 takes two thirds of the time of f32 and a third of the memory; f16 takes half the
    /// memory. The scores are nearly the same.
    #[arg(long, default_value_t, value_name = "NAME")]
    pub precision: PrecisionRequest,
    /// Number of CPU threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Compile and tune all GPU kernels before the first list
    ///
    /// This takes minutes the first time.
    #[arg(long, hide_short_help = true)]
    pub warm_up: bool,
    /// Do not use the network; a named model must be in the cache
    #[arg(long)]
    pub offline: bool,
}

/// Refuses a seed in commands without random numbers: whoever gives one expects it to matter.
#[derive(Args)]
pub struct NoSeedArgs {
    #[arg(long, hide = true, value_name = "N", value_parser = no_random_numbers)]
    seed: Option<u64>,
}

fn no_random_numbers(_: &str) -> Result<u64, String> {
    Err("this command uses no random numbers; leave the seed out".into())
}

/// What a search may lose.
#[derive(Args)]
pub struct SearchArgs {
    /// Share of answers that may differ, for speed: 0 to 0.1 [default: 0]
    ///
    /// Hypotheses are given up by how others end. `tune` writes into the policy what that costs. It has no effect on a GPU and with
    /// --nbest, or with another rule than maximum, where lists are scored whole.
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        hide_default_value = true,
        value_parser = numbers::finite,
        allow_negative_numbers = true,
        help_heading = "Answer"
    )]
    pub search_risk: f64,
}

impl SearchArgs {
    /// The share, where something says what it costs.
    pub fn risk(&self, choice: &ChoiceArgs) -> anyhow::Result<f64> {
        let is_by_hand = choice.weights.fusion().is_some() || matches!(choice.policy, Some(PolicyArg::None));
        if self.search_risk > 0.0 && is_by_hand {
            anyhow::bail!(
                "--search-risk needs a policy, which says what it costs; leave out --lm-weight and --policy none"
            );
        }
        Ok(self.search_risk)
    }
}

/// What every command that scores takes.
#[derive(Args)]
pub struct ScoringArgs {
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub cascade: CascadeArgs,
    #[command(flatten)]
    pub convention: ConventionArgs,
    /// Text that the model reads before each list
    ///
    /// For example, earlier turns or names. A list with its own `context` keeps it.
    #[arg(long, value_name = "TEXT", help_heading = "Scoring")]
    pub context: Option<String>,
    /// Number of lists before each that the model reads as its context
    ///
    /// Their first-pass bests, one a line: those with the same field `conversation`, or without the field those of the file. A list with
    /// its own `context` keeps it.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        hide_default_value = true,
        conflicts_with = "context",
        help_heading = "Scoring"
    )]
    pub history: usize,
    /// File of names and terms, one a line
    ///
    /// Where words of a list sound like a term, a hypothesis with the term joins the list. Behind a tab may stand weight=2, class=contacts,
    /// sounds-like=jo sef een, or phones of ARPAbet. A list's field `vocabulary` adds terms of its own, and switches on a class by @contacts.
    #[arg(long, value_name = "FILE", help_heading = "Scoring")]
    pub vocabulary: Option<PathBuf>,
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

/// The first rescorer of a cascade.
#[derive(Args)]
#[command(next_help_heading = "Model")]
pub struct CascadeArgs {
    /// Model of the cascade's first rescorer [default: the one that the policy names]
    #[arg(long, alias = "earlier-model", value_name = "MODEL", hide_short_help = true)]
    pub cascade_model: Option<String>,
    /// Adapter of the cascade's first rescorer
    #[arg(long, alias = "earlier-adapter", value_name = "[NAME=]DIR", hide_short_help = true)]
    pub cascade_adapter: Option<String>,
}

#[derive(Args)]
#[command(next_help_heading = "Scoring")]
pub struct ConventionArgs {
    /// Casing for the model: none (as it is), lower or sentence [default: none]
    #[arg(long, alias = "lm-text", value_name = "KIND", value_parser = named::<TextCasing>)]
    pub text_casing: Option<TextCasing>,
    /// Token id at the start of a sentence [default: the model's BOS, else its EOS]
    #[arg(long, value_name = "ID", hide_short_help = true)]
    pub bos: Option<u32>,
    /// Do not score the end of the sentence
    #[arg(long, hide_short_help = true)]
    pub no_eos: bool,
    /// Divide the score by the number of tokens
    #[arg(long, hide_short_help = true)]
    pub score_mean: bool,
    /// How an encoder scores: pll, pll-unmasked or head [default: head if the adapter has one, else pll]
    ///
    /// pll masks each token in turn, pll-unmasked takes one pass, head is the score head of the adapter.
    #[arg(long, value_name = "KIND", value_parser = named::<EncoderScore>, hide_short_help = true)]
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
#[command(next_help_heading = "Answer")]
pub struct WeightArgs {
    /// Weight of the language-model score
    #[arg(long, value_name = "W", value_parser = numbers::finite, allow_negative_numbers = true)]
    pub lm_weight: Option<f64>,
    /// Reward for each word, or for each --unit
    #[arg(long, value_name = "B", value_parser = numbers::finite, allow_negative_numbers = true, requires = "lm_weight")]
    pub length_bonus: Option<f64>,
    /// Lead that another hypothesis needs over the first-pass best
    ///
    /// The lead is 0 or more.
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

/// Weights by policy or by hand.
#[derive(Args)]
#[command(next_help_heading = "Answer")]
pub struct ChoiceArgs {
    /// Policy: FILE, default or none [default: the adapter's, else default]
    ///
    /// A policy has weights and scoring options. default is the policy in the program, fitted to many recognisers; none keeps the first
    /// pass.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lm_weight", "length_bonus", "margin"])]
    pub policy: Option<PolicyArg>,
    #[command(flatten)]
    pub weights: WeightArgs,
    /// Answer rule: maximum, mbr or merge [default: the policy's]
    ///
    /// maximum takes the largest total, mbr the fewest expected word errors; merge votes word by word. All three use the numbers in the
    /// policy.
    #[arg(long, value_name = "RULE", conflicts_with = "lm_weight")]
    pub decision: Option<DecisionRule>,
    /// Unit of the length bonus: word, character or mixed
    ///
    /// It is also the unit of confidences. Without this option it is that of the policy, or else word.
    #[arg(long, value_name = "UNIT")]
    pub unit: Option<Unit>,
}

/// The long help of `--input-format`.
fn input_format_help() -> String {
    let names: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
    format!("Format of the lists [default: detected from the content]\n\nOne of {}", names.join(", "))
}

/// The help of `--output-format`.
pub fn output_format_help(default: &str) -> String {
    format!("Output format [default: by the extension of --output, else {default}]")
}

/// What the long help of `--output-format` adds.
pub fn output_format_long_help(default: &str) -> String {
    let formats = OutputFormat::help().replace("; ", "\n- ");
    format!("{}\n\n- {formats}", output_format_help(default))
}

/// The format that was asked for: by name, or by the extension of the output.
pub fn output_format(
    named: Option<OutputFormat>,
    output: Option<&Path>,
    default: OutputFormat,
) -> OutputFormat {
    named.or_else(|| output.and_then(OutputFormat::of_path)).unwrap_or(default)
}
