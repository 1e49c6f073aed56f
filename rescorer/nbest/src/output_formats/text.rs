//! Lines for people and for `cut`: id, tab, text.
//!
//! Of lists, each hypothesis has a line: id, position, text. After a second pass the total stands before the text, empty where it
//! was not computed, and repeated texts have one line.
//!
//! A line break or a tab inside a text is written as a blank ([`one_line`]). An id that holds one is refused.

use crate::encode::{Encode, OutputContent, unwritable};
use crate::line::has_break;
use crate::{Answer, Error, OutputFormat, one_line};

pub(super) struct Text(pub(super) OutputContent);

impl Encode for Text {
    fn encode(&mut self, answer: &Answer, to: &mut Vec<u8>) -> Result<(), Error> {
        let id = &answer.utterance().id;
        if has_break(id) {
            let reason =
                "its id holds a line break or a tab, but stands in one line; rename it, or write jsonl";
            return Err(unwritable(answer, OutputFormat::Text, reason.to_owned()));
        }
        if !self.0.lists {
            for part in [id, "\t", &one_line(&answer.winner().text), "\n"] {
                to.extend_from_slice(part.as_bytes());
            }
            return Ok(());
        }
        let mut last = None;
        for (line, hypothesis) in answer.lines() {
            let (position, text) = (line.position, hypothesis.text.as_str());
            match line.total {
                // Repeats stand together.
                _ if self.0.second_pass && last == Some(text) => {}
                Some(total) => {
                    to.extend(format!("{id}\t{position}\t{total:.4}\t{}\n", one_line(text)).bytes());
                }
                None if self.0.second_pass => {
                    to.extend(format!("{id}\t{position}\t\t{}\n", one_line(text)).bytes());
                }
                None => to.extend(format!("{id}\t{position}\t{}\n", one_line(text)).bytes()),
            }
            last = Some(text);
        }
        Ok(())
    }
}
