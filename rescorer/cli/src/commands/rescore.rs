use std::io::Write;
use std::time::Duration;

use rescorer::{AnswerRecord, Anytime, Choice, Deadline, DecisionRule, Rescored, Stream, Utterance};
use rescorer_nbest::{AnswerEncoder, AnswerLine, Hypothesis, NBest, OutputContent, OutputFormat};

use crate::args::{RescoreArgs, output_format};
use crate::lists::{self, ReadItem, Skipped};
use crate::model::{self, Deciding};
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};

/// What is known of a list when it is answered.
struct Answered {
    position: usize,
    /// Score and total of the winner; without time for them there are none.
    choice: Option<Choice>,
    /// All hypotheses, where all were scored.
    list: Option<Rescored>,
    /// How far a decision by a deadline got.
    progress: Option<Anytime>,
}

impl Answered {
    fn text<'a>(&'a self, utterance: &'a Utterance) -> &'a str {
        let winner = &utterance.nbest.hypotheses()[self.position].text;
        self.list.as_ref().map_or(winner, Rescored::text)
    }
}

pub fn run(args: RescoreArgs) -> anyhow::Result<Outcome> {
    let format = output_format(args.to, args.output.as_deref(), OutputFormat::Text);
    if args.nbest && !args.scoring.common.json && !format.holds_lists() {
        anyhow::bail!("--to {format} holds the winner alone; leave out --nbest, or write --to jsonl");
    }
    let status = Status::new(args.scoring.common.quiet);
    let utterances = lists::read(&args.lists.lists, &args.lists.select)?;
    let utterances = lists::in_context(utterances, args.scoring.context.as_deref());
    let deciding = Deciding::new(&args.choice, &args.scoring.convention)?;
    let decision = deciding.decision;
    if args.deadline_ms.is_some() && decision.rule != DecisionRule::Maximum {
        anyhow::bail!("--deadline-ms: {} needs all scores; say --decision maximum", decision.rule);
    }
    let out = Sink::open(args.output.as_deref())?;
    let model = model::load(&args.scoring.model, status)?;
    if args.deadline_ms.is_some() && !model.model.device().is_cpu() {
        anyhow::bail!(
            "--deadline-ms needs the CPU, where a list can be scored piece by piece; say --device cpu"
        );
    }
    let rescorer = deciding.rescorer(model)?;
    let writer = Writer::new(&args, format, out);
    let immediate = writer.immediate;
    if let Some(milliseconds) = args.deadline_ms {
        let stream =
            rescorer.choose_within_stream(utterances, Deadline::new(Duration::from_millis(milliseconds)));
        let answer = |_: &Utterance, found: Anytime| Answered {
            position: found.position(),
            choice: found.choice,
            list: None,
            progress: Some(found),
        };
        write_all(stream, answer, writer, &args, status)
    } else if args.nbest || decision.rule != DecisionRule::Maximum {
        let stream = rescorer.scorer().score_stream(utterances, immediate);
        let answer = |utterance: &Utterance, scores| {
            let list = rescorer.decide(&utterance.nbest, &scores);
            let choice = list.choice();
            Answered { position: choice.position, choice: Some(choice), list: Some(list), progress: None }
        };
        write_all(stream, answer, writer, &args, status)
    } else {
        let stream = rescorer.choose_stream(utterances, immediate);
        let answer = |_: &Utterance, choice: Choice| Answered {
            position: choice.position,
            choice: Some(choice),
            list: None,
            progress: None,
        };
        write_all(stream, answer, writer, &args, status)
    }
}

