//! Tables with a row for each hypothesis, separated by commas or by tabs.
//!
//! Columns: `id`, `position` in the list as it is written, from 0, `text`, `score` of the first pass, then, after
//! a second pass, `first_pass_position`, `lm_score`, `total` and, of lists, `confidence`; `reference`, `context`. Fields that we don't know are
//! JSON objects: those of the hypothesis in `extra`, those of the utterance in `utterance_extra`. They have no
//! columns of their own, since the first row would have to know the fields of the last.
//!
//! A cell with a separator, a quote, a line break or a tab stands in quotes, quotes in it are doubled. A text that is
//! there but empty is a pair of quotes; what is not there is nothing at all.
//!
//! # Reference
//! RFC 4180, with `\n` as line break.

use crate::answer::OF_SECOND_PASS;
use crate::encode::{Encode, OutputContent, check_fields};
use crate::line::is_break;
use crate::{Answer, Error, OutputFormat};

pub(super) struct Table {
    format: OutputFormat,
    content: OutputContent,
    separator: char,
    begun: bool,
}

impl Table {
    /// With tabs for [`OutputFormat::Tsv`], else with commas.
    pub(super) fn new(format: OutputFormat, content: OutputContent) -> Self {
        let separator = if format == OutputFormat::Tsv { '\t' } else { ',' };
        Self { format, content, separator, begun: false }
    }

    fn columns(&self) -> impl Iterator<Item = &'static str> {
        let OutputContent { lists, second_pass } = self.content;
        let columns = [
            ("id", true),
            ("position", true),
            ("text", true),
            ("score", true),
            ("first_pass_position", second_pass),
            ("lm_score", second_pass),
            ("total", second_pass),
            ("confidence", second_pass && lists),
            ("reference", true),
            ("context", true),
            ("extra", true),
            ("utterance_extra", true),
        ];
        columns.into_iter().filter(|(_, there)| *there).map(|(name, _)| name)
    }

    fn row<'a>(&self, cells: impl Iterator<Item = Option<&'a str>>, to: &mut Vec<u8>) {
        let cells: Vec<String> = cells.map(|cell| cell.map_or_else(String::new, |c| self.cell(c))).collect();
        to.extend(cells.join(self.separator.encode_utf8(&mut [0; 4])).bytes());
        to.push(b'\n');
    }

    fn cell(&self, text: &str) -> String {
        let plain = !text.is_empty() && !text.contains(|c| c == self.separator || c == '"' || is_break(c));
        if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
    }
}

impl Encode for Table {
    fn encode(&mut self, answer: &Answer, to: &mut Vec<u8>) -> Result<(), Error> {
        check_fields(answer, self.format)?;
        self.begin(to);
        let utterance = answer.utterance();
        // Short, and the same number when it is read.
        let number = |score: f64| format!("{score:?}");
        // What the second pass says stands in the columns; what an older one said gives way.
        let replaced: &[&str] = if self.content.second_pass { &OF_SECOND_PASS } else { &[] };
        let of_utterance = crate::extra::text(&utterance.extra, &[]);
        for (position, (line, hypothesis)) in answer.lines().enumerate() {
            let extra = crate::extra::text(&hypothesis.extra, replaced);
            let [position, first_pass_position] =
                [position, line.position].map(|position| position.to_string());
            let [score, lm_score, total, confidence] =
                [hypothesis.score, line.lm_score, line.total, answer.confidence()].map(|x| x.map(number));
            let cell = |column| match column {
                "id" => Some(utterance.id.as_str()),
                "position" => Some(position.as_str()),
                "text" => Some(hypothesis.text.as_str()),
                "score" => score.as_deref(),
                "first_pass_position" => Some(first_pass_position.as_str()),
                "lm_score" => lm_score.as_deref(),
                "total" => total.as_deref(),
                "confidence" => confidence.as_deref(),
                "reference" => utterance.reference.as_deref(),
                "context" => utterance.context.as_deref(),
                "extra" => extra.as_deref(),
                _ => of_utterance.as_deref(),
            };
            self.row(self.columns().map(cell), to);
        }
        Ok(())
    }

    fn finish(&mut self, to: &mut Vec<u8>) -> Result<(), Error> {
        self.begin(to);
        Ok(())
    }
}

impl Table {
    fn begin(&mut self, to: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            self.row(self.columns().map(Some), to);
        }
    }
}
