//! A folder with the beams of NeMo's n-gram decoding and the manifest that was decoded.
//!
//! It holds one `*.tsv`, as `preds_out_width4_alpha1.0_beta0.0.tsv`, with `TEXT<tab>SCORE` a line, all beams of
//! one utterance behind those of the other, best first; and one `*manifest*.json` or `.jsonl`, with
//! `{"audio_filepath": "...", "duration": 1.2, "text": "reference"}` a line (either may be gzip). A search over
//! weights leaves several `.tsv` files: copy the one to read, and the manifest, to a folder of their own. The
//! score is the decoder's, the weighted n-gram model included, higher is better.
//!
//! The beams have no ids and no marks between utterances, so each has to have as many as the others: the number
//! of lines is a multiple of the number of entries, and the one that the name states (`width4`), else the input
//! is refused, since lists would be shifted. NeMo writes fewer lines where a beam holds fewer candidates.
//!
//! The id is `id` where an entry has one, else the stem of `audio_filepath` where these are unique, else
//! `FILE-STEM:INDEX`. The other fields of the manifest are carried along.
//!
//! # Reference
//! NVIDIA NeMo, `scripts/asr_language_modeling/ngram_lm/eval_beamsearch_ngram_ctc.py` writes the beams,
//! `scripts/asr_language_modeling/neural_rescorer/eval_neural_rescorer.py` reads them.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::vec;

use serde_json::Value;

use crate::Format;
use crate::body::Body;
use crate::fields::Fields;
use crate::json::{self, Flaw};
use crate::source::Source;
use crate::spec::{self, Spec};
use crate::split::{Piece, next_line};
use crate::stem::stem;
use crate::{Error, Hypothesis, NBest, Place, ScoreScale, Utterance};

pub(super) const SPEC: Spec = Spec::Folder(spec::Folder {
    marker: |path| !files(path, is_beams).is_empty() && !files(path, is_manifest).is_empty(),
    open: |path, _| Ok(Box::new(Folder::open(path)?)),
});

fn is_beams(name: &str) -> bool {
    name.ends_with(".tsv")
}

fn is_manifest(name: &str) -> bool {
    (name.ends_with(".json") || name.ends_with(".jsonl")) && name.contains("manifest")
}

/// The files of a folder with such a name, gzip or not.
fn files(path: &Path, wanted: fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let name =
        |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut found: Vec<PathBuf> = entries
        .filter(|path| {
            let name = name(path);
            path.is_file() && wanted(name.strip_suffix(".gz").unwrap_or(&name))
        })
        .collect();
    found.sort();
    found
}

/// The only file with such a name.
fn only(path: &Path, wanted: fn(&str) -> bool, what: &str) -> Result<PathBuf, Error> {
    let mut found = files(path, wanted);
    let reason = match found.len() {
        1 => return Ok(found.remove(0)),
        0 => format!("holds no {what}; copy it there"),
        count => {
            let names: Vec<_> = found.iter().filter_map(|file| file.file_name()?.to_str()).collect();
            format!("holds {count} {what}: {}; leave the one to read", names.join(", "))
        }
    };
    Err(Error::Parts { path: path.display().to_string(), reason })
}

fn open(path: &Path) -> Result<Source, Error> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|source| Error::Open { path: name.clone(), source })?;
    let mut source = Source::new(&name, file);
    source.unpack()?;
    source.skip_byte_order_mark()?;
    Ok(source)
}

/// Beams, and the entries of the manifest that they belong to.
struct Folder {
    beams: Source,
    width: usize,
    manifest: String,
    entries: vec::IntoIter<Entry>,
}

/// A line of the manifest.
struct Entry {
    line: u64,
    value: Value,
    id: String,
}

impl Folder {
    fn open(path: &Path) -> Result<Self, Error> {
        let beams = only(path, is_beams, "beams (*.tsv)")?;
        let manifest = only(path, is_manifest, "manifest (*manifest*.json or .jsonl)")?;
        let entries = entries(&manifest, &beams)?;
        let manifest = manifest.display().to_string();
        // Counted before the first is read: lists that are shifted look like lists.
        let width = width(&beams, count(&beams)?, &manifest, entries.len())?;
        Ok(Self { beams: open(&beams)?, width, manifest, entries: entries.into_iter() })
    }

    fn utterance(&self, entry: Entry, lines: Vec<Piece>) -> Result<(Utterance, Place), Error> {
        let of_manifest =
            Place { path: Some(self.manifest.as_str().into()), line: Some(entry.line), utterance: None };
        let mut fields = Fields::new(entry.value, of_manifest, entry.id, Arc::default())?;
        fields.read_id()?;
        let place = |piece: &Piece| Place {
            path: Some(self.beams.name().clone()),
            line: Some(piece.line),
            utterance: fields.place().utterance.clone(),
        };
        let first = place(&lines[0]);
        let hypotheses =
            lines.iter().map(|piece| beam(&piece.bytes, &place(piece))).collect::<Result<Vec<_>, _>>()?;
        let nbest = NBest::checked(hypotheses, &first)?.with_score_scale(ScoreScale::Sum);
        let reference = fields.text("text")?;
        Ok((fields.utterance(nbest, reference)?, first))
    }
}

