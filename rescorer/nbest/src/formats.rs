//! How each format is read. To add one: its name in [`Format`], its file under `formats/`, its `mod` line, and its line in
//! [`spec`].

use std::path::Path;

use crate::shape::Json;
use crate::spec::{Folder, Spec};
use crate::{FieldNames, Format};

mod am_json;
#[cfg(feature = "parquet")]
mod arrow;
mod beams;
mod cloud;
mod csv;
mod espnet;
mod hyporadise;
mod item;
mod jsonl;
mod kaldi;
mod nemo;
#[cfg(feature = "parquet")]
mod parquet;
pub(crate) mod sherpa_onnx;
mod srilm;
mod streams;
mod toolkits;
mod torchaudio;
mod tsv;
mod wav2letter;
mod whisper;

pub(crate) use beams::is_hypothesis;
pub(crate) use csv::refusal;
#[cfg(feature = "parquet")]
pub(crate) use csv::{is_table, table};

/// How inputs of a format are read.
pub(crate) fn spec(format: Format) -> &'static Spec {
    match format {
        Format::Jsonl => &jsonl::SPEC,
        Format::HyporadiseJson => &hyporadise::SPEC,
        Format::EspnetJson => &am_json::SPEC,
        Format::EspnetFolder => &espnet::SPEC,
        Format::Kaldi => &kaldi::SPEC,
        Format::Vosk => &streams::VOSK,
        Format::Nemo => &nemo::SPEC,
        Format::Whisper => &whisper::SPEC,
        Format::SherpaOnnx => &sherpa_onnx::SPEC,
        Format::WhisperCpp => &toolkits::WHISPER_CPP,
        Format::OpenAi => &cloud::OPENAI,
        Format::HuggingFace => &toolkits::HUGGING_FACE,
        Format::Deepgram => &cloud::DEEPGRAM,
        Format::Google => &cloud::GOOGLE,
        Format::Aws => &cloud::AWS,
        Format::Azure => &cloud::AZURE,
        Format::AssemblyAi => &cloud::ASSEMBLY_AI,
        Format::RevAi => &cloud::REV_AI,
        Format::EspnetData => &toolkits::ESPNET_DATA,
        Format::NemoManifest => &toolkits::NEMO_MANIFEST,
        Format::KaldiServer => &streams::KALDI_SERVER,
        Format::Wenet => &streams::WENET,
        Format::FunAsr => &toolkits::FUN_ASR,
        Format::Beams => &beams::SPEC,
        Format::Srilm => &srilm::SPEC,
        Format::Wav2letter => &wav2letter::SPEC,
        Format::Torchaudio => &torchaudio::SPEC,
        Format::Csv => &csv::SPEC,
        Format::Tsv => &tsv::SPEC,
        #[cfg(feature = "parquet")]
        Format::Parquet => &parquet::SPEC,
        #[cfg(feature = "parquet")]
        Format::Arrow => &arrow::SPEC,
    }
}

impl Format {
    /// Whether its fields or columns may have other names than the usual ones.
    pub fn takes_names(self) -> bool {
        match spec(self) {
            Spec::Json(_) => !matches!(self, Self::Whisper),
            #[cfg(feature = "parquet")]
            Spec::Columns { .. } => true,
            Spec::Text { .. } => matches!(self, Self::Csv | Self::Tsv),
            Spec::Folder(_) => false,
        }
    }
}

/// Every shape of JSON.
pub(crate) fn shapes() -> impl Iterator<Item = (Format, &'static Json)> {
    Format::ALL.iter().flat_map(|&format| json(format).iter().map(move |json| (format, json)))
}

/// The shapes of a format of JSON.
pub(crate) fn json(format: Format) -> &'static [Json] {
    match spec(format) {
        Spec::Json(shapes) => shapes,
        _ => &[],
    }
}

/// How folders of a format are read, if it has any.
pub(crate) fn folder(format: Format) -> Option<&'static Folder> {
    match spec(format) {
        Spec::Folder(folder) => Some(folder),
        Spec::Text { folder, .. } => folder.as_ref(),
        _ => None,
    }
}

/// The shape of which the object of a list has a mark that settles it, or else any mark.
pub(crate) fn of_marks(has: impl Fn(&str) -> bool) -> Option<(Format, &'static Json)> {
    let found = |certain: bool| shapes().find(|(_, json)| json.certain == certain && json.has_marks(&has));
    found(true).or_else(|| found(false))
}

/// The format of a folder.
pub(crate) fn of_folder(path: &Path) -> Option<Format> {
    let is_of = |format: &Format| folder(*format).is_some_and(|folder| (folder.marker)(path));
    Format::ALL.iter().copied().find(is_of)
}

/// The format of a text that is not JSON, from its first line.
pub(crate) fn of_text(line: &[u8], names: &FieldNames) -> Option<Format> {
    Format::ALL.iter().copied().find(|format| match spec(*format) {
        Spec::Text { marker, .. } => marker(line, names),
        _ => false,
    })
}

/// The format of columns that begins like this.
#[cfg_attr(not(feature = "parquet"), allow(unused_variables))]
pub(crate) fn of_start(start: &[u8]) -> Option<Format> {
    Format::ALL.iter().copied().find(|format| match spec(*format) {
        #[cfg(feature = "parquet")]
        Spec::Columns { marker, .. } => marker(start),
        _ => false,
    })
}
