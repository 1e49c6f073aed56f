//! Writes transcripts for sclite.

use std::io::Write;

use crate::Error;
use crate::line::{is_break, words};

/// Longest word that sclite holds, in bytes.
const LONGEST_WORD: usize = 99;

/// Writes `.trn` transcripts, `text (id)` a line, for NIST sclite.
///
/// Words are separated by one space, which stands for line breaks and NUL too. sclite reads more into a text than words: alternatives in braces, `@`
/// for no word, parentheses around an optional word and the id, a tag behind `;`, `\` as an escape, a `*` at
/// the end of a word as a mark. What it would misread is refused. What no writer can settle: sclite ignores
/// case unless run with `-s`, and its `-i spu_id` wants ids of the form `speaker-utterance` or
/// `speaker_utterance`.
///
/// # Reference
/// NIST SCTK, `doc/infmts.htm`, `src/sclite/{align,net_adt,text,word}.c`.
#[derive(Debug)]
pub struct TrnWriter<W: Write> {
    name: String,
    output: W,
}

impl<W: Write> TrnWriter<W> {
    /// Writes to `output`; `name` stands for it in messages.
    pub fn new(name: impl Into<String>, output: W) -> Self {
        Self { name: name.into(), output }
    }

    /// Writes one line: a hypothesis or a reference of the utterance `id`.
    ///
    /// # Errors
    /// [`Error::Unwritable`] if sclite would misread the id or the text; [`Error::Write`].
    pub fn write(&mut self, id: &str, text: &str) -> Result<(), Error> {
        let refusal = refused_id(id).or_else(|| words(text).find_map(refused_word));
        if let Some(reason) = refusal {
            return Err(Error::Unwritable { utterance: id.to_owned(), format: "trn", reason });
        }
        let mut line = String::with_capacity(text.len() + id.len() + 4);
        for word in words(text) {
            line.push_str(word);
            line.push(' ');
        }
        line.push_str(&format!("({id})\n"));
        self.output.write_all(line.as_bytes()).map_err(|source| self.error(source))
    }

    /// Flushes the output, so that whoever reads it has every line written so far.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn flush(&mut self) -> Result<(), Error> {
        self.output.flush().map_err(|source| self.error(source))
    }

    /// Flushes and gives the output back.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn finish(mut self) -> Result<W, Error> {
        self.output.flush().map_err(|source| self.error(source))?;
        Ok(self.output)
    }

    fn error(&self, source: std::io::Error) -> Error {
        Error::Write { path: self.name.clone(), source }
    }
}

fn refused_id(id: &str) -> Option<String> {
    let what = match id {
        "" => "is empty",
        _ if id.contains(|c: char| c.is_whitespace() || is_break(c)) => "holds white space",
        _ if id.contains(['(', ')']) => "holds a parenthesis",
        _ => return None,
    };
    Some(format!("its id {what}, which sclite cannot read; rename it"))
}

fn refused_word(word: &str) -> Option<String> {
    let meaning = match word {
        "@" => "as no word",
        _ if word.contains(['{', '}']) => "as the brace of alternatives",
        _ if word.contains(['(', ')']) => "as the parenthesis of an id or of an optional word",
        _ if word.contains(';') => "as a comment or a word with a tag",
        _ if word.contains('\\') => "as an escape",
        _ if word.len() > 1 && (word.ends_with('*') || word.starts_with("**")) => "as a mark",
        _ if word.len() > LONGEST_WORD => "only as far as 99 bytes",
        _ => return None,
    };
    Some(format!("sclite reads the word {word:?} {meaning}; normalise the text first"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_text_and_id() {
        let mut writer = TrnWriter::new("x", Vec::new());
        writer.write("spk_1", "  a\tcat's\u{3000}hat\0\u{1E}\n").unwrap();
        writer.write("spk_2", "").unwrap();
        writer.write("spk_3", "a / b * c-").unwrap();
        let text = String::from_utf8(writer.finish().unwrap()).unwrap();
        assert_eq!(text, "a cat's hat (spk_1)\n(spk_2)\na / b * c- (spk_3)\n");
    }

    #[test]
    fn what_sclite_misreads_is_refused() {
        let mut writer = TrnWriter::new("x", Vec::new());
        let long = "a".repeat(100);
        for text in ["a { b / c }", "@", "(uh)", ";; a", "a;b", "a\\b", "cat*", "**", &long] {
            assert!(writer.write("u1", text).is_err(), "{text}");
        }
        for id in ["", "u 1", "u(1)"] {
            assert!(writer.write(id, "a").is_err(), "{id}");
        }
        assert_eq!(
            writer.write("u1", "a {b").unwrap_err().to_string(),
            "cannot write utterance \"u1\" as trn: sclite reads the word \"{b\" as the brace of alternatives; \
             normalise the text first"
        );
        assert_eq!(
            writer.write("u 1", "a").unwrap_err().to_string(),
            "cannot write utterance \"u 1\" as trn: its id holds white space, which sclite cannot read; rename it"
        );
        assert!(writer.finish().unwrap().is_empty());
    }
}
