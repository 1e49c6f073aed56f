//! Tells the format of an input from how it begins.

use crate::formats::{Layout, refusal};
use crate::source::Source;
use crate::{Error, FieldNames, Format};

/// Bytes looked at before giving up.
const LIMIT: usize = 64 * 1024;

/// The format of the input. It consumes leading white space only, and reads no further than the first key
/// that tells, or the first line where the text is not JSON.
pub(crate) fn detect(source: &mut Source, names: &FieldNames) -> Result<Format, Error> {
    // A table of tabs may begin with one, so the white space before its first column stays.
    source.skip_blank_lines()?;
    if source.unread().trim_ascii().is_empty() {
        return Err(Error::Empty { path: source.name().to_string() });
    }
    if let Some(format) = Format::of_start(source.unread()) {
        return Ok(format);
    }
    if !matches!(source.unread().trim_ascii_start().first(), Some(b'{' | b'[')) {
        return detect_text(source, names);
    }
    source.peek()?;
    loop {
        match examine(source.unread()) {
            Verdict::Empty => return Err(Error::Empty { path: source.name().to_string() }),
            Verdict::Found(format) => return Ok(format),
            Verdict::Likely(_) | Verdict::Unclear if source.unread().len() < LIMIT && source.fill()? => {}
            Verdict::Likely(format) => return Ok(format),
            _ => {
                // What Python prints may begin like JSON.
                let line = source.first_line()?;
                return Format::of_text(&line, names).ok_or_else(|| unknown(source));
            }
        }
    }
}

fn detect_text(source: &mut Source, names: &FieldNames) -> Result<Format, Error> {
    let line = source.first_line()?;
    Format::of_text(&line, names).ok_or_else(|| match refusal(&line, names) {
        Some(reason) => Error::Header { path: source.name().to_string(), line: source.line(), reason },
        None => unknown(source),
    })
}

fn unknown(source: &Source) -> Error {
    Error::UnknownFormat { path: source.name().to_string(), seen: describe(source.unread()) }
}

#[derive(Debug, PartialEq)]
enum Verdict {
    Found(Format),
    /// More bytes may tell of another format.
    Likely(Format),
    /// More bytes may tell.
    Unclear,
    /// A document without elements.
    Empty,
    Unknown,
}

/// Looks for the mark of a format in the keys that begin the text.
fn examine(text: &[u8]) -> Verdict {
    let Some(root @ (b'{' | b'[')) = text.first() else { return Verdict::Unknown };
    let mut keys = Keys::new(text);
    let mut likely = None;
    for (depth, key) in keys.by_ref() {
        let found = Format::marked_by(&key).filter(|(_, json)| match json.layout {
            Layout::Lines | Layout::Objects => *root == b'{' && depth == 1,
            Layout::Array => *root == b'[' && depth == 2,
            Layout::Object => *root == b'{' && depth == 2,
        });
        match found {
            Some((format, json)) if json.certain => return Verdict::Found(format),
            Some((format, _)) => likely = likely.or(Some(format)),
            None => {}
        }
    }
    match (keys.closed, likely) {
        (true, Some(format)) => Verdict::Found(format),
        (false, Some(format)) => Verdict::Likely(format),
        (closed, None) => without_mark(closed, *root, text),
    }
}

fn without_mark(closed: bool, root: u8, text: &[u8]) -> Verdict {
    match closed {
        true if text[1..].trim_ascii_start().starts_with(if root == b'{' { b"}" } else { b"]" }) => {
            Verdict::Empty
        }
        true => Verdict::Unknown,
        false => Verdict::Unclear,
    }
}

