//! Writes the native format.

use std::io::Write;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::formats::sherpa_onnx;
use crate::{Error, Hypothesis, Utterance};

/// Writes utterances in the native format, one a line, so that a [`Reader`](crate::Reader) gives the same
/// back.
///
/// Output is not buffered beyond a line: pass a `BufWriter` for files.
#[derive(Debug)]
pub struct JsonlWriter<W: Write> {
    name: String,
    output: W,
}

impl<W: Write> JsonlWriter<W> {
    /// Writes to `output`; `name` stands for it in messages.
    pub fn new(name: impl Into<String>, output: W) -> Self {
        Self { name: name.into(), output }
    }

    /// Writes one line.
    ///
    /// # Errors
    /// [`Error::Unwritable`] if a carried field has the name of a field of the format, as after reading
    /// another format that gives the name another meaning; [`Error::Write`].
    pub fn write(&mut self, utterance: &Utterance) -> Result<(), Error> {
        if let Some(reason) = collision(utterance) {
            return Err(Error::Unwritable { utterance: utterance.id.clone(), format: "jsonl", reason });
        }
        let written =
            serde_json::to_vec(&Line(utterance)).map_err(std::io::Error::from).and_then(|mut line| {
                line.push(b'\n');
                self.output.write_all(&line)
            });
        written.map_err(|source| self.error(source))
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
        self.flush()?;
        Ok(self.output)
    }

    fn error(&self, source: std::io::Error) -> Error {
        Error::Write { path: self.name.clone(), source }
    }
}

/// Why an utterance cannot be written: a carried field with the name of a field of the format.
pub(crate) fn collision(utterance: &Utterance) -> Option<String> {
    let of_utterance =
        ["id", "hypotheses", "reference", "context"].iter().filter(|f| utterance.extra.contains_key(**f));
    let of_hypotheses =
        ["text", "score"].iter().filter(|f| utterance.nbest.iter().any(|h| h.extra.contains_key(**f)));
    let field = of_utterance.chain(of_hypotheses).next()?;
    Some(format!("its unread field `{field}` has the name of a field of the format; rename it"))
}

struct Line<'a>(&'a Utterance);

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.0.id)?;
        map.serialize_entry("hypotheses", &Items(self.0.nbest.hypotheses()))?;
        if let Some(reference) = &self.0.reference {
            map.serialize_entry("reference", reference)?;
        }
        if let Some(context) = &self.0.context {
            map.serialize_entry("context", context)?;
        }
        for (key, value) in &self.0.extra {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

struct Items<'a>(&'a [Hypothesis]);

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Item))
    }
}

struct Item<'a>(&'a Hypothesis);

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("text", &self.0.text)?;
        if self.0.score.is_some() || sherpa_onnx::has_log_probs(|field| self.0.extra.contains_key(field)) {
            // `null` where a reader would make a score of the log-probabilities.
            map.serialize_entry("score", &self.0.score)?;
        }
        for (key, value) in &self.0.extra {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NBest;

    #[test]
    fn fields_are_in_the_order_of_the_format() {
        let list = NBest::new(vec![Hypothesis::scored("a \"cat\"", -1.0)]).unwrap();
        let mut utterance = Utterance::new("u1", list);
        utterance.extra.insert("speaker".to_owned(), 7.into());
        utterance.reference = Some(String::new());
        let mut writer = JsonlWriter::new("x", Vec::new());
        writer.write(&utterance).unwrap();
        let line = String::from_utf8(writer.finish().unwrap()).unwrap();
        let hypotheses = r#"[{"text":"a \"cat\"","score":-1.0}]"#;
        assert_eq!(
            line,
            format!("{{\"id\":\"u1\",\"hypotheses\":{hypotheses},\"reference\":\"\",\"speaker\":7}}\n")
        );
    }

    #[test]
    fn what_was_read_without_a_score_comes_back_without_one() {
        let mut list = Hypothesis::new("wear it");
        list.extra.insert("ys_log_probs".to_owned(), serde_json::json!([-0.25, -0.5]));
        let utterance = Utterance::new("u1", NBest::new(vec![list]).unwrap());
        let mut writer = JsonlWriter::new("x", Vec::new());
        writer.write(&utterance).unwrap();
        let lines = std::io::Cursor::new(writer.finish().unwrap());
        let options = crate::ReadOptions::default().with_format(crate::Format::Jsonl);
        let mut back = crate::Reader::from_read("x", lines, &options).unwrap();
        assert_eq!(back.next().unwrap().unwrap(), utterance);
    }

    #[test]
    fn a_field_is_not_written_twice() {
        let mut utterance = Utterance::new("u1", NBest::from_texts(["a"]).unwrap());
        utterance.extra.insert("reference".to_owned(), "b".into());
        let error = JsonlWriter::new("x", Vec::new()).write(&utterance).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot write utterance \"u1\" as jsonl: \
             its unread field `reference` has the name of a field of the format; rename it"
        );
    }

    #[test]
    fn an_output_that_fails_is_named() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let utterance = Utterance::new("u1", NBest::from_texts(["a"]).unwrap());
        let error = JsonlWriter::new("out.jsonl", Closed).write(&utterance).unwrap_err();
        assert_eq!(error.to_string(), "cannot write out.jsonl: broken pipe");
        assert!(error.is_broken_pipe() && !error.is_recoverable());
    }
}
