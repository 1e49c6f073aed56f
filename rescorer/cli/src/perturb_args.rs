//! Arguments of `homophones`, `perturb`, `perturb-audio`, `robustness` and `stats`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, ValueEnum};
use rescorer::{Normalization, Unit};
use rescorer_nbest::OutputFormat;
use rescorer_perturb::{HomophoneOptions, Homophones, Lexicon, PerturbationKind};

use crate::args::{CommonArgs, ListArgs, ModelArgs, NoSeedArgs, output_format_help};
use crate::numbers;

/// Which words stand in for others.
#[derive(Args)]
pub struct HomophoneArgs {
    /// Only words that common, by SCOWL's sizes: 10 (the thousand most common), 35 (small), 50 (medium), 70 (large) to 95
    #[arg(long, value_name = "SIZE", value_parser = clap::value_parser!(u8).range(10..=95))]
    pub max_size: Option<u8>,
    /// Near-homophones too: one phone differs, and the two phones are at least that similar (0 to 1; 0.6 keeps s and z,
    /// m and n; from 0.5 down a phone may be missing or added)
    #[arg(long, value_name = "SIMILARITY", value_parser = similarity, allow_negative_numbers = true)]
    pub near: Option<f32>,
    /// Several words too: "a loan" for "alone", "i scream" for "ice cream"
    #[arg(long)]
    pub multi_word: bool,
    /// Pronunciations of your own, added to the CMU dictionary's; lines as `read R EH1 D`, or for any language a word, a tab and
    /// phones by names of your own
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
    /// Words; two in quotes are looked up as said in one breath (with --multi-word)
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
    /// one-best (every copy of the first-pass best), n-best (every hypothesis), or distractors (the list stays, and each
    /// hypothesis gains perturbed copies right behind it, with its score)
    #[arg(long, value_name = "KIND")]
    pub kind: PerturbationKind,
    /// Probability that a word with a homophone is replaced
    #[arg(long, value_name = "RATE", value_parser = rate, allow_negative_numbers = true)]
    pub rate: f64,
    /// What is replaced: words, or with character and mixed the characters of Chinese, Japanese, Thai, Lao, Khmer and Burmese (of
    /// other scripts words all the same)
    #[arg(long, default_value = "word", value_name = "UNIT")]
    pub unit: Unit,
    /// Seed of what is replaced, and by what
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
    /// Copies of a hypothesis that distractors add [default: 2]
    #[arg(long, value_name = "N", value_parser = numbers::at_least_one)]
    pub copies: Option<usize>,
    #[command(flatten)]
    pub homophones: HomophoneArgs,
    /// Every replacement on stdout in place of the lists, which go to --output alone
    #[arg(long)]
    pub show: bool,
    /// Write the lists to FILE, which appears when all is done
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[arg(long, alias = "to", help = output_format_help("jsonl"), value_name = "FORMAT")]
    pub output_format: Option<OutputFormat>,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  rescorer perturb-audio speech/*.wav --noise white --snr 10 --output noisy
  rescorer perturb-audio a.wav --noise babble --noise-from voices/*.wav --snr 5 --speed 1.1 --output noisy

What is done comes in this order: speed, noise, clipping. The files keep their names and formats. µ-law and A-law
are written as 16-bit PCM, 64-bit floating point as 32-bit, RF64, BW64 and RIFX as RIFF; stderr names these files.")]
pub struct PerturbAudioArgs {
    /// WAV files: PCM, floating point, µ-law or A-law; any rate from 1 to 768 kHz and number of channels
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Folder for the files
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// white, babble (six voices of --noise-from at a time) or recorded (one of --noise-from)
    #[arg(long, value_enum, value_name = "KIND", requires = "snr")]
    pub noise: Option<NoiseKind>,
    /// Recordings of voices or of noise
    #[arg(long, value_name = "WAV", num_args = 1.., requires = "noise")]
    pub noise_from: Vec<PathBuf>,
    /// Ratio of speech to noise, in dB, over the whole file
    #[arg(long, value_name = "DB", allow_negative_numbers = true, requires = "noise", value_parser = numbers::finite)]
    pub snr: Option<f64>,
    /// So many times as fast, 0.5 to 2; the pitch changes with it
    #[arg(long, value_name = "FACTOR", value_parser = numbers::finite, allow_negative_numbers = true)]
    pub speed: Option<f64>,
    /// Cut samples off at this share of the peak
    #[arg(long, value_name = "SHARE", value_parser = clip, allow_negative_numbers = true)]
    pub clip: Option<f32>,
    /// Seed of the noise; nothing else is drawn
    #[arg(long, default_value_t = 0, value_name = "N", requires = "noise")]
    pub seed: u64,
    /// Go on after a file that can't be used; they are reported and counted, and the exit code is 1
    #[arg(long)]
    pub skip_invalid: bool,
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
    /// Normalisation before words are compared: none, lower, nfc, nfc-lower, whisper-basic or whisper-english
    #[arg(long, default_value = "none", value_name = "KIND")]
    pub normalize: Normalization,
    /// Unit of error: word (WER), character (CER) or mixed (MER: Chinese, Japanese, Thai, Lao, Khmer and Burmese by characters, the
    /// rest by words)
    #[arg(long, default_value = "word", value_name = "UNIT")]
    pub unit: Unit,
    /// So many of the most frequent confusions
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub top: usize,
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

Paths are those seen from the plan's folder. Broken off at any moment, the same command goes on: scores are kept in
the output folder.")]
pub struct RobustnessArgs {
    /// What is compared, on what, and how it is perturbed
    pub plan: PathBuf,
    /// Folder for report.html, report.json, rows.csv and the scores
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// Unit of error, in place of the plan's: word, character or mixed [default: the plan's, else that of its policies, else word]
    #[arg(long, value_name = "UNIT")]
    pub unit: Option<Unit>,
    /// Go on after a list that can't be used; they are reported and counted, and the exit code is 1
    #[arg(long)]
    pub skip_invalid: bool,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub no_seed: NoSeedArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}
