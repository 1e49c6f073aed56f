//! Lines for people and for `cut`: id, tab, text.
//!
//! Of lists, each hypothesis has a line: id, position, total if there is one, text. After a second pass
//! repeated texts have one total, and one line.

use super::{Encode, OutputContent, OutputSpec};
use crate::{Answer, Error};

pub(super) const SPEC: OutputSpec = OutputSpec {
    name: "text",
    extension: Some("txt"),
    about: "id, tab, text; of lists id, position, (total,) text",
    lists: true,
    encoder: |content| Box::new(Text(content)),
};

struct Text(OutputContent);

impl Encode for Text {
    fn encode(&mut self, answer: &Answer, to: &mut Vec<u8>) -> Result<(), Error> {
        let id = &answer.utterance().id;
        if !self.0.lists {
            to.extend(format!("{id}\t{}\n", answer.winner().text).bytes());
            return Ok(());
        }
        let mut last = None;
        for (line, hypothesis) in answer.lines() {
            let (position, text) = (line.position, hypothesis.text.as_str());
            match line.total {
                // Repeats stand together.
                Some(_) if last == Some(text) => {}
                Some(total) => to.extend(format!("{id}\t{position}\t{total:.4}\t{text}\n").bytes()),
                None => to.extend(format!("{id}\t{position}\t{text}\n").bytes()),
            }
            last = Some(text);
        }
        Ok(())
    }
}
