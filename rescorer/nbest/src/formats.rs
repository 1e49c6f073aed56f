//! The registry of formats. To add one: its file under `formats/`, its `mod` line, and its line in
//! `formats!`.

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use crate::body::Body;
use crate::fields::Fields;
use crate::reading::Reading;
use crate::source::Source;
use crate::{Error, FieldNames, Utterance};

mod am_json;
#[cfg(feature = "parquet")]
mod arrow;
mod csv;
mod espnet;
mod hyporadise;
mod jsonl;
mod kaldi;
mod nemo;
#[cfg(feature = "parquet")]
mod parquet;
mod sherpa_onnx;
mod srilm;
mod torchaudio;
mod tsv;
mod vosk;
mod wav2letter;
mod whisper;

pub(crate) use csv::refusal;

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
    Json(Json),
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

/// A format of JSON text.
pub(crate) struct Json {
    /// How a file is made up of utterances.
    pub(crate) layout: Layout,
    /// Whether the mark settles the format at once. If not, a mark that does goes before it, wherever in the
    /// first object it stands.
    pub(crate) certain: bool,
    /// Whether a key of an utterance tells that it is of this format.
    pub(crate) marker: fn(&str) -> bool,
    /// Turns the fields of one utterance into an utterance.
    pub(crate) parse: fn(Fields) -> Result<Utterance, Error>,
}

/// How a file is made up of utterances.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One JSON object a line.
    Lines,
    /// JSON objects one behind the other, line breaks wherever they like.
    Objects,
    /// One JSON array of objects.
    Array,
    /// One JSON object of objects; the key is the id.
    Object,
}

macro_rules! formats {
    ($($(#[$docs:meta])* $variant:ident = $module:ident $(if $feature:literal)?),+ $(,)?) => {
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
                    $($(#[cfg(feature = $feature)])? Self::$variant => &$module::SPEC,)+
                }
            }
        }
    };
}

formats! {
    /// `jsonl`, the native format: one JSON object a line, with `id`, `hypotheses` (`text`, `score`),
    /// `reference`, `context`.
    Jsonl = jsonl,
    /// `hyporadise`: a JSON array of objects with `input` (the texts), `output` (the reference), `am_score`
    /// or `score`.
    HyporadiseJson = hyporadise,
    /// `am-json` of ESPnet and mlm-scoring: a JSON object of id → `ref`, `hyp_1`, `hyp_2`, ... (`score`,
    /// `text`).
    EspnetJson = am_json,
    /// `espnet`: a decode folder of ESPnet, `logdir/output.N/Kbest_recog/` with `text` and `score`, and `ref.txt` beside `logdir`.
    EspnetFolder = espnet,
    /// `kaldi`: a folder of Kaldi's `nbest-to-linear`, `words_text` and costs (`ac_cost`, `lm_cost`, `acwt`, `lmwt.*`), with
    /// `text` as references; or a folder of such folders, `archives.N`.
    Kaldi = kaldi,
    /// `vosk`: answers of Vosk with `alternatives` (`text`, `confidence`), one JSON object or a stream of them.
    Vosk = vosk,
    /// `nemo`: a folder with the beams of NeMo's n-gram decoding, `preds_out_width*.tsv`, and their
    /// `*manifest*.json`.
    Nemo = nemo,
    /// `whisper`: results of Whisper, faster-whisper or WhisperX with `segments`, one JSON object or a stream of
    /// them, alone or as `hypotheses`.
    Whisper = whisper,
    /// `sherpa-onnx`: results of sherpa-onnx with `ys_probs`, one JSON object or a stream of them, alone or as
    /// `nbest`.
    SherpaOnnx = sherpa_onnx,
    /// `srilm`: N-best lists of SRILM and Decipher (`NBestList1.0`, or acoustic score, LM score, number of words), a file for
    /// each utterance, or a folder of them.
    Srilm = srilm,
    /// `wav2letter`: beams of wav2letter and flashlight, `ID | SCORE | AM SCORE | LM SCORE | WER | WORDS` a line.
    Wav2letter = wav2letter,
    /// `torchaudio`: beams of torchaudio's CTC decoders as Python prints them, lists of `CTCHypothesis(...)`.
    Torchaudio = torchaudio,
    /// `csv`: a table with commas or semicolons, one hypothesis a row, the columns `id` and `text`, and `score`,
    /// `reference`, `context`, `position` where they are there.
    Csv = csv,
    /// `tsv`: the same table with tabs.
    Tsv = tsv,
    /// `parquet`: a Parquet file whose columns have the names of one of the JSON formats (feature `parquet`).
    Parquet = parquet if "parquet",
    /// `arrow`: the same in an Arrow file or stream, as Feather and the caches of Hugging Face are (feature `parquet`).
    Arrow = arrow if "parquet",
}

impl Format {
    /// Whether its fields or columns may have other names than the usual ones.
    pub fn takes_names(self) -> bool {
        match &self.spec().kind {
            Kind::Json(_) | Kind::Columns { .. } => true,
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

    /// The JSON format of which this key of an utterance is the mark.
    pub(crate) fn marked_by(key: &str) -> Option<(Self, &'static Json)> {
        Self::ALL.iter().find_map(|format| match &format.spec().kind {
            Kind::Json(json) if (json.marker)(key) => Some((*format, json)),
            _ => None,
        })
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