/// Writes the answers of a stream as they come: the winner, and the whole list where that is asked for.
fn write_all<I, T>(
    mut stream: Stream<'_, I, T>,
    answer: impl Fn(&Utterance, T) -> Answered,
    mut writer: Writer,
    args: &RescoreArgs,
    status: Status,
) -> anyhow::Result<Outcome>
where
    I: Iterator<Item = ReadItem>,
{
    let mut skipped = Skipped::new(&args.lists.select, status);
    let (mut done, mut changed, mut late) = (0usize, 0usize, 0usize);
    let bar = status.counter();
    for answered in stream.by_ref() {
        let Some((utterance, answered)) = skipped.pass(answered)? else { continue };
        let answered = answer(&utterance, answered);
        if skipped.pass(writer.write(&utterance, &answered)?)?.is_none() {
            continue;
        }
        done += 1;
        changed += usize::from(answered.text(&utterance) != utterance.nbest.first().text);
        late += usize::from(answered.progress.as_ref().is_some_and(|progress| !progress.is_complete()));
        if writer.immediate {
            writer.out.flush()?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    // Where nothing was done, no file is put in place.
    let outcome = skipped.outcome(done)?;
    writer.finish()?;
    let stats = stream.stats();
    let speed = stats.per_second(stats.hypotheses);
    let computed = 100.0 * stats.nodes as f64 / stats.trie_nodes.max(1) as f64;
    status.say(format_args!(
        "{done} lists, {changed} changed; {speed:.1} distinct hypotheses/s, {computed:.0}% of the nodes computed"
    ));
    if args.deadline_ms.is_some() {
        status
            .say(format_args!("{late} lists were not decided by the deadline: the best so far was answered"));
    }
    Ok(outcome)
}

/// Writes answers as JSON, or in one of the formats.
struct Writer {
    out: Sink,
    /// `None` for the JSON of the command line.
    encoder: Option<AnswerEncoder>,
    /// Whether the whole list is written.
    nbest: bool,
    /// Whether answers have to come line by line.
    immediate: bool,
}

impl Writer {
    fn new(args: &RescoreArgs, format: OutputFormat, out: Sink) -> Self {
        let immediate = lists::is_interactive(&args.lists.lists);
        let content = OutputContent { lists: args.nbest, second_pass: true };
        let encoder = (!args.scoring.common.json).then(|| format.encoder(content));
        Self { out, encoder, nbest: args.nbest, immediate }
    }

    /// The outer error ends the run; the inner one is the utterance's, which the format can't hold.
    fn write(
        &mut self,
        utterance: &Utterance,
        answered: &Answered,
    ) -> anyhow::Result<Result<(), rescorer_nbest::Error>> {
        let Some(encoder) = &mut self.encoder else {
            write_json(&mut self.out, &json(utterance, answered, self.nbest))?;
            return Ok(Ok(()));
        };
        let merged = answered.list.as_ref().and_then(Rescored::merged);
        let with_merged = merged.map(|text| with_merged(utterance, answered.position, text)).transpose()?;
        let answer = answer(with_merged.as_ref().unwrap_or(utterance), answered, self.nbest)?;
        match encoder.encode(&answer) {
            Ok(bytes) => self.out.write_all(bytes)?,
            Err(error) => return Ok(Err(error)),
        }
        Ok(Ok(()))
    }

    fn finish(mut self) -> anyhow::Result<()> {
        if let Some(encoder) = self.encoder {
            self.out.write_all(&encoder.finish()?)?;
        }
        self.out.finish()
    }
}

/// The utterance with a text that was voted on behind its hypotheses.
fn with_merged(
    utterance: &Utterance,
    voted_on: usize,
    text: &str,
) -> Result<Utterance, rescorer_nbest::Error> {
    let mut hypotheses = utterance.nbest.hypotheses().to_vec();
    let score = hypotheses[voted_on].score;
    let mut merged = Hypothesis { score, ..Hypothesis::new(text) };
    merged.extra.insert("merged".into(), true.into());
    hypotheses.push(merged);
    Ok(Utterance { nbest: NBest::new(hypotheses)?, ..utterance.clone() })
}

/// The winner, or every listed line in the order of the answer. A text that was voted on is the last hypothesis of `utterance`.
fn answer<'a>(
    utterance: &'a Utterance,
    answered: &Answered,
    nbest: bool,
) -> Result<rescorer_nbest::Answer<'a>, rescorer_nbest::Error> {
    let Answered { position, choice, list, .. } = answered;
    let is_merged = list.as_ref().is_some_and(|list| list.merged().is_some());
    let winner = if is_merged {
        AnswerLine { position: utterance.nbest.len() - 1, ..AnswerLine::default() }
    } else {
        let score = |of: fn(&Choice) -> f64| choice.as_ref().map(of);
        AnswerLine {
            position: *position,
            lm_score: score(|choice| choice.lm_score),
            total: score(|choice| choice.total),
        }
    };
    let Some(list) = list else { return rescorer_nbest::Answer::new(utterance, vec![winner]) };
    let listed = || {
        list.listed().into_iter().map(|(position, scored)| AnswerLine {
            position,
            lm_score: Some(scored.lm_score),
            total: Some(scored.total),
        })
    };
    let lines = match (nbest, is_merged) {
        (true, true) => std::iter::once(winner).chain(listed()).collect(),
        (true, false) => listed().collect(),
        (false, _) => vec![winner],
    };
    Ok(rescorer_nbest::Answer::new(utterance, lines)?.with_confidence(list.confidence()))
}

fn json<'a>(utterance: &'a Utterance, answered: &'a Answered, nbest: bool) -> AnswerRecord<'a> {
    match &answered.list {
        Some(list) => AnswerRecord::of_list(utterance, list, nbest),
        None => AnswerRecord::of_position(utterance, answered.position, answered.progress.as_ref()),
    }
}
