//! The registry of output formats. To add one: its file under `output_formats/`, its `mod` line, and its line
//! in `output_formats!`.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::line::is_break;
use crate::{Answer, AnswerEncoder, Error, jsonl_writer};

mod csv;
mod ctm;
mod jsonl;
mod kaldi;
#[cfg(feature = "parquet")]
mod parquet;
mod text;
mod trn;

pub(crate) use csv::OF_SECOND_PASS;

/// What the crate knows about an output format.
pub(crate) struct OutputSpec {
    /// The name on the command line.
    pub(crate) name: &'static str,
    /// The extension of its files, where it has one.
    pub(crate) extension: Option<&'static str>,
    /// What it holds, in a few words of help.
    pub(crate) about: &'static str,
    /// Whether it holds more than the winner.
    pub(crate) lists: bool,
    /// Makes its encoder.
    pub(crate) encoder: fn(OutputContent) -> Box<dyn Encode>,
}

/// Encodes the answers of one output.
pub(crate) trait Encode: Send {
    /// Appends an answer. After an error the bytes are not written, and it is as if the answer never came.
    fn encode(&mut self, answer: &Answer, to: &mut Vec<u8>) -> Result<(), Error>;

    /// Appends what stands at the end.
    fn finish(&mut self, _to: &mut Vec<u8>) -> Result<(), Error> {
        Ok(())
    }
}

/// What the answers of an output hold, known before the first of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputContent {
    /// Lists, not winners alone.
    pub lists: bool,
    /// Scores of a second pass.
    pub second_pass: bool,
}

macro_rules! output_formats {
    ($($(#[$docs:meta])* $variant:ident = $spec:path $(, if $feature:literal)?;)+) => {
        /// A format that answers are written in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum OutputFormat {
            $($(#[$docs])* $(#[cfg(feature = $feature)])? $variant,)+
        }

        impl OutputFormat {
            /// Every output format.
            pub const ALL: &'static [Self] = &[$($(#[cfg(feature = $feature)])? Self::$variant,)+];

            pub(crate) fn spec(self) -> &'static OutputSpec {
                match self {
                    $($(#[cfg(feature = $feature)])? Self::$variant => &$spec,)+
                }
            }
        }
    };
}

output_formats! {
    /// `text`: id, tab, text; of lists id, position, total if there is one, text.
    Text = text::SPEC;
    /// `jsonl`: the native format.
    Jsonl = jsonl::SPEC;
    /// `csv`: a table with a row for every hypothesis.
    Csv = csv::CSV;
    /// `tsv`: the same with tabs.
    Tsv = csv::TSV;
    /// `trn`: transcripts for sclite.
    Trn = trn::SPEC;
    /// `kaldi`: the `text` of a Kaldi data folder.
    Kaldi = kaldi::SPEC;
    /// `ctm`: the words with their times, as NIST's tools read them.
    Ctm = ctm::SPEC;
    /// `parquet`: the native format as columns (feature `parquet`).
    Parquet = parquet::SPEC, if "parquet";
}

impl OutputFormat {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// Whether it holds whole lists, not winners alone.
    pub fn holds_lists(self) -> bool {
        self.spec().lists
    }

    /// The format whose extension a file has.
    pub fn of_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::ALL.iter().copied().find(|format| format.spec().extension == Some(extension.as_str()))
    }

    /// All names with what they hold, for help.
    pub fn help() -> String {
        let one = |format: &Self| format!("{}: {}", format.name(), format.spec().about);
        Self::ALL.iter().map(one).collect::<Vec<_>>().join("; ")
    }

    /// Begins an output.
    pub fn encoder(self, content: OutputContent) -> AnswerEncoder {
        AnswerEncoder::new(self, content)
    }

    /// The names of all output formats, for messages.
    pub(crate) fn names() -> String {
        let names: Vec<_> = Self::ALL.iter().map(|format| format.name()).collect();
        names.join(", ")
    }
}

impl fmt::Display for OutputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for OutputFormat {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.iter().copied().find(|format| format.name() == name);
        found.ok_or_else(|| Error::OutputFormatName { name: name.to_owned() })
    }
}

/// The error for an utterance that a format cannot hold.
fn unwritable(answer: &Answer, format: &'static str, reason: String) -> Error {
    Error::Unwritable { utterance: answer.utterance().id.clone(), format, reason }
}

/// Refuses an id that cannot begin a line of words.
fn check_id(answer: &Answer, format: &'static str) -> Result<(), Error> {
    let what = match answer.utterance().id.as_str() {
        "" => "is empty",
        id if id.contains(|c: char| c.is_whitespace() || is_break(c)) => "holds white space",
        _ => return Ok(()),
    };
    Err(unwritable(answer, format, format!("its id {what}, but words follow it; rename it")))
}

/// Refuses fields that would be taken for others when they are read back.
fn check_fields(answer: &Answer, format: &'static str) -> Result<(), Error> {
    jsonl_writer::collision(answer.utterance())
        .map_or(Ok(()), |reason| Err(unwritable(answer, format, reason)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_extensions_are_unique_and_lead_back() {
        for &format in OutputFormat::ALL {
            assert_eq!(format.to_string().parse::<OutputFormat>().unwrap(), format);
            assert!(OutputFormat::help().contains(&format!("{format}: ")));
            if let Some(extension) = format.spec().extension {
                assert_eq!(OutputFormat::of_path(Path::new(&format!("a/b.{extension}"))), Some(format));
            }
        }
        assert_eq!(OutputFormat::of_path(Path::new("OUT.CSV")), Some(OutputFormat::Csv));
        for other in ["out", "csv", ".csv", "out.xml", "-"] {
            assert_eq!(OutputFormat::of_path(Path::new(other)), None, "{other}");
        }
        assert_eq!(
            "xml".parse::<OutputFormat>().unwrap_err().to_string(),
            format!("there is no output format \"xml\"; the output formats are {}", OutputFormat::names())
        );
    }
}
