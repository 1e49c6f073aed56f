//! What can go wrong with N-best lists and their files.

use std::io;

use crate::{Format, OutputFormat, Place};

mod place;

/// An error of this crate. Its message says what failed, where, and what to do about it.
///
/// Errors of one utterance carry its [`Place`]; after those a reader goes on, see [`Error::is_recoverable`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be opened.
    #[error("cannot open {path}: {source}")]
    Open {
        /// The file, as it was named.
        path: String,
        /// The reason.
        source: io::Error,
    },
    /// A folder that is of none of the formats that are folders.
    #[error(
        "cannot read {path}: it is a folder, and holds no lists that are known (ESPnet's have \
         logdir/output.1/1best_recog/text, Kaldi's words_text of nbest-to-linear or archives.1, NeMo's a .tsv and a manifest, \
         SRILM's a list in every file); name a file, or a folder like these"
    )]
    Folder {
        /// The folder, as it was named.
        path: String,
    },
    /// A file was named where the format is a folder.
    #[error("cannot read {path} as {format}, which is a folder of files; name the folder")]
    NoFolder {
        /// The input, as it was named.
        path: String,
        /// The format.
        format: Format,
    },
    /// A file of columns cannot be read, or not on.
    #[error("cannot read {path} as {format}: {reason}")]
    Columns {
        /// The file, as it was named.
        path: String,
        /// The format.
        format: Format,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// Files that belong together do not fit together.
    #[error("{path}: {reason}")]
    Parts {
        /// The file or folder at fault.
        path: String,
        /// What does not fit, and the remedy.
        reason: String,
    },
    /// An utterance whose parts do not fit together: files, rows, fields.
    #[error("{place}: {reason}")]
    Part {
        /// The utterance.
        place: Place,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// The first row of a table does not name the columns that are needed.
    #[error("{path}:{line}: {reason}")]
    Header {
        /// The file, as it was named.
        path: String,
        /// The line of the row, from 1.
        line: u64,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// Reading failed part-way.
    #[error("{path}:{line}: cannot read on: {source}")]
    Read {
        /// The file, as it was named.
        path: String,
        /// The line reached, from 1.
        line: u64,
        /// The reason.
        source: io::Error,
    },
    /// A line of a text file that is not text.
    #[error("{path}:{line}: {reason}")]
    Text {
        /// The file, as it was named.
        path: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// A file holds no utterance at all.
    #[error("{path} is empty: it holds no utterance")]
    Empty {
        /// The file, as it was named.
        path: String,
    },
    /// The content matches none of the formats.
    #[error("cannot tell the format of {path}: it begins with {seen}; {remedy}")]
    UnknownFormat {
        /// The file, as it was named.
        path: String,
        /// A description of how the content begins.
        seen: String,
        /// The nearest formats, and what to do.
        remedy: String,
    },
    /// No format has this name.
    #[error("there is no format {name:?}; the formats are {}", Format::names())]
    FormatName {
        /// The name asked for.
        name: String,
    },
    /// A JSON document is broken or cut short, so that the next utterance cannot be found.
    #[error(
        "{path}:{line}: broken {format} document: expected {expected}, found {found}; everything from here \
         on is unread"
    )]
    Document {
        /// The file, as it was named.
        path: String,
        /// The line of the break, from 1.
        line: u64,
        /// The format that is read.
        format: Format,
        /// What the format asks for here.
        expected: String,
        /// What stands here.
        found: String,
    },
    /// A line is not valid JSON.
    #[error("{place} is not valid JSON, column {column}: {reason}; mend the line")]
    Syntax {
        /// The line.
        place: Place,
        /// The column of the error in bytes, from 1.
        column: usize,
        /// The reason.
        reason: String,
    },
    /// An utterance is not UTF-8.
    #[error("{place} is not valid UTF-8; convert the file (iconv -t UTF-8)")]
    Encoding {
        /// The utterance.
        place: Place,
    },
    /// A key stands twice in one object.
    #[error("{place} has the key `{key}` twice in one object; keep one")]
    DuplicateKey {
        /// The utterance.
        place: Place,
        /// The key.
        key: String,
    },
    /// An utterance of one format stands in a file of another.
    #[error(
        "{place} looks like {found}, but the file is read as {expected}; one file holds one format, \
         which can be named"
    )]
    OtherFormat {
        /// The utterance.
        place: Place,
        /// The format of the file.
        expected: Format,
        /// The format that the utterance looks like.
        found: Format,
    },
    /// A field that the format needs is not there.
    #[error("{place} has no field `{field}`; add it")]
    MissingField {
        /// The utterance.
        place: Place,
        /// The field.
        field: String,
    },
    /// No field tells where the hypotheses are.
    #[error(
        "{place} has no field that holds hypotheses, but {seen}; name one `hypotheses` (objects with `text` and \
         `score`) or `input` (texts)"
    )]
    UnknownFields {
        /// The utterance.
        place: Place,
        /// The fields that there are.
        seen: String,
    },
    /// A field has the wrong type.
    #[error("{place}: `{field}` is {found}, expected {expected}; mend it")]
    FieldType {
        /// The utterance.
        place: Place,
        /// The field.
        field: String,
        /// The type that is needed.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// A list has no hypotheses.
    #[error("{place} has no hypotheses; remove it")]
    NoHypotheses {
        /// The utterance.
        place: Place,
    },
    /// Some hypotheses of a list have a score and some have none.
    #[error(
        "{place} mixes hypotheses with a score (position {scored}) and without (position {unscored}); score \
         all or none"
    )]
    MixedScores {
        /// The utterance.
        place: Place,
        /// Position of the first hypothesis with a score.
        scored: usize,
        /// Position of the first hypothesis without.
        unscored: usize,
    },
    /// A score is NaN, infinite, or too large for a 64-bit float.
    #[error("{place} holds {value}, which is not a finite number; mend the score")]
    NotFinite {
        /// The utterance.
        place: Place,
        /// The value, as written.
        value: String,
    },
    /// A number beside a text is no score.
    #[error("{place}: `{field}` is {reason}")]
    Score {
        /// The utterance.
        place: Place,
        /// The field.
        field: String,
        /// The number, what is wrong with it, and the remedy.
        reason: String,
    },
    /// The names given to fields cannot be read.
    #[error("cannot read the names of fields {text:?}: {reason}")]
    FieldNames {
        /// The names, as they were given.
        text: String,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// There are not as many scores as hypotheses.
    #[error("{place} has {hypotheses} hypotheses but {scores} scores in `{field}`; mend it")]
    ScoreCount {
        /// The utterance.
        place: Place,
        /// The field that holds the scores.
        field: String,
        /// The number of hypotheses.
        hypotheses: usize,
        /// The number of scores.
        scores: usize,
    },
    /// Numbered hypotheses do not run from `hyp_1` without a gap.
    #[error(
        "{place} has `{found}` where `hyp_{expected}` should be; number the hypotheses from hyp_1 without \
         gaps"
    )]
    HypothesisNumber {
        /// The utterance.
        place: Place,
        /// The number that comes next.
        expected: usize,
        /// The key that stands there.
        found: String,
    },
    /// An id was read before.
    #[error("{place} has an id that an earlier utterance has; ids must be unique over all files: rename it")]
    DuplicateId {
        /// The second utterance.
        place: Place,
    },
    /// No output format has this name.
    #[error("there is no output format {name:?}; the output formats are {}", OutputFormat::names())]
    OutputFormatName {
        /// The name asked for.
        name: String,
    },
    /// An answer that is not one to its utterance.
    #[error("cannot write the answer to utterance {utterance:?}: {reason}")]
    AnswerLine {
        /// The id of the utterance.
        utterance: String,
        /// What is wrong with its lines.
        reason: String,
    },
    /// A format cannot express an utterance.
    #[error("cannot write utterance {utterance:?} as {format}: {reason}")]
    Unwritable {
        /// The id of the utterance.
        utterance: String,
        /// The name of the output format.
        format: &'static str,
        /// The reason and the remedy.
        reason: String,
    },
    /// Writing failed.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The output, as it was named.
        path: String,
        /// The reason.
        source: io::Error,
    },
}
