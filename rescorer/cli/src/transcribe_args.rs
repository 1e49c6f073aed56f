use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use rescorer_first_pass::{FirstPassKind, FirstPassOptions, PocketSphinxOptions, WhisperOptions};
use rescorer_nbest::OutputFormat;

use crate::args::{
    ChoiceArgs, ModelArgs, NoSeedArgs, ScoringArgs, output_format_help, output_format_long_help,
};

#[derive(Args)]
#[command(after_help = "Examples:
  rescorer transcribe talk.wav --policy policy.toml
  rescorer transcribe *.wav --whisper-model small.en --policy policy.toml --nbest-output lists.jsonl
  rescorer transcribe talk.wav --first-pass pocketsphinx --lm-weight 6.5 --output talk.ctm

Each line has id, start, end, pass and text, separated by tabs. Where both passes agree, the pass is `both`; else \
there is a line `first` and a line `second`.")]
pub struct TranscribeArgs {
    /// WAV files
    ///
    /// PCM, floating point, µ-law or A-law, 1 to 768 kHz, any number of channels.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Report and skip unusable files; the exit code is then 1
    #[arg(long, help_heading = "Input")]
    pub skip_invalid: bool,
    #[command(flatten)]
    pub recogniser: RecogniserArgs,
    #[command(flatten)]
    pub choice: ChoiceArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    /// Write to this file instead of stdout
    ///
    /// The file appears when everything is done.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    #[arg(
        long,
        alias = "to",
        help = output_format_help("as below"),
        long_help = output_format_long_help("as below"),
        conflicts_with = "json",
        value_name = "FORMAT",
        help_heading = "Output"
    )]
    pub output_format: Option<OutputFormat>,
    /// Write the lists of the first pass to this file
    ///
    /// The extension names the format: .jsonl, .csv, .tsv, .parquet or .txt.
    #[arg(long, alias = "nbest-out", value_name = "FILE", help_heading = "Output")]
    pub nbest_output: Option<PathBuf>,
    #[command(flatten)]
    pub no_seed: NoSeedArgs,
}

/// The recogniser.
#[derive(Args)]
#[command(next_help_heading = "First pass")]
pub struct RecogniserArgs {
    /// Recogniser: whisper or pocketsphinx
    ///
    /// whisper runs in Python. pocketsphinx needs a build with the feature of that name.
    #[arg(long, default_value_t = FirstPassKind::Whisper, value_name = "NAME")]
    pub first_pass: FirstPassKind,
    /// Hypotheses of a list
    ///
    /// For whisper it is also the width of the beam.
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub nbest_size: u16,
    /// Longest segment; longer recordings are cut
    ///
    /// They are cut at quiet places.
    #[arg(long, default_value_t = 30.0, value_name = "SECONDS", value_parser = piece)]
    pub max_segment: f64,
    /// Time limit for each answer of the recogniser
    ///
    /// The first answer includes the start of the recogniser and the download of its model.
    #[arg(long, default_value_t = 600, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub first_pass_timeout: u32,
    /// Python interpreter for whisper
    #[arg(long, default_value = "python3", value_name = "PATH")]
    pub python: PathBuf,
    /// Whisper model: name or folder
    ///
    /// faster-whisper downloads models by name. A folder has the format of CTranslate2.
    #[arg(long, default_value = "tiny.en", value_name = "NAME|DIR")]
    pub whisper_model: String,
    /// Language code for whisper [default: detected]
    ///
    /// The language is detected for each segment.
    #[arg(long, value_name = "CODE")]
    pub language: Option<String>,
    /// Models of pocketsphinx [default: the system's]
    ///
    /// The folder has en-us, en-us.lm.bin and cmudict-en-us.dict.
    #[arg(long, value_name = "DIR")]
    pub pocketsphinx_models: Option<PathBuf>,
}

impl RecogniserArgs {
    /// What the recogniser has to know; threads and network are those of the model.
    pub fn options(&self, model: &ModelArgs) -> FirstPassOptions {
        let Self { nbest_size, first_pass_timeout, python, whisper_model, language, .. } = self;
        let nbest = usize::from(*nbest_size);
        FirstPassOptions {
            whisper: WhisperOptions {
                python: python.clone(),
                model: whisper_model.clone(),
                language: language.clone(),
                nbest,
                threads: model.threads.map_or(0, usize::from),
                offline: model.offline,
                timeout: Duration::from_secs(u64::from(*first_pass_timeout)),
            },
            pocketsphinx: PocketSphinxOptions { models: self.pocketsphinx_models.clone(), nbest },
        }
    }
}

fn piece(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (1.0..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("expected 1 to 3600 seconds".into()),
    }
}
