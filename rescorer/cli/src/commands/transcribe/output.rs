use std::io::Write;
use std::ops::Range;
use std::path::Path;

use anyhow::bail;
use rescorer::{Answer, Utterance};
use rescorer_nbest::{AnswerEncoder, OutputContent, OutputFormat, one_line};
use serde::Serialize;

use crate::answers::Writer;
use crate::args::output_format;
use crate::sink::{Sink, write_json};
use crate::transcribe_args::TranscribeArgs;

/// Where the texts go.
pub enum Output {
    /// Both passes, a line each where they differ.
    Passes(Sink),
    /// Both passes as JSON.
    Json(Sink),
    /// The winners in another format.
    Winners(Writer),
}

#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    answer: &'a Answer,
    first_pass_text: &'a str,
    file: &'a Path,
    start: f64,
    end: f64,
}

impl Output {
    pub fn open(args: &TranscribeArgs) -> anyhow::Result<Self> {
        let out = Sink::open(args.output.as_deref())?;
        if args.scoring.common.json {
            return Ok(Self::Json(out));
        }
        Ok(match output_format(args.output_format, args.output.as_deref(), OutputFormat::Text) {
            OutputFormat::Text => Self::Passes(out),
            format => Self::Winners(Writer::new(Some(format), false, true, out)),
        })
    }

    /// The outer error ends the run; the inner one is the utterance's, which the format can't hold.
    pub fn write(
        &mut self,
        file: &Path,
        seconds: &Range<f64>,
        answer: &Answer,
    ) -> anyhow::Result<Result<(), rescorer_nbest::Error>> {
        let utterance = answer.utterance();
        let (first, second) = (utterance.nbest.first().text.as_str(), answer.text());
        match self {
            Self::Passes(out) => {
                let passes = if first == second {
                    vec![("both", first)]
                } else {
                    vec![("first", first), ("second", second)]
                };
                for (pass, text) in passes {
                    // A text with a tab or a line's end would be several fields or lines.
                    let (id, text) = (one_line(&utterance.id), one_line(text.trim()));
                    let Range { start, end } = seconds;
                    writeln!(out, "{id}\t{start:.2}\t{end:.2}\t{pass}\t{text}")?;
                }
                out.flush()?;
            }
            Self::Json(out) => {
                let Range { start, end } = *seconds;
                write_json(out, &Row { answer, first_pass_text: first, file, start, end })?;
                out.flush()?;
            }
            Self::Winners(writer) => return writer.write(answer),
        }
        Ok(Ok(()))
    }

    pub fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Passes(out) | Self::Json(out) => out.finish(),
            Self::Winners(writer) => writer.finish(),
        }
    }
}

/// The lists of the first pass, as `rescore` and `tune` read them.
pub struct Lists {
    out: Sink,
    encoder: AnswerEncoder,
}

impl Lists {
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let Some(format) = OutputFormat::of_path(path).filter(|format| format.holds_lists()) else {
            let extensions = "jsonl, csv, tsv, txt, or parquet if the build has it";
            bail!("--nbest-output {}: use an extension of a format for lists: {extensions}", path.display());
        };
        let encoder = format.encoder(OutputContent { lists: true, second_pass: false });
        Ok(Self { out: Sink::file(path)?, encoder })
    }

    pub fn write(&mut self, utterance: &Utterance) -> anyhow::Result<()> {
        let bytes = self.encoder.encode(&rescorer_nbest::Answer::first_pass(utterance))?;
        Ok(self.out.write_all(bytes)?)
    }

    pub fn finish(mut self) -> anyhow::Result<()> {
        let bytes = self.encoder.finish()?;
        self.out.write_all(&bytes)?;
        self.out.finish()
    }
}
