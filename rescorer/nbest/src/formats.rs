//! The registry of formats. To add one: its file under `formats/`, its `mod` line, and its line in
//! `formats!`.

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use crate::body::Body;
use crate::reading::Reading;
use crate::shape::Json;
use crate::source::Source;
use crate::{Error, FieldNames};

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
mod sherpa_onnx;
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
pub(crate) use whisper::join;

/// What the crate knows about a format.
pub(crate) struct Spec {
    /// The name on the command line.
    pub(crate) name: &'static str,
    /// What an input of this format is.
    pub(crate) kind: Kind,
}

/// The utterances of an input that was opened.
pub(crate) type Opened = Result<Box<dyn Body>, Error>;

/// What an input of a format is.
pub(crate) enum Kind {
    /// JSON text.
    Json(&'static [Json]),
    /// Text of another kind.
    Text {
        /// Whether the first line tells that a text is of this format; tables may have columns of other names.
        marker: fn(&[u8], &FieldNames) -> bool,
        /// Reads it.
        open: fn(Source, Arc<Reading>) -> Opened,
        /// Folders of such files, where they are read too.
        folder: Option<Folder>,
    },
    /// A file of columns, in which one jumps to and fro.
    #[cfg_attr(not(feature = "parquet"), allow(dead_code))]
    Columns {
        /// Whether a file begins like this format.
        marker: fn(&[u8]) -> bool,
        /// Opens the file of this name.
        open: fn(&str, File, Arc<Reading>) -> Opened,
    },
    /// A folder of files that belong together.
    Folder(Folder),
}

/// A folder of a format.
pub(crate) struct Folder {
    /// Whether a folder is of this format.
    pub(crate) marker: fn(&Path) -> bool,
    /// Opens it.
    pub(crate) open: fn(&Path, Arc<Reading>) -> Opened,
}

impl Spec {
    /// How folders of this format are read, if it has any.
    pub(crate) fn folder(&self) -> Option<&Folder> {
        match &self.kind {
            Kind::Folder(folder) => Some(folder),
            Kind::Text { folder, .. } => folder.as_ref(),
            Kind::Json(_) | Kind::Columns { .. } => None,
        }
    }
}

macro_rules! formats {
    ($($(#[$docs:meta])* $variant:ident = $spec:path $(, if $feature:literal)?;)+) => {
        /// A file format of N-best lists.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Format {
            $($(#[$docs])* $(#[cfg(feature = $feature)])? $variant,)+
        }

        impl Format {
            /// Every format.
            pub const ALL: &'static [Self] = &[$($(#[cfg(feature = $feature)])? Self::$variant,)+];

            pub(crate) fn spec(self) -> &'static Spec {
                match self {
                    $($(#[cfg(feature = $feature)])? Self::$variant => &$spec,)+
                }
            }
        }
    };
}

formats! {
    /// `jsonl`, the native format: one JSON object a line, with `id`, `hypotheses` (`text`, `score`),
    /// `reference`, `context`.
    Jsonl = jsonl::SPEC;
    /// `hyporadise`: a JSON array of objects with `input` (the texts), `output` (the reference), `am_score`
    /// or `score`.
    HyporadiseJson = hyporadise::SPEC;
    /// `am-json` of ESPnet and mlm-scoring: a JSON object of id → `ref`, `hyp_1`, `hyp_2`, ... (`score`,
    /// `text`).
    EspnetJson = am_json::SPEC;
    /// `espnet`: a decode folder of ESPnet, `logdir/output.N/Kbest_recog/` with `text` and `score`, and `ref.txt` beside `logdir`.
    EspnetFolder = espnet::SPEC;
    /// `kaldi`: a folder of Kaldi's `nbest-to-linear`, `words_text` and costs (`ac_cost`, `lm_cost`, `acwt`, `lmwt.*`), with
    /// `text` as references; or a folder of such folders, `archives.N`.
    Kaldi = kaldi::SPEC;
    /// `vosk`: answers of Vosk with `alternatives` (`text`, `confidence`), one JSON object or a stream of them.
    Vosk = streams::VOSK;
    /// `nemo`: a folder with the beams of NeMo's n-gram decoding, `preds_out_width*.tsv`, and their
    /// `*manifest*.json`.
    Nemo = nemo::SPEC;
    /// `whisper`: results of Whisper, faster-whisper or WhisperX with `segments`, one JSON object or a stream of
    /// them, alone or as `hypotheses`.
    Whisper = whisper::SPEC;
    /// `sherpa-onnx`: results of sherpa-onnx with `ys_probs`, one JSON object or a stream of them, alone or as
    /// `nbest`.
    SherpaOnnx = sherpa_onnx::SPEC;
    /// `whisper-cpp`: results of whisper.cpp with `transcription`.
    WhisperCpp = toolkits::WHISPER_CPP;
    /// `openai`: OpenAI's transcriptions with `logprobs`; those with `segments` are `whisper`.
    OpenAi = cloud::OPENAI;
    /// `huggingface`: results of the pipeline of Transformers with `chunks`.
    HuggingFace = toolkits::HUGGING_FACE;
    /// `deepgram`: Deepgram's answers, `results.channels` or, in a stream, `channel`.
    Deepgram = cloud::DEEPGRAM;
    /// `google`: Google's answers, `results` with `alternatives`, and those of services that are alike (Watson, Riva).
    Google = cloud::GOOGLE;
    /// `aws`: Amazon Transcribe's answers, `results` of a job or `Transcript` of a stream.
    Aws = cloud::AWS;
    /// `azure`: Azure's answers with `NBest`, of a batch with `recognizedPhrases`, of the fast transcription with `phrases`.
    Azure = cloud::AZURE;
    /// `assemblyai`: AssemblyAI's transcripts.
    AssemblyAi = cloud::ASSEMBLY_AI;
    /// `rev-ai`: Rev AI's transcripts with `monologues`.
    RevAi = cloud::REV_AI;
    /// `espnet1`: `data.json` of ESPnet 1 with `utts`.
    EspnetData = toolkits::ESPNET_DATA;
    /// `nemo-manifest`: a manifest of NeMo with `pred_text`.
    NemoManifest = toolkits::NEMO_MANIFEST;
    /// `kaldi-server`: answers of kaldi-gstreamer-server with `result.hypotheses`.
    KaldiServer = streams::KALDI_SERVER;
    /// `wenet`: answers of WeNet with `nbest` and `sentence`.
    Wenet = streams::WENET;
    /// `funasr`: results of FunASR with `key` and `text`.
    FunAsr = toolkits::FUN_ASR;
    /// `beams`: lists of texts, of pairs of text and score, or of the beams of pyctcdecode or torchaudio.
    Beams = beams::SPEC;
    /// `srilm`: N-best lists of SRILM and Decipher (`NBestList1.0`, or acoustic score, LM score, number of words), a file for
    /// each utterance, or a folder of them.
    Srilm = srilm::SPEC;
    /// `wav2letter`: beams of wav2letter and flashlight, `ID | SCORE | AM SCORE | LM SCORE | WER | WORDS` a line.
    Wav2letter = wav2letter::SPEC;
    /// `torchaudio`: beams of torchaudio's CTC decoders as Python prints them, lists of `CTCHypothesis(...)`.
    Torchaudio = torchaudio::SPEC;
    /// `csv`: a table with commas or semicolons, one hypothesis a row, the columns `id` and `text`, and `score`,
    /// `reference`, `context`, `position` where they are there.
    Csv = csv::SPEC;
    /// `tsv`: the same table with tabs.
    Tsv = tsv::SPEC;
    /// `parquet`: a Parquet file whose columns have the names of one of the JSON formats (feature `parquet`).
    Parquet = parquet::SPEC, if "parquet";
    /// `arrow`: the same in an Arrow file or stream, as Feather and the caches of Hugging Face are (feature `parquet`).
    Arrow = arrow::SPEC, if "parquet";
}

impl Format {
    /// Whether its fields or columns may have other names than the usual ones.
    pub fn takes_names(self) -> bool {
        match &self.spec().kind {
            Kind::Json(_) => !matches!(self, Self::Whisper),
            Kind::Columns { .. } => true,
            Kind::Text { .. } => matches!(self, Self::Csv | Self::Tsv),
            Kind::Folder(_) => false,
        }
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The names of all formats, for messages.
    pub(crate) fn names() -> String {
        let names: Vec<_> = Self::ALL.iter().map(|format| format.name()).collect();
        names.join(", ")
    }

    /// Every shape of JSON.
    pub(crate) fn shapes() -> impl Iterator<Item = (Self, &'static Json)> {
        Self::ALL.iter().flat_map(|&format| format.json().iter().map(move |json| (format, json)))
    }

    /// The shapes of a format of JSON.
    pub(crate) fn json(self) -> &'static [Json] {
        match self.spec().kind {
            Kind::Json(shapes) => shapes,
            _ => &[],
        }
    }

    /// The shape of which the object of a list has a mark that settles it, or else any mark.
    pub(crate) fn of_marks(has: impl Fn(&str) -> bool) -> Option<(Self, &'static Json)> {
        let found =
            |certain: bool| Self::shapes().find(|(_, json)| json.certain == certain && json.has_marks(&has));
        found(true).or_else(|| found(false))
    }

    /// The format of a folder.
    pub(crate) fn of_folder(path: &Path) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|format| format.spec().folder().is_some_and(|folder| (folder.marker)(path)))
    }

    /// The format of a text that is not JSON, from its first line.
    pub(crate) fn of_text(line: &[u8], names: &FieldNames) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| match &format.spec().kind {
            Kind::Text { marker, .. } => marker(line, names),
            _ => false,
        })
    }

    /// The format of columns that begins like this.
    pub(crate) fn of_start(start: &[u8]) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| match &format.spec().kind {
            Kind::Columns { marker, .. } => marker(start),
            _ => false,
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.iter().copied().find(|format| format.name() == name);
        found.ok_or_else(|| Error::FormatName { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_json_has_a_sample_and_a_row_in_the_documents() {
        let samples = include_str!("../tests/shapes/samples.rs");
        let page = include_str!("../../../docs/formats.md");
        for format in Format::ALL.iter().filter(|format| !format.json().is_empty()) {
            let count = samples.matches(&format!("format: Format::{format:?},")).count();
            assert!(count > 0, "{format} has no sample");
            assert!(page.contains(&format!("| `{format}`")), "{format} is not in docs/formats.md");
        }
        for known in crate::scores::names::KNOWN {
            assert!(page.contains(&format!("`{}`", known.name)), "{} is not in docs/formats.md", known.name);
        }
    }

    #[test]
    fn names_go_both_ways() {
        for &format in Format::ALL {
            assert_eq!(format.to_string().parse::<Format>().unwrap(), format);
        }
        assert_eq!(
            "ctm".parse::<Format>().unwrap_err().to_string(),
            format!("there is no format \"ctm\"; the formats are {}", Format::names())
        );
    }
}
