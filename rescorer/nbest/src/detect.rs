//! Tells the format of an input from how it begins.

use crate::formats::{self, is_hypothesis, refusal};
use crate::keys::{Keys, behind_string};
use crate::shape::{Json, Unfinished};
use crate::source::Source;
use crate::{Error, FieldNames, Format, nearest, path, shape};

/// Bytes looked at before giving up.
const LIMIT: usize = 64 * 1024;

/// Bytes looked at where there is a mark, but one that another goes before.
const LIKELY_LIMIT: usize = 64 * 1024 * 1024;

/// What an input is.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    /// The format.
    pub(crate) format: Format,
    /// Its shape, where that is JSON.
    pub(crate) json: Option<&'static Json>,
}

/// The format of the input, and its shape; only those of `format` where that is known. It consumes leading white space
/// only, and reads no further than the first key that tells, or the first line where the text is not JSON.
pub(crate) fn detect(
    source: &mut Source,
    format: Option<Format>,
    names: &FieldNames,
) -> Result<Found, Error> {
    // A table of tabs may begin with one, so the white space before its first column stays.
    source.skip_blank_lines()?;
    if source.unread().trim_ascii().is_empty() {
        return Err(Error::Empty { path: source.name().to_string() });
    }
    if let Some(format) = formats::of_start(source.unread()) {
        return Ok(Found { format, json: None });
    }
    if nearest::is_lattice(source.unread()) {
        return Err(unknown(source));
    }
    if !matches!(source.unread().trim_ascii_start().first(), Some(b'{' | b'[')) {
        return detect_text(source, names);
    }
    source.peek()?;
    // Looked at again when there is twice as much.
    let mut next = 0;
    loop {
        let length = source.unread().len();
        if length >= next {
            next = 2 * length;
            match examine(source.unread(), format, false) {
                Verdict::Empty => return Err(Error::Empty { path: source.name().to_string() }),
                Verdict::Found(found) => return Ok(found),
                Verdict::Likely(_) if length < LIKELY_LIMIT => {}
                Verdict::Unclear if length < LIMIT => {}
                Verdict::Likely(found) => return Ok(found),
                _ => return at_end(source, format, names),
            }
        }
        if !source.fill()? {
            return at_end(source, format, names);
        }
    }
}

/// What the input is, if no more of it is looked at.
fn at_end(source: &mut Source, format: Option<Format>, names: &FieldNames) -> Result<Found, Error> {
    match examine(source.unread(), format, true) {
        Verdict::Found(found) | Verdict::Likely(found) => Ok(found),
        Verdict::Empty => Err(Error::Empty { path: source.name().to_string() }),
        Verdict::Unclear => {
            // What Python prints may begin like JSON.
            let line = source.first_line()?;
            let format = formats::of_text(&line, names).ok_or_else(|| unknown(source))?;
            Ok(Found { format, json: None })
        }
    }
}

fn detect_text(source: &mut Source, names: &FieldNames) -> Result<Found, Error> {
    let line = source.first_line()?;
    let format = formats::of_text(&line, names).ok_or_else(|| match refusal(&line, names) {
        Some(reason) => Error::Header { path: source.name().to_string(), line: source.line(), reason },
        None => unknown(source),
    })?;
    Ok(Found { format, json: None })
}

fn unknown(source: &Source) -> Error {
    let (seen, remedy) = nearest::describe(source.name(), source.unread());
    Error::UnknownFormat { path: source.name().to_string(), seen, remedy }
}

enum Verdict {
    Found(Found),
    /// More bytes may tell of another format.
    Likely(Found),
    /// More bytes may tell.
    Unclear,
    /// A document without elements.
    Empty,
}