impl Body for Folder {
    fn next(&mut self) -> Result<Option<(Utterance, Place)>, Error> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        let mut lines = Vec::with_capacity(self.width);
        while lines.len() < self.width {
            let Some(piece) = next_line(&mut self.beams)? else {
                let reason = "became shorter while it was read; read it again".to_owned();
                return Err(Error::Parts { path: self.beams.name().to_string(), reason });
            };
            lines.push(piece);
        }
        self.utterance(entry, lines).map(Some)
    }
}

/// One line of beams.
fn beam(line: &[u8], place: &Place) -> Result<Hypothesis, Error> {
    let line = std::str::from_utf8(line).map_err(|_| Error::Encoding { place: place.clone() })?;
    let part = |reason: String| Error::Part { place: place.clone(), reason };
    let (text, score) = line.rsplit_once('\t').ok_or_else(|| {
        part("its line has no tab with a score behind it; decode again, or add the score".to_owned())
    })?;
    let value: f64 = score
        .trim()
        .parse()
        .map_err(|_| part(format!("{score:?} is no score; expected a number behind the tab")))?;
    if !value.is_finite() {
        return Err(Error::NotFinite { place: place.clone(), value: score.to_owned() });
    }
    Ok(Hypothesis::scored(text, value))
}

/// The entries of a manifest, with their ids.
fn entries(path: &Path, beams: &Path) -> Result<Vec<Entry>, Error> {
    let mut source = open(path)?;
    let (mut found, mut stems) = (Vec::new(), HashSet::new());
    while let Some(Piece { bytes, line, .. }) = next_line(&mut source)? {
        let problem = match json::parse(&bytes) {
            Ok(value @ Value::Object(_)) => {
                let audio = value.get("audio_filepath").and_then(Value::as_str).unwrap_or_default();
                let id = stem(audio);
                stems.extend(Some(id.clone()).filter(|id| !id.is_empty()));
                found.push(Entry { line, value, id });
                continue;
            }
            Ok(_) => "another value".to_owned(),
            Err(Flaw::Encoding) => "bytes that are not UTF-8".to_owned(),
            Err(Flaw::DuplicateKey(key)) => format!("one with the key `{key}` twice"),
            Err(Flaw::NotFinite { value, .. }) => format!("one with {value}, which is no number of JSON"),
            Err(Flaw::Syntax { column, reason, .. }) => format!("an error in column {column} ({reason})"),
        };
        let (path, expected) =
            (source.name().to_string(), "an object in each line of the manifest".to_owned());
        return Err(Error::Document { path, line, format: Format::Nemo, expected, found: problem });
    }
    if found.is_empty() {
        return Err(Error::Empty { path: source.name().to_string() });
    }
    if stems.len() != found.len() {
        let stem = stem(&beams.display().to_string());
        found.iter_mut().enumerate().for_each(|(index, entry)| entry.id = format!("{stem}:{index}"));
    }
    Ok(found)
}

/// The number of lines that are not blank.
fn count(path: &Path) -> Result<usize, Error> {
    let mut source = open(path)?;
    let mut lines = 0;
    while next_line(&mut source)?.is_some() {
        lines += 1;
    }
    Ok(lines)
}

/// How many beams each utterance has.
fn width(beams: &Path, lines: usize, manifest: &str, entries: usize) -> Result<usize, Error> {
    let path = beams.display().to_string();
    if lines == 0 {
        return Err(Error::Empty { path });
    }
    let name = beams.file_name().unwrap_or_default().to_string_lossy();
    let named: Option<usize> =
        name.strip_prefix("preds_out_width").and_then(|rest| rest.split('_').next()?.parse().ok());
    let width = lines / entries;
    let reason = if width * entries != lines {
        format!(
            "its {lines} lines cannot be shared out evenly to the {entries} entries of {manifest}: some beams hold fewer \
             candidates, or the manifest is another one's; decode again with a width that all beams fill, or with one \
             utterance a folder, or bring the right manifest"
        )
    } else if named.is_some_and(|named| named != width) {
        format!(
            "its {lines} lines are {width} for each of the {entries} entries of {manifest}, but its name says width {}: \
             some beams hold fewer candidates, or the manifest is another one's; decode again with a width that all beams \
             fill, bring the right manifest, or rename the file if every utterance has {width}",
            named.unwrap_or_default()
        )
    } else {
        return Ok(width);
    };
    Err(Error::Parts { path, reason })
}
