//! The beams that torchaudio's CTC decoders return, as Python prints them.
//!
//! `[[CTCHypothesis(tokens=tensor([...]), words=['a', 'cat'], score=-3.5, timesteps=tensor([...])), ...], ...]`: a list
//! of hypotheses, best first, for each utterance, alone or in a list of lists, also several behind each other. Text and
//! score are `words` and `score`; the score is the decoder's, higher is better. Other fields are left out: they are
//! tensors. A decoder without a lexicon gives no words, and such hypotheses are refused.
//!
//! The id is `FILE-STEM:INDEX`. One utterance is held in memory.
//!
//! # Reference
//! torchaudio 2.8, `torchaudio/models/decoder/_ctc_decoder.py`, `_cuda_ctc_decoder.py`.

use crate::Format;
use crate::body::Body;
use crate::source::Source;
use crate::spec::Spec;
use crate::stem::stem;
use crate::{Error, Hypothesis, NBest, Place, ScoreScale, Utterance};

pub(super) const SPEC: Spec = Spec::Text {
    marker: |line, _| begins(line),
    open: |source, _| Ok(Box::new(Printed { source, index: 0 })),
    folder: None,
};

/// The classes of hypotheses.
const CLASSES: [&str; 2] = ["CTCHypothesis(", "CUCTCHypothesis("];

fn begins(line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(line);
    let inner = line.trim_start_matches(|c: char| c == '[' || c.is_whitespace());
    CLASSES.iter().any(|class| inner.starts_with(class))
}

struct Printed {
    source: Source,
    index: u64,
}

impl Printed {
    /// The text between the brackets of the next list of hypotheses, and its line; `None` at the end.
    fn list(&mut self) -> Result<Option<(u64, Vec<u8>)>, Error> {
        loop {
            match self.source.peek()? {
                None => return Ok(None),
                Some(b',' | b']') => self.source.skip(1),
                Some(b'[') => {
                    self.source.skip(1);
                    let line = self.source.line();
                    if self.source.peek()? != Some(b'[') {
                        let mut nesting = Nesting::default();
                        let length = self.source.find(|byte| nesting.closes(byte))?;
                        let length = length
                            .ok_or_else(|| self.broken(line, "the `]` of the list", "the end of the file"))?;
                        let mut text = self.source.take(length);
                        text.pop();
                        return Ok(Some((line, text)));
                    }
                }
                Some(_) => {
                    let rest =
                        String::from_utf8_lossy(self.source.unread()).chars().take(30).collect::<String>();
                    let line = self.source.line();
                    return Err(self.broken(
                        line,
                        "the `[` of an utterance's list of hypotheses",
                        &format!("{rest:?}"),
                    ));
                }
            }
        }
    }

    fn broken(&self, line: u64, expected: &str, found: &str) -> Error {
        let (path, format) = (self.source.name().to_string(), Format::Torchaudio);
        Error::Document { path, line, format, expected: expected.to_owned(), found: found.to_owned() }
    }
}

impl Body for Printed {
    fn next(&mut self) -> Result<Option<(Utterance, Place)>, Error> {
        let Some((line, text)) = self.list()? else {
            let empty = self.index == 0;
            return if empty { Err(Error::Empty { path: self.source.name().to_string() }) } else { Ok(None) };
        };
        let id = format!("{}:{}", stem(self.source.name()), self.index);
        self.index += 1;
        let place =
            Place { path: Some(self.source.name().clone()), line: Some(line), utterance: Some(id.clone()) };
        let text = String::from_utf8(text).map_err(|_| Error::Encoding { place: place.clone() })?;
        let part = |reason: String| Error::Part { place: place.clone(), reason };
        let mut hypotheses = Vec::new();
        for printed in parts(&text) {
            let hypothesis = hypothesis(printed).map_err(part)?;
            if let Some(value) = hypothesis.score.filter(|score| !score.is_finite()) {
                return Err(Error::NotFinite { place, value: value.to_string() });
            }
            hypotheses.push(hypothesis);
        }
        Ok(Some((
            Utterance::new(id, NBest::checked(hypotheses, &place)?.with_score_scale(ScoreScale::Sum)),
            place,
        )))
    }
}

