//! Arguments of `homophones`, `perturb`, `perturb-audio`, `robustness` and `stats`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, ValueEnum};
use rescorer::Unit;
use rescorer_nbest::OutputFormat;
use rescorer_perturb::{HomophoneOptions, Homophones, Lexicon, PerturbationKind};

use crate::args::{CommonArgs, ListArgs, ModelArgs, NoSeedArgs, output_format_help, output_format_long_help};
use crate::judge_args::MetricArgs;
use crate::numbers;

/// Which words replace others.
#[derive(Args)]
#[command(next_help_heading = "Homophones")]
pub struct HomophoneArgs {
    /// Use common words only, by SCOWL size: 10 to 95
    ///
    /// 10 is the thousand most common words, 35 a small dictionary, 50 a medium one, 70 a large one.
    #[arg(long, value_name = "SIZE", value_parser = clap::value_parser!(u8).range(10..=95))]
    pub max_size: Option<u8>,
    /// Include near-homophones, from this similarity of 0 to 1
    ///
    /// One phone differs. 0.6 includes s for z and m for n. At 0.5 and below a phone may also be missing or added.
    #[arg(long, value_name = "SIMILARITY", value_parser = similarity, allow_negative_numbers = true)]
    pub near: Option<f32>,
    /// Include several words for one: "a loan" for "alone"
    #[arg(long)]
    pub multi_word: bool,
    /// Add the pronunciations of this file; may repeat
    ///
    /// They are added to the CMU dictionary. A line is `read R EH1 D`. For other languages it is a word, a tab, and phones with names of your own.
    #[arg(long, value_name = "FILE")]
    pub lexicon: Vec<PathBuf>,
}

impl HomophoneArgs {
    pub fn homophones(&self) -> anyhow::Result<Homophones> {
        let options =
            HomophoneOptions { max_size: self.max_size, near: self.near, multi_word: self.multi_word };
        Ok(Homophones::new(lexicon(&self.lexicon)?, options))
    }
}

/// The CMU dictionary, with the entries of more files.
pub fn lexicon(paths: &[PathBuf]) -> anyhow::Result<Arc<Lexicon>> {
    let mut lexicon = Lexicon::english();
    for path in paths {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| {
            format!("--lexicon {name}: give a text file of lines as `read R EH1 D` or `窗<tab>chuang1`")
        })?;
        Arc::make_mut(&mut lexicon).extend_from_cmu(&name, &text)?;
    }
    Ok(lexicon)
}

fn similarity(text: &str) -> Result<f32, String> {
    numbers::share(text, "a similarity").map(|value| value as f32)
}

fn rate(text: &str) -> Result<f64, String> {
    numbers::share(text, "the probability that a word is replaced")
}

#[derive(Args)]
#[command(after_help = "Examples:
  rescorer homophones their write two
  rescorer homophones --near 0.8 --max-size 50 ship
  rescorer homophones --multi-word alone 'ice cream'")]
