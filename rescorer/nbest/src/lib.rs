//! N-best lists of speech recognisers: types and file formats.
//!
//! An [`Utterance`] holds an [`NBest`] list of [`Hypothesis`] values in first-pass order. A [`Reader`] yields
//! the utterances of one file, [`Readers`] those of several, one at a time: memory does not grow with the
//! file, but for eight bytes an id. [`JsonlWriter`] and [`TrnWriter`] write them, an [`AnswerEncoder`] turns what
//! a second pass said of them into any [`OutputFormat`], [`OutputFile`] replaces a file in one step.
//!
//! ```
//! use rescorer_nbest::{JsonlWriter, ReadOptions, Reader};
//!
//! let list = br#"{"id": "u1", "hypotheses": [{"text": "a cat", "score": -1.2}, {"text": "a hat", "score": -2}]}"#;
//! let mut writer = JsonlWriter::new("copy", Vec::new());
//! for utterance in Reader::from_read("list", &list[..], &ReadOptions::default())? {
//!     let utterance = utterance?;
//!     assert_eq!(utterance.nbest.first().text, "a cat");
//!     writer.write(&utterance)?;
//! }
//! assert!(writer.finish()?.starts_with(br#"{"id":"u1","hypotheses":[{"text":"a cat","score":-1.2}"#));
//! # Ok::<(), rescorer_nbest::Error>(())
//! ```
//!
//! The formats are the variants of [`Format`]; how each is read is a file under `formats/` and a line in `formats.rs`. Output
//! formats have an enum and a table of their own, `output_format.rs` and `output_formats.rs`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod answer;
#[cfg(feature = "parquet")]
mod batches;
mod body;
mod by_name;
#[cfg(feature = "parquet")]
mod cells;
#[cfg(feature = "parquet")]
mod columns;
mod decimal_comma;
mod detect;
mod encode;
mod encoder;
mod error;
mod extra;
mod field_names;
mod fields;
#[cfg(feature = "parquet")]
mod flat;
mod format;
mod formats;
mod hypothesis;
mod join;
mod json;
mod json_body;
mod jsonl_writer;
mod keyed;
mod keys;
mod line;
mod mapped;
mod nbest;
mod nearest;
mod notice;
mod object;
mod objects;
mod order;
mod output;
mod output_format;
mod output_formats;
mod path;
mod place;
mod plain;
mod reader;
mod readers;
mod reading;
mod rows;
mod scan;
mod score_kind;
mod score_part;
mod score_scale;
mod scores;
mod seen;
mod shape;
mod source;
mod spec;
mod split;
mod stem;
mod terms;
mod text_lines;
mod timed_word;
mod trn_writer;
mod unique;
mod utterance;

pub use answer::{Answer, AnswerLine};
pub use encode::OutputContent;
pub use encoder::AnswerEncoder;
pub use error::Error;
pub use field_names::FieldNames;
pub use format::Format;
pub use hypothesis::Hypothesis;
pub use jsonl_writer::JsonlWriter;
pub use line::one_line;
pub use nbest::NBest;
pub use notice::Notice;
pub use objects::Objects;
pub use output::OutputFile;
pub use output_format::OutputFormat;
pub use place::Place;
pub use reader::{ReadOptions, Reader};
pub use readers::Readers;
pub use score_kind::{LEAST_PROBABILITY, ScoreKind};
pub use score_part::ScorePart;
pub use score_scale::ScoreScale;
pub use seen::SeenIds;
pub use terms::{InsertedTerm, TermUse};
pub use text_lines::{TextLine, TextLines};
pub use timed_word::TimedWord;
pub use trn_writer::TrnWriter;
pub use unique::{UniqueHypotheses, UniqueHypothesis};
pub use utterance::Utterance;
