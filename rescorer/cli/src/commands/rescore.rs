use std::io::Write;

use rescorer::{Rescored, RescoredHypothesis, Scorer, Utterance};
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
    if args.nbest && args.to == OutputFormat::Trn {
        anyhow::bail!("--to trn holds the winner alone; leave out --nbest, or write --to jsonl");
    }
    let status = Status::new(args.scoring.common.quiet);
    let utterances = lists::read(&args.lists.lists, &args.lists.select)?;
    let policy = args
        .choice
        .policy
        .as_deref()
        .map(|path| model::policy(path, &args.scoring.convention))
        .transpose()?;
    let by_hand = args.choice.weights.fusion();
    let Some(fusion) = policy.as_ref().map(|policy| policy.fusion).or(by_hand) else {
        anyhow::bail!("no weights: give --policy FILE, which `tune` writes, or --lm-weight W");
    };
    let out = Sink::open(args.output.as_deref())?;
    let model = model::load(&args.scoring.model, status)?;
    if let Some(policy) = &policy {
        policy.check_model(&model::identity(&args.scoring.model, &model))?;
    }
    let convention =
        policy.as_ref().map_or_else(|| args.scoring.convention.convention(), |policy| policy.convention);
    let immediate = lists::is_interactive(&args.lists.lists);
    let scorer = Scorer::new(model, convention)?;
    let mut writer = Writer::new(&args, out);
    let mut skipped = Skipped::new(&args.lists.select, status);
    let (mut done, mut changed) = (0usize, 0usize);
    let bar = status.counter();
    for scored in scorer.score_stream(utterances, immediate) {
        let Some((utterance, scores)) = skipped.pass(scored)? else { continue };
        let answer = Rescored::new(&utterance.nbest, &scores, &fusion);
        let is_changed = answer.changed();
        if skipped.pass(writer.write(utterance, &answer)?)?.is_none() {
            continue;
        }
        done += 1;
        changed += usize::from(is_changed);
        if immediate {
            writer.out.flush()?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    // Where nothing was done, no file is put in place.
    let outcome = skipped.outcome(done)?;
    writer.out.finish()?;
    status.say(format_args!("{done} lists, {changed} changed"));
    Ok(outcome)
}

/// Writes answers in one of the formats.
struct Writer {
    out: Sink,
    json: bool,
    format: OutputFormat,
    nbest: bool,
}

impl Writer {
    fn new(args: &RescoreArgs, out: Sink) -> Self {
        Self { out, json: args.scoring.common.json, format: args.to, nbest: args.nbest }
    }

    /// The outer error ends the run; the inner one is the utterance's, which the format can't hold.
    fn write(
        &mut self,
        utterance: Utterance,
        answer: &Rescored,
    ) -> anyhow::Result<Result<(), rescorer_nbest::Error>> {
        let (out, id) = (&mut self.out, &utterance.id);
        match self.format {
            _ if self.json => write_json(out, &json(&utterance, answer, self.nbest))?,
            OutputFormat::Text if self.nbest => {
                for RescoredHypothesis { position, total, text, .. } in answer.hypotheses() {
                    writeln!(out, "{id}\t{position}\t{total:.4}\t{text}")?;
                }
            }
            OutputFormat::Text => writeln!(out, "{id}\t{}", answer.best().text)?,
            OutputFormat::Jsonl => {
                let mut line = Vec::new();
                let utterance = reordered(utterance, answer, self.nbest)?;
                match JsonlWriter::new("a line", &mut line).write(&utterance) {
                    Ok(()) => out.write_all(&line)?,
                    Err(error) => return Ok(Err(error)),
                }
            }
            OutputFormat::Trn => {
                let mut line = Vec::new();
                match TrnWriter::new("a line", &mut line).write(id, &answer.best().text) {
                    Ok(()) => out.write_all(&line)?,
                    Err(error) => return Ok(Err(error)),
                }
            }
        }
        Ok(Ok(()))
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
