use std::io::Write;

use rescorer::{Rescored, Scorer, Utterance};
use rescorer_nbest::{JsonlWriter, NBest, TrnWriter};
use serde::Serialize;

use crate::args::{OutputFormat, RescoreArgs};
use crate::lists::{self, Skipped};
use crate::model;
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};

#[derive(Serialize)]
struct Answer<'a> {
    utterance: &'a str,
    text: &'a str,
    position: usize,
    changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hypotheses: Option<Vec<Row<'a>>>,
}

#[derive(Serialize)]
struct Row<'a> {
    position: usize,
    text: &'a str,
    first_pass: f64,
    lm_score: f64,
    total: f64,
}

pub fn run(args: RescoreArgs) -> anyhow::Result<Outcome> {
    let status = Status::new(args.common.quiet);
    let utterances = lists::read(&args.lists)?;
    let policy =
        args.choice.policy.as_deref().map(|path| model::policy(path, &args.convention)).transpose()?;
    let out = Sink::open(args.output.as_deref())?;
    let model = model::load(&args.model, status)?;
    if let Some(policy) = &policy {
        policy.check_model(&model::identity(&args.model, &model))?;
    }
    let (fusion, convention) = match (&policy, args.choice.weights.fusion()) {
        (Some(policy), _) => (policy.fusion, policy.convention),
        (None, Some(fusion)) => (fusion, args.convention.convention()),
        (None, None) => anyhow::bail!("give --policy FILE or --lm-weight W"),
    };
    let immediate = lists::is_interactive(&args.lists.lists);
    let scorer = Scorer::new(model, convention)?;
    let mut writer = Writer::new(&args, out);
    let mut skipped = Skipped::new(&args.lists.select, status);
    let (mut done, mut changed) = (0usize, 0usize);
    let bar = status.counter();
    for scored in scorer.score_stream(utterances, immediate) {
        let Some((utterance, scores)) = skipped.pass(scored)? else { continue };
        let answer = Rescored::new(&utterance.nbest, &scores, &fusion);
        done += 1;
        changed += usize::from(answer.changed());
        if skipped.pass(writer.write(utterance, &answer)?)?.is_none() {
            done -= 1;
        }
        if immediate {
            writer.flush()?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    writer.finish()?;
    status.say(format_args!("{done} lists, {changed} changed"));
    skipped.outcome(done)
}

/// The formats an answer can be written in.
enum Writer {
    Json { out: Sink, nbest: bool },
    Text { out: Sink, nbest: bool },
    Jsonl { writer: JsonlWriter<Sink>, nbest: bool },
    Trn(TrnWriter<Sink>),
}

impl Writer {
    fn new(args: &RescoreArgs, out: Sink) -> Self {
        let nbest = args.nbest;
        let name = args.output.as_ref().map_or("stdout".into(), |path| path.display().to_string());
        match args.to {
            _ if args.common.json => Self::Json { out, nbest },
            OutputFormat::Text => Self::Text { out, nbest },
            OutputFormat::Jsonl => Self::Jsonl { writer: JsonlWriter::new(name, out), nbest },
            OutputFormat::Trn => Self::Trn(TrnWriter::new(name, out)),
        }
    }

    /// The outer error ends the run; the inner one is the utterance's, which the format can't hold.
    fn write(
        &mut self,
        utterance: Utterance,
        answer: &Rescored,
    ) -> anyhow::Result<Result<(), rescorer::Error>> {
        match self {
            Self::Json { out, nbest } => write_json(out, &json(&utterance, answer, *nbest))?,
            Self::Text { out, nbest: false } => writeln!(out, "{}\t{}", utterance.id, answer.best().text)?,
            Self::Text { out, nbest: true } => {
                for hypothesis in answer.hypotheses() {
                    let (position, total) = (hypothesis.position, hypothesis.total);
                    writeln!(out, "{}\t{position}\t{total:.4}\t{}", utterance.id, hypothesis.text)?;
                }
            }
            Self::Jsonl { writer, nbest } => writer.write(&reordered(utterance, answer, *nbest)?)?,
            Self::Trn(writer) => {
                return Ok(writer.write(&utterance.id, &answer.best().text).map_err(Into::into));
            }
        }
        Ok(Ok(()))
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Json { out, .. } | Self::Text { out, .. } => out.flush()?,
            Self::Jsonl { writer, .. } => writer.flush()?,
            Self::Trn(writer) => writer.flush()?,
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Json { out, .. } | Self::Text { out, .. } => out,
            Self::Jsonl { writer, .. } => writer.finish()?,
            Self::Trn(writer) => writer.finish()?,
        }
        .finish()
    }
}

fn json<'a>(utterance: &'a Utterance, answer: &'a Rescored, nbest: bool) -> Answer<'a> {
    let rows = answer.hypotheses().iter().map(|hypothesis| Row {
        position: hypothesis.position,
        text: &hypothesis.text,
        first_pass: hypothesis.first_pass,
        lm_score: hypothesis.lm_score,
        total: hypothesis.total,
    });
    Answer {
        utterance: &utterance.id,
        text: &answer.best().text,
        position: answer.best().position,
        changed: answer.changed(),
        reference: utterance.reference.as_deref(),
        confidence: nbest.then(|| answer.confidence()),
        hypotheses: nbest.then(|| rows.collect()),
    }
}

/// The utterance with its list in the order of the answer, every listed line still there, each with its
/// `lm_score` and `total`; without `--nbest` the winner alone.
fn reordered(utterance: Utterance, answer: &Rescored, nbest: bool) -> anyhow::Result<Utterance> {
    let mut originals: Vec<_> = utterance.nbest.into_hypotheses().into_iter().map(Some).collect();
    let mut hypotheses = Vec::new();
    for (position, rescored) in answer.listed() {
        let Some(mut hypothesis) = originals[position].take() else { continue };
        hypothesis.extra.insert("lm_score".into(), rescored.lm_score.into());
        hypothesis.extra.insert("total".into(), rescored.total.into());
        hypotheses.push(hypothesis);
        if !nbest {
            break;
        }
    }
    Ok(Utterance { nbest: NBest::new(hypotheses)?, ..utterance })
}
