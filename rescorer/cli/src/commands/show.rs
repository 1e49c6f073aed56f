use std::collections::HashMap;
use std::io::Write;

use rescorer::{Fusion, JudgedList};

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
    pub fn show(&self, out: &mut Sink, judged: &[JudgedList], fusions: &[Fusion]) -> anyhow::Result<()> {
        let changed = judged.iter().zip(fusions).filter_map(|(list, fusion)| {
            let winner = fusion.winner(&list.candidates);
            let texts = self.by_id.get(&list.id)?;
            (list.errors[winner] != list.errors[0]).then_some((list, winner, texts))
        });
        for (list, winner, texts) in changed.take(self.limit) {
            writeln!(out, "{}", list.id)?;
            writeln!(out, "  reference    {}", list.reference)?;
            writeln!(out, "  first pass   {}   ({} errors)", texts[0], list.errors[0])?;
            writeln!(out, "  rescored     {}   ({} errors)\n", texts[winner], list.errors[winner])?;
        }
        Ok(())
    }
}
