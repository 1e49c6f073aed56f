use std::path::{Path, PathBuf};
use std::sync::Arc;

use rescorer::scoring::History;
use rescorer_nbest::{Format, Notice, ReadOptions, Readers};

use crate::ahead::{self, Ahead, Said};
use crate::args::{ScoringArgs, SelectArgs};
use crate::read_item::ReadItem;
use crate::status::{self, Outcome, Status};

/// The utterances that the options select, in the order of the files.
pub fn read(
    paths: &[PathBuf],
    args: &SelectArgs,
) -> Result<impl Iterator<Item = ReadItem> + use<>, rescorer_nbest::Error> {
    let is_interactive = is_interactive(paths);
    let said = Said::default();
    let options = match is_interactive {
        true => options(print),
        false => options(ahead::keep(&said)),
    };
    let names = args.columns.clone().unwrap_or_default();
    let options = options.with_format(args.input_format).with_names(names);
    let lists = select(Readers::new(paths, &options)?.map(|item| item.map_err(Into::into)), args);
    let lists: Box<dyn Iterator<Item = ReadItem>> = match is_interactive {
        true => Box::new(lists),
        false => Box::new(Ahead::new(lists, said, print).map_err(|source| {
            let path = paths.first().map(|path| path.display().to_string()).unwrap_or_default();
            rescorer_nbest::Error::Open { path, source }
        })?),
    };
    Ok(lists)
}

/// All utterances of files, whatever their formats.
pub fn read_all(paths: &[PathBuf]) -> Result<impl Iterator<Item = ReadItem> + use<>, rescorer_nbest::Error> {
    let readers = Readers::new(paths, &options(print))?;
    Ok(readers.map(|item| item.map_err(Into::into)))
}

/// All utterances of files in memory, at most `limit`; those that can't be used are passed over where that is allowed.
pub fn collect(
    paths: &[PathBuf],
    limit: Option<usize>,
    skipped: &mut Skipped,
) -> anyhow::Result<Vec<rescorer::Utterance>> {
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for item in read_all(paths)?.take(limit.unwrap_or(usize::MAX)) {
        found.extend(skipped.pass(item)?);
    }
    Ok(found)
}

fn print(line: String) {
    status::print(line);
}

/// Options of reading with which `tell` hears what a reader has to say.
fn options(tell: impl Fn(String) + Send + Sync + 'static) -> ReadOptions {
    ReadOptions::default().with_notices(Arc::new(move |notice: &Notice| {
        let remedy = match notice {
            Notice::UnusedNumber { field, .. } => {
                format!("; if it is the score, pass --columns score={field}")
            }
            Notice::RisingScores { format: Format::Kaldi, .. } => {
                "; if they are log-likelihoods, negate them".to_owned()
            }
            Notice::RisingScores { format, .. } if names_costs(*format) => {
                "; if they are costs, pass --columns score=-score, or score=-NAME if the score has another name".to_owned()
            }
            Notice::RisingScores { .. } => "; if they are costs, negate them".to_owned(),
            _ => String::new(),
        };
        tell(format!("warning: {notice}{remedy}"));
    }))
}

/// Whether `--columns` can say that the scores of a format are costs.
fn names_costs(format: Format) -> bool {
    // SRILM, wav2letter and torchaudio have no names, sherpa-onnx sums.
    format.takes_names() && format != Format::SherpaOnnx
}

/// `--skip` and `--limit` on any source of utterances. What ends the reading is never skipped over.
pub fn select<I>(utterances: I, args: &SelectArgs) -> impl Iterator<Item = ReadItem> + use<I>
where
    I: Iterator<Item = ReadItem>,
{
    let mut left = args.skip;
    let ends = |item: &ReadItem| item.as_ref().is_err_and(|error| !error.is_recoverable());
    utterances
        .filter(move |item| {
            let skipped = left > 0 && !ends(item);
            left -= usize::from(skipped);
            !skipped
        })
        .take(args.limit.unwrap_or(usize::MAX))
}

/// `--context` and `--history` for those that have no context of their own.
pub fn in_context<I>(utterances: I, args: &ScoringArgs) -> impl Iterator<Item = ReadItem> + use<I>
where
    I: Iterator<Item = ReadItem>,
{
    let context = args.context.clone();
    let mut history = History::new(args.history);
    utterances.map(move |item| {
        item.map(|mut utterance| {
            history.add_to(&mut utterance);
            utterance.context = utterance.context.or_else(|| context.clone());
            utterance
        })
    })
}

/// Says how many lists have a context, where none is read.
pub fn warn_of_contexts(utterances: &[rescorer::Utterance], reader: &str, status: Status) {
    let count = utterances.iter().filter(|utterance| utterance.context.is_some()).count();
    if count > 0 {
        status.warn(format_args!("{reader} ignores the `context` of {count} lists"));
    }
}

/// Whether answers have to come line by line.
pub fn is_interactive(lists: &[impl AsRef<Path>]) -> bool {
    lists.iter().any(|path| path.as_ref() == Path::new("-"))
}

/// Utterances that could not be used: asked for by `--skip-invalid`, counted, reported.
pub struct Skipped {
    allowed: bool,
    count: usize,
    status: Status,
}

impl Skipped {
    pub fn new(args: &SelectArgs, status: Status) -> Self {
        Self::allowing(args.skip_invalid, status)
    }

    /// Allowed or not.
    pub fn allowing(allowed: bool, status: Status) -> Self {
        Self { allowed, count: 0, status }
    }

    /// Passes a value on; `None` where it was lost and may be.
    pub fn pass<T, E: Into<rescorer::Error>>(
        &mut self,
        result: Result<T, E>,
    ) -> Result<Option<T>, rescorer::Error> {
        match result.map_err(Into::into) {
            Err(error) if error.is_recoverable() => self.pass_recoverable(Err(error)),
            result => result.map(Some),
        }
    }

    /// As [`pass`](Self::pass), for what other sources than lists give; each error is one that can be skipped.
    pub fn pass_recoverable<T, E: std::error::Error>(
        &mut self,
        result: Result<T, E>,
    ) -> Result<Option<T>, E> {
        match result {
            Err(error) if self.allowed => {
                self.status.warn(format_args!("skipped: {error}"));
                self.count += 1;
                Ok(None)
            }
            result => result.map(Some),
        }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// Exit code, after saying how many were skipped. Nothing done at all is an error.
    pub fn outcome(&self, done: usize) -> anyhow::Result<Outcome> {
        if self.count == 0 {
            return Ok(Outcome::Complete);
        }
        if done == 0 {
            let count = self.count;
            anyhow::bail!("nothing usable: {count} of {count} utterances were skipped; fix the lists");
        }
        self.status.warn(format_args!("skipped {} of {} utterances", self.count, self.count + done));
        Ok(Outcome::Partial)
    }
}
