use std::io::Write;

use rescorer::{Choice, DecisionRule, Rescored, RescoredHypothesis, Rescorer, Stream, Utterance};
use rescorer_nbest::{JsonlWriter, NBest, TrnWriter};
use serde::Serialize;

use crate::args::{OutputFormat, RescoreArgs};
use crate::lists::{self, ReadItem, Skipped};
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
    words: Option<Vec<Word<'a>>>,
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
    confidence: f64,
}

#[derive(Serialize)]
struct Word<'a> {
    word: &'a str,
    confidence: f64,
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
    let decision = model::decision(policy.as_ref(), args.choice.decision)?;
    let (confidence, normalize) =
        policy.as_ref().map(|policy| (policy.confidence, policy.normalize)).unwrap_or_default();
    let out = Sink::open(args.output.as_deref())?;
    let model = model::load(&args.scoring.model, status)?;
    if let Some(policy) = &policy {
        model.check(policy)?;
    }
    let convention =
        policy.as_ref().map_or_else(|| args.scoring.convention.convention(), |policy| policy.convention);
    let rescorer = Rescorer::new(model.scorer(convention)?, fusion);
    let writer = Writer::new(&args, out);
    let immediate = writer.immediate;
    if args.nbest || decision.rule != DecisionRule::Maximum {
        let stream = rescorer.scorer().score_stream(utterances, immediate);
        let answer = |utterance: &Utterance, scores| {
            let answer = Rescored::decided(
                &utterance.nbest,
                &scores,
                &fusion,
                &decision,
                confidence.as_ref(),
                normalize,
            );
            (answer.choice(), Some(answer))
        };
        write_all(stream, answer, writer, &args, status)
    } else {
        let stream = rescorer.choose_stream(utterances, immediate);
        write_all(stream, |_, choice| (choice, None), writer, &args, status)
    }
}

/// Writes the answers of a stream as they come: the winner, and the whole list where that is asked for.
fn write_all<I, T>(
    mut stream: Stream<'_, I, T>,
    answer: impl Fn(&Utterance, T) -> (Choice, Option<Rescored>),
    mut writer: Writer,
    args: &RescoreArgs,
    status: Status,
) -> anyhow::Result<Outcome>
where
    I: Iterator<Item = ReadItem>,
{
    let mut skipped = Skipped::new(&args.lists.select, status);
    let (mut done, mut changed) = (0usize, 0usize);
    let bar = status.counter();
    for answered in stream.by_ref() {
        let Some((utterance, answered)) = skipped.pass(answered)? else { continue };
        let (choice, list) = answer(&utterance, answered);
        if skipped.pass(writer.write(utterance, &choice, list.as_ref())?)?.is_none() {
            continue;
        }
        done += 1;
        changed += usize::from(choice.changed());
        if writer.immediate {
            writer.out.flush()?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    // Where nothing was done, no file is put in place.
    let outcome = skipped.outcome(done)?;
    writer.out.finish()?;
    let stats = stream.stats();
    let speed = stats.per_second(stats.hypotheses);
    let computed = 100.0 * stats.nodes as f64 / stats.trie_nodes.max(1) as f64;
    status.say(format_args!(
        "{done} lists, {changed} changed; {speed:.1} distinct hypotheses/s, {computed:.0}% of the nodes computed"
    ));
    Ok(outcome)
}

/// Writes answers in one of the formats.
struct Writer {
    out: Sink,
    json: bool,
    nbest: bool,
    format: OutputFormat,
    /// Whether answers have to come line by line.
    immediate: bool,
}

impl Writer {
    fn new(args: &RescoreArgs, out: Sink) -> Self {
        let immediate = lists::is_interactive(&args.lists.lists);
        Self { out, json: args.scoring.common.json, nbest: args.nbest, format: args.to, immediate }
    }

    /// The outer error ends the run; the inner one is the utterance's, which the format can't hold.
    fn write(
        &mut self,
        utterance: Utterance,
        choice: &Choice,
        list: Option<&Rescored>,
    ) -> anyhow::Result<Result<(), rescorer_nbest::Error>> {
        let (out, id) = (&mut self.out, &utterance.id);
        let text = list.map_or(&*utterance.nbest.hypotheses()[choice.position].text, Rescored::text);
        match (self.format, list.filter(|_| self.nbest)) {
            _ if self.json => write_json(out, &json(&utterance, choice, list, self.nbest))?,
            (OutputFormat::Text, Some(list)) => {
                for RescoredHypothesis { position, total, text, .. } in list.hypotheses() {
                    writeln!(out, "{id}\t{position}\t{total:.4}\t{text}")?;
                }
            }
            (OutputFormat::Text, None) => writeln!(out, "{id}\t{text}")?,
            (OutputFormat::Jsonl, list) => {
                let mut line = Vec::new();
                let utterance = match list {
                    Some(list) => {
                        let listed = list.listed();
                        let scored = listed.iter().map(|(at, scored)| (*at, scored.lm_score, scored.total));
                        reordered(utterance, scored)?
                    }
                    None => reordered(utterance, [(choice.position, choice.lm_score, choice.total)])?,
                };
                match JsonlWriter::new("a line", &mut line).write(&utterance) {
                    Ok(()) => out.write_all(&line)?,
                    Err(error) => return Ok(Err(error)),
                }
            }
            (OutputFormat::Trn, _) => {
                let mut line = Vec::new();
                match TrnWriter::new("a line", &mut line).write(id, text) {
                    Ok(()) => out.write_all(&line)?,
                    Err(error) => return Ok(Err(error)),
                }
            }
        }
        Ok(Ok(()))
    }
}

fn json<'a>(
    utterance: &'a Utterance,
    choice: &Choice,
    list: Option<&'a Rescored>,
    nbest: bool,
) -> Answer<'a> {
    let rows = |list: &'a Rescored| {
        let rows = list.hypotheses().iter().map(|hypothesis| Row {
            position: hypothesis.position,
            text: &hypothesis.text,
            first_pass: hypothesis.first_pass,
            lm_score: hypothesis.lm_score,
            total: hypothesis.total,
            confidence: hypothesis.confidence,
        });
        rows.collect()
    };
    let words = |list: &'a Rescored| {
        list.words().iter().map(|word| Word { word: &word.word, confidence: word.confidence }).collect()
    };
    let text = list.map_or(&*utterance.nbest.hypotheses()[choice.position].text, Rescored::text);
    Answer {
        utterance: &utterance.id,
        text,
        position: choice.position,
        changed: text != utterance.nbest.first().text,
        reference: utterance.reference.as_deref(),
        confidence: list.map(Rescored::confidence),
        words: list.map(words),
        hypotheses: list.filter(|_| nbest).map(rows),
    }
}

/// The utterance with the hypotheses that `scored` names by position, each with its `lm_score` and `total`:
/// the winner, or every listed line in the order of the answer.
fn reordered(
    utterance: Utterance,
    scored: impl IntoIterator<Item = (usize, f64, f64)>,
) -> anyhow::Result<Utterance> {
    let mut originals: Vec<_> = utterance.nbest.into_hypotheses().into_iter().map(Some).collect();
    let mut hypotheses = Vec::new();
    for (position, lm_score, total) in scored {
        let Some(mut hypothesis) = originals[position].take() else { continue };
        hypothesis.extra.insert("lm_score".into(), lm_score.into());
        hypothesis.extra.insert("total".into(), total.into());
        hypotheses.push(hypothesis);
    }
    Ok(Utterance { nbest: NBest::new(hypotheses)?, ..utterance })
}