/// Looks for the marks of shapes in the keys that begin the text; `all` if no more of it comes.
fn examine(text: &[u8], format: Option<Format>, all: bool) -> Verdict {
    let candidates = || formats::shapes().filter(move |(of, _)| format.is_none_or(|format| format == *of));
    let found = |(format, json)| Found { format, json: Some(json) };
    if let Some(json) = of_lists(text, all) {
        return match json.and_then(|json| candidates().find(|(_, one)| std::ptr::eq(*one, json))) {
            Some(one) => Verdict::Found(found(one)),
            None => Verdict::Unclear,
        };
    }
    let mut keys = Keys::new(text);
    let mut met: Vec<String> = Vec::new();
    let has = |met: &[String], json: &Json| {
        json.has_marks(&|mark: &str| {
            let path = json.path_of(mark);
            met.iter().any(|met| path::is_at(met, &path))
        })
    };
    let likely = |met: &[String]| candidates().find(|(_, json)| !json.certain && has(met, json));
    let mut documents = 0;
    while let Some(key) = keys.next() {
        if keys.documents > documents {
            documents = keys.documents;
            if let Some(one) = likely(&met) {
                return Verdict::Found(found(one));
            }
        }
        if met.len() < MET && !met.contains(&key) {
            met.push(key);
            if let Some(one) = candidates().find(|(_, json)| json.certain && has(&met, json)) {
                return Verdict::Found(found(one));
            }
        }
    }
    let likely = likely(&met);
    // Partial results tell at last.
    let partial = |json: &Json| {
        let paths =
            json.unfinished.iter().filter(|one| matches!(one, Unfinished::Partial(_, shape::Test::Any)));
        paths.map(Unfinished::path).any(|path| met.iter().any(|met| met == path))
    };
    match (likely, keys.documents > 0) {
        (Some(one), true) => Verdict::Found(found(one)),
        (Some(one), false) => Verdict::Likely(found(one)),
        (None, closed) if closed && met.is_empty() && is_empty(text) => Verdict::Empty,
        (None, _) if all => match candidates().find(|(_, json)| partial(json)) {
            Some(one) => Verdict::Found(found(one)),
            None => Verdict::Unclear,
        },
        (None, _) => Verdict::Unclear,
    }
}

/// Different keys that are looked at.
const MET: usize = 500;

/// Whether a text is one empty list or object.
fn is_empty(text: &[u8]) -> bool {
    let inner = text[1..].trim_ascii_start();
    matches!(inner.first(), Some(b']' | b'}')) && inner[1..].trim_ascii_start().is_empty()
}

/// The shape of lists that hold no objects with keys: outer `None` for all others, inner if more bytes may tell.
fn of_lists(text: &[u8], all: bool) -> Option<Option<&'static Json>> {
    let mut rest = text.strip_prefix(b"[")?.trim_ascii_start();
    let mut depth = 1;
    while let Some(inner) = rest.strip_prefix(b"[") {
        (rest, depth) = (inner.trim_ascii_start(), depth + 1);
    }
    let [one, several, objects] = formats::json(Format::Beams) else { return None };
    let is_number = |byte: &u8| byte.is_ascii_digit() || *byte == b'-';
    match (depth, rest.first()) {
        (_, None) if all => None,
        (_, None) => Some(None),
        (1, Some(b'"')) => Some(Some(one)),
        (2, Some(b'"')) => match behind_string(rest) {
            // Lists of texts, or texts with numbers beside them.
            Some(Some(b'"')) | Some(None) => Some(Some(several)),
            Some(Some(_)) => Some(Some(one)),
            None if all => None,
            None => Some(None),
        },
        (2, Some(byte)) if is_number(byte) => Some(Some(one)),
        (2, Some(b'{')) => Some(Some(several)),
        (3, Some(b'"')) => Some(Some(several)),
        // The tokens of a beam come first.
        (3, Some(byte)) if is_number(byte) => Some(Some(one)),
        (4, Some(byte)) if is_number(byte) => Some(Some(several)),
        (1, Some(b'{')) => {
            let mut keys: Vec<String> = Vec::new();
            let mut found = Keys::new(text);
            while let Some(key) = found.next().filter(|_| found.documents == 0) {
                keys.push(key);
            }
            let is_beam = is_hypothesis(|name| keys.iter().any(|key| key == name));
            (found.documents > 0 && is_beam).then_some(Some(objects))
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "detect_tests.rs"]
mod tests;
