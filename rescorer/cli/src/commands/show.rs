use std::collections::HashMap;
use std::io::Write;

use rescorer::{JudgedAnswer, JudgedList};

use crate::lists::ReadItem;
use crate::sink::Sink;

/// The texts of lists, kept only while some of them are to be shown.
pub struct Texts {
    limit: usize,
    /// Distinct hypotheses by utterance id.
    by_id: HashMap<String, Vec<String>>,
}

impl Texts {
    /// Will show up to `limit` lists; with 0 it keeps nothing.
    pub fn new(limit: usize) -> Self {
        Self { limit, by_id: HashMap::new() }
    }

    /// Looks at an utterance on its way to the model.
    pub fn keep(&mut self, item: &ReadItem) {
        if let (1.., Ok(utterance)) = (self.limit, item) {
            let distinct = utterance.nbest.distinct();
            let hypotheses = utterance.nbest.hypotheses();
            let texts = distinct.hypotheses().iter().map(|h| hypotheses[h.position].text.clone()).collect();
            self.by_id.insert(utterance.id.clone(), texts);
        }
    }

    /// Writes the first lists whose errors changed, with reference, first pass and choice.
    pub fn show(
        &self,
        out: &mut Sink,
        judged: &[JudgedList],
        answers: &[JudgedAnswer],
    ) -> anyhow::Result<()> {
        let changed = judged.iter().zip(answers).filter_map(|(list, answer)| {
            let texts = self.by_id.get(&list.id)?;
            (answer.errors.errors != list.errors[0]).then_some((list, answer, texts))
        });
        for (list, answer, texts) in changed.take(self.limit) {
            let text = answer.text(texts);
            writeln!(out, "{}", list.id)?;
            writeln!(out, "  reference    {}", list.reference)?;
            writeln!(out, "  first pass   {}   ({} errors)", texts[0], list.errors[0])?;
            writeln!(out, "  rescored     {text}   ({} errors)\n", answer.errors.errors)?;
        }
        Ok(())
    }
}