pub struct HomophonesArgs {
    /// Words to look up; with --multi-word also two words in quotes
    #[arg(required = true)]
    pub words: Vec<String>,
    #[command(flatten)]
    pub homophones: HomophoneArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  rescorer perturb test.jsonl --kind n-best --rate 0.2 --max-size 50 > perturbed.jsonl
  rescorer perturb test.jsonl --kind distractors --rate 0.4 --output perturbed.jsonl --show")]
pub struct PerturbArgs {
    #[command(flatten)]
    pub lists: ListArgs,
    /// What to perturb: one-best, n-best or distractors
    ///
    /// one-best perturbs all copies of the first-pass best, n-best every hypothesis. distractors keeps the list and adds perturbed copies
    /// behind each hypothesis, with its score.
    #[arg(long, value_name = "KIND", help_heading = "Perturbation")]
    pub kind: PerturbationKind,
    /// Probability that a word with a homophone is replaced
    #[arg(long, value_name = "RATE", value_parser = rate, allow_negative_numbers = true, help_heading = "Perturbation")]
    pub rate: f64,
    /// Unit to replace: word, character or mixed
    ///
    /// character and mixed replace the characters of Chinese, Japanese, Thai, Lao, Khmer and Burmese, and the words of other scripts.
    #[arg(long, default_value = "word", value_name = "UNIT", help_heading = "Perturbation")]
    pub unit: Unit,
    /// Seed of the replacements
    #[arg(long, default_value_t = 0, value_name = "N", help_heading = "Perturbation")]
    pub seed: u64,
    /// Copies of a hypothesis that distractors adds [default: 2]
    #[arg(long, value_name = "N", value_parser = numbers::at_least_one, help_heading = "Perturbation")]
    pub copies: Option<usize>,
    #[command(flatten)]
    pub homophones: HomophoneArgs,
    /// Print the replacements; the lists go to --output only
    #[arg(long, help_heading = "Output")]
    pub show: bool,
    /// Write the lists to this file instead of stdout
    ///
    /// The file appears when everything is done.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    #[arg(
        long,
        alias = "to",
        help = output_format_help("jsonl"),
        long_help = output_format_long_help("jsonl"),
        value_name = "FORMAT",
        help_heading = "Output"
    )]
    pub output_format: Option<OutputFormat>,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  rescorer perturb-audio speech/*.wav --noise white --snr 10 --output noisy
  rescorer perturb-audio a.wav --noise babble --noise-from voices/*.wav --snr 5 --output noisy

Speed is changed first, then noise is added, then samples are clipped. The files keep their names and \
formats, except: µ-law and A-law become 16-bit PCM, 64-bit floating point becomes 32-bit, RF64, BW64 and RIFX become RIFF.")]
pub struct PerturbAudioArgs {
    /// WAV files
    ///
    /// PCM, floating point, µ-law or A-law, 1 to 768 kHz, any number of channels.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Report and skip unusable files; the exit code is then 1
    #[arg(long, help_heading = "Input")]
    pub skip_invalid: bool,
    /// Noise to add: white, babble or recorded
    ///
    /// babble mixes six voices of --noise-from at a time, recorded plays the one recording of --noise-from.
    #[arg(
        long,
        value_enum,
        value_name = "KIND",
        requires = "snr",
        hide_possible_values = true,
        help_heading = "Perturbation"
    )]
    pub noise: Option<NoiseKind>,
    /// Recordings of voices or of noise
    #[arg(long, value_name = "WAV", num_args = 1.., requires = "noise", help_heading = "Perturbation")]
    pub noise_from: Vec<PathBuf>,
    /// Signal-to-noise ratio over the whole file, in dB
    #[arg(
        long,
        value_name = "DB",
        allow_negative_numbers = true,
        requires = "noise",
        value_parser = numbers::finite,
        help_heading = "Perturbation"
    )]
    pub snr: Option<f64>,
    /// Factor of speed, from 0.5 to 2; the pitch changes too
    #[arg(
        long,
        value_name = "FACTOR",
        value_parser = numbers::finite,
        allow_negative_numbers = true,
        help_heading = "Perturbation"
    )]
    pub speed: Option<f64>,
    /// Clip samples at this share of the peak
    #[arg(long, value_name = "SHARE", value_parser = clip, allow_negative_numbers = true, help_heading = "Perturbation")]
    pub clip: Option<f32>,
    /// Seed of the noise
    #[arg(long, default_value_t = 0, value_name = "N", requires = "noise", help_heading = "Perturbation")]
    pub seed: u64,
    /// Write the files into this folder
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub output: PathBuf,
    #[command(flatten)]
    pub common: CommonArgs,
}

fn clip(text: &str) -> Result<f32, String> {
    numbers::share(text, "a share of the peak").map(|value| value as f32)
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NoiseKind {
    White,
    Babble,
    Recorded,
}

#[derive(Args)]
#[command(after_help = "Example:
  rescorer stats test.jsonl --top 20")]
pub struct StatsArgs {
    #[command(flatten)]
    pub lists: ListArgs,
    #[command(flatten)]
    pub metric: MetricArgs,
    /// Number of frequent confusions to show
    #[arg(long, default_value_t = 10, value_name = "N", help_heading = "Output")]
    pub top: usize,
    /// Write what the recogniser confuses into this file
    ///
    /// A line has what was said, what was heard, how often, and how often it was said, with tabs between; counted over all distinct
    /// hypotheses of lists with references. `train --hallucinate N --set data.confusions=FILE` makes lists with it.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub confusions: Option<PathBuf>,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Args)]
#[command(after_help = "Example of a plan:
  title = \"ATIS\"
  lists = [\"atis-test.json\"]
  kinds = [\"one-best\", \"n-best\", \"distractors\"]
  rates = [0.1, 0.2, 0.4]
  seeds = [1, 2, 3]
  homophones = { max_size = 50 }

  [[rescorer]]
  name = \"no adapter\"
  policy = \"policy.toml\"

  [[rescorer]]
  name = \"lora\"
  adapter = \"lora\"
  policy = \"lora/policy.toml\"

Paths are relative to the folder of the plan. Run the same command again to resume an interrupted benchmark: the \
output folder keeps the scores.",
    // The plan names the adapters.
    mut_arg("adapter", |adapter| adapter.hide(true)))]
pub struct RobustnessArgs {
    /// Plan file: rescorers, lists and perturbations
    pub plan: PathBuf,
    /// Report and skip unusable lists; the exit code is then 1
    #[arg(long, help_heading = "Input")]
    pub skip_invalid: bool,
    /// Unit of error: word, character or mixed [default: the plan's]
    ///
    /// If the plan names no unit, it is that of its policies, or else word.
    #[arg(long, value_name = "UNIT", help_heading = "Errors")]
    pub unit: Option<Unit>,
    #[command(flatten)]
    pub model: ModelArgs,
    /// Write the report into this folder
    ///
    /// The files are report.html, report.json, rows.csv and the scores.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub output: PathBuf,
    #[command(flatten)]
    pub no_seed: NoSeedArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}
