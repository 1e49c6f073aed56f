use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use rescorer_first_pass::{FirstPassKind, FirstPassOptions, PocketSphinxOptions, WhisperOptions};
use rescorer_nbest::OutputFormat;

use crate::args::{ChoiceArgs, NoSeedArgs, ScoringArgs, output_format_help};

#[derive(Args)]
#[command(after_help = "Examples:
  rescorer transcribe talk.wav --policy policy.toml
  rescorer transcribe *.wav --whisper-model small.en --policy policy.toml --nbest-output lists.jsonl
  rescorer transcribe talk.wav --first-pass pocketsphinx --lm-weight 6.5 --output talk.ctm

A line is id, start, end, pass and text, separated by tabs; the pass is `both` where the second kept the text of the
first, else there is a line `first` and a line `second`.")]
pub struct TranscribeArgs {
    /// WAV files: PCM, floating point, µ-law or A-law; any rate from 1 to 768 kHz and number of channels
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub recogniser: RecogniserArgs,
    #[command(flatten)]
    pub choice: ChoiceArgs,
    /// Write the lists of the first pass to FILE, in the format of its extension (jsonl, csv, tsv, parquet, txt)
    #[arg(long, alias = "nbest-out", value_name = "FILE")]
    pub nbest_output: Option<PathBuf>,
    /// Write to FILE, which appears when all is done
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[arg(long, alias = "to", help = output_format_help("the lines below"), conflicts_with = "json", value_name = "FORMAT")]
    pub output_format: Option<OutputFormat>,
    /// Go on after a file or a piece that can't be used; they are reported and counted, and the exit code is 1
    #[arg(long)]
    pub skip_invalid: bool,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    #[command(flatten)]
    pub no_seed: NoSeedArgs,
}

/// Who listens.
#[derive(Args)]
pub struct RecogniserArgs {
    /// The recogniser: whisper (a Python process), or pocketsphinx (where it was built in)
    #[arg(long, default_value_t = FirstPassKind::Whisper, value_name = "NAME")]
    pub first_pass: FirstPassKind,
    /// Hypotheses of a list; for whisper the width of the beam too
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub nbest_size: u16,
    /// Longer recordings are cut, where it is quietest, into pieces of at most so many seconds
    #[arg(long, default_value_t = 30.0, value_name = "SECONDS", value_parser = piece)]
    pub max_segment: f64,
    /// How long one answer of the recogniser may take, the start of a process and fetching its model included
    #[arg(long, default_value_t = 600, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub first_pass_timeout: u32,
    /// whisper: the interpreter
    #[arg(long, default_value = "python3", value_name = "PATH")]
    pub python: PathBuf,
    /// whisper: a name that faster-whisper knows and fetches, or a folder with a model converted for CTranslate2
    #[arg(long, default_value = "tiny.en", value_name = "NAME|DIR")]
    pub whisper_model: String,
    /// whisper: code of the language [default: found out for every piece, where the model knows more than English]
    #[arg(long, value_name = "CODE")]
    pub language: Option<String>,
    /// pocketsphinx: folder with en-us, en-us.lm.bin and cmudict-en-us.dict [default: the system's]
    #[arg(long, value_name = "DIR")]
    pub pocketsphinx_models: Option<PathBuf>,
}

impl TranscribeArgs {
    pub fn first_pass_options(&self) -> FirstPassOptions {
        let RecogniserArgs { nbest_size, first_pass_timeout, python, whisper_model, language, .. } =
            &self.recogniser;
        let nbest = usize::from(*nbest_size);
        FirstPassOptions {
            whisper: WhisperOptions {
                python: python.clone(),
                model: whisper_model.clone(),
                language: language.clone(),
                nbest,
                threads: self.scoring.model.threads.map_or(0, usize::from),
                offline: self.scoring.model.offline,
                timeout: Duration::from_secs(u64::from(*first_pass_timeout)),
            },
            pocketsphinx: PocketSphinxOptions { models: self.recogniser.pocketsphinx_models.clone(), nbest },
        }
    }
}

fn piece(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (1.0..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("expected 1 to 3600 seconds".into()),
    }
}