/// How a text begins, in words.
fn describe(text: &[u8]) -> String {
    let named = |depth: usize| {
        let keys = Keys::new(text).filter(|(at, _)| *at == depth).take(5);
        let keys: Vec<_> = keys.map(|(_, key)| format!("`{key}`")).collect();
        if keys.is_empty() { "without keys".to_owned() } else { format!("with the keys {}", keys.join(", ")) }
    };
    match text.first() {
        Some(b'{') => format!("a JSON object {}", named(1)),
        Some(b'[') => format!("a JSON list of objects {}", named(2)),
        _ if text.starts_with(b"PAR1") || text.starts_with(b"ARROW1") => {
            "columns of Parquet or Arrow, which this program was built without (feature `parquet`)".to_owned()
        }
        _ if text.starts_with(b"\xFF\xFE") || text.starts_with(b"\xFE\xFF") => {
            "UTF-16 (convert it to UTF-8)".to_owned()
        }
        _ => {
            let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
            let start =
                String::from_utf8_lossy(&line[..line.len().min(160)]).chars().take(40).collect::<String>();
            format!("{start:?}")
        }
    }
}

/// The keys of JSON text with their depth (1 in the outermost object), as far as the text goes.
struct Keys<'a> {
    text: &'a [u8],
    at: usize,
    stack: Vec<u8>,
    key_next: bool,
    /// Whether the outermost value ended.
    closed: bool,
}

impl<'a> Keys<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, stack: Vec::new(), key_next: false, closed: false }
    }

    /// The string that starts behind the quote at `at`; `None` if it does not end in the text.
    fn string(&mut self) -> Option<String> {
        let start = self.at + 1;
        let mut end = start;
        loop {
            match self.text.get(end)? {
                b'\\' => end += 2,
                b'"' => break,
                _ => end += 1,
            }
        }
        self.at = end;
        Some(String::from_utf8_lossy(&self.text[start..end]).into_owned())
    }
}

impl Iterator for Keys<'_> {
    type Item = (usize, String);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.closed && self.at < self.text.len() {
            let mut key = None;
            match self.text[self.at] {
                open @ (b'{' | b'[') => {
                    self.stack.push(open);
                    self.key_next = open == b'{';
                }
                b'}' | b']' => {
                    self.stack.pop();
                    self.key_next = false;
                    self.closed = self.stack.is_empty();
                }
                b',' => self.key_next = self.stack.last() == Some(&b'{'),
                b'"' => {
                    let string = self.string()?;
                    key = std::mem::take(&mut self.key_next).then_some((self.stack.len(), string));
                }
                _ => {}
            }
            self.at += 1;
            if key.is_some() {
                return key;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_key_that_tells_decides() {
        let cases = [
            (r#"{"id": "input", "hypotheses": "#, Verdict::Found(Format::Jsonl)),
            (
                r#"{"meta": {"hypotheses": 1, "x": [{"hyp_1": 1}]}, "hypotheses""#,
                Verdict::Found(Format::Jsonl),
            ),
            (r#"[{"id": "a\"", "input": ["#, Verdict::Found(Format::HyporadiseJson)),
            (r#"{"u1": {"ref": "", "hyp_1""#, Verdict::Found(Format::EspnetJson)),
            (r#"{"u1": {"ref": "hyp_1"#, Verdict::Unclear),
            (r#"[{"output": "a"}, "#, Verdict::Unclear),
            (r#"{"input": ["a"], "output": "a"}"#, Verdict::Unknown),
            (r#"[1]"#, Verdict::Unknown),
            ("[ ]", Verdict::Empty),
            ("{\n}\n", Verdict::Empty),
            ("a cat", Verdict::Unknown),
        ];
        for (text, verdict) in cases {
            assert_eq!(examine(text.as_bytes()), verdict, "{text}");
        }
    }

    #[test]
    fn what_is_seen_is_described() {
        assert_eq!(describe(br#"{"a": {"b": 1}, "c": 2}"#), "a JSON object with the keys `a`, `c`");
        assert_eq!(describe(br#"[{"a": 1}]"#), "a JSON list of objects with the keys `a`");
        assert_eq!(describe(b"[1]"), "a JSON list of objects without keys");
        assert!(describe(b"PAR1\x15").ends_with("which this program was built without (feature `parquet`)"));
        assert_eq!(describe(b"u1 a cat\nu2"), "\"u1 a cat\"");
    }
}