/// How deep in brackets and quotes a byte stands.
#[derive(Default)]
struct Nesting {
    depth: usize,
    quote: Option<u8>,
    escaped: bool,
}

impl Nesting {
    /// Takes a byte; whether it closes a bracket that was open before the first.
    fn closes(&mut self, byte: u8) -> bool {
        if let Some(quote) = self.quote {
            self.quote = Some(quote).filter(|_| self.escaped || byte != quote);
            self.escaped = !self.escaped && byte == b'\\';
            return false;
        }
        match byte {
            b'\'' | b'"' => self.quote = Some(byte),
            b'[' | b'(' | b'{' => self.depth += 1,
            b']' | b')' | b'}' if self.depth == 0 => return true,
            b']' | b')' | b'}' => self.depth -= 1,
            _ => {}
        }
        false
    }
}

/// What stands between the commas of a text, but not inside brackets and quotes.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut nesting = Nesting::default();
    let cut = text.split(move |c: char| {
        let mut byte = [0; 4];
        c.encode_utf8(&mut byte).bytes().for_each(|byte| {
            nesting.closes(byte);
        });
        c == ',' && nesting.depth == 0 && nesting.quote.is_none()
    });
    cut.map(str::trim).filter(|part| !part.is_empty())
}

/// One hypothesis.
fn hypothesis(printed: &str) -> Result<Hypothesis, String> {
    let inner = CLASSES.iter().find_map(|class| printed.strip_prefix(class)?.strip_suffix(')'));
    let start: String = printed.chars().take(30).collect();
    let inner = inner
        .ok_or_else(|| format!("{start:?} is no CTCHypothesis(...); print the list of each utterance"))?;
    let field = |name: &str| {
        let value = parts(inner).find_map(|part| part.strip_prefix(name)?.trim_start().strip_prefix('='));
        value.map(str::trim).ok_or_else(|| format!("a hypothesis has no `{name}`; print it whole"))
    };
    let words = field("words")?;
    let words = words.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let words: Option<Vec<String>> = words.and_then(|words| parts(words).map(string).collect());
    let words = words.ok_or("the `words` of a hypothesis are no list of texts; print them whole")?;
    let tokens = field("tokens").unwrap_or("[]");
    if words.is_empty() && tokens.contains(|c: char| c.is_ascii_digit()) && !tokens.starts_with("tensor([]") {
        return Err(
            "a hypothesis has tokens but no words; decode with a lexicon, or write the text of the tokens"
                .to_owned(),
        );
    }
    let score = field("score")?;
    // Also tensor(-3.5) and np.float64(-3.5).
    let number =
        score.split_once('(').map_or(score, |(_, rest)| rest.split([',', ')']).next().unwrap_or_default());
    let number = number
        .trim()
        .parse()
        .map_err(|_| format!("the score of a hypothesis is {score:?}, expected a number"))?;
    Ok(Hypothesis::scored(words.join(" "), number))
}

/// The text of a string as Python prints it.
fn string(printed: &str) -> Option<String> {
    let quote = printed.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inner = printed.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        let digits = match rest.next()? {
            'n' => {
                text.push('\n');
                continue;
            }
            't' => {
                text.push('\t');
                continue;
            }
            'r' => {
                text.push('\r');
                continue;
            }
            'x' => 2,
            'u' => 4,
            'U' => 8,
            other => {
                text.push(other);
                continue;
            }
        };
        let code: String = rest.by_ref().take(digits).filter(char::is_ascii_hexdigit).collect();
        if code.len() != digits {
            return None;
        }
        text.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_as_python_prints_them() {
        for (printed, text) in [
            ("'a cat'", "a cat"),
            (r#""it's""#, "it's"),
            ("'it\\'s \\\\'", "it's \\"),
            (r"'\xe9\u4e2d\n'", "é中\n"),
            ("''", ""),
        ] {
            assert_eq!(string(printed).as_deref(), Some(text), "{printed}");
        }
        for printed in ["a", "'a", "", "'", r"'\x'", r"'\u12'", r"'\'", "1"] {
            assert_eq!(string(printed), None, "{printed}");
        }
    }
}
