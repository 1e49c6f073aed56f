use std::time::Duration;

use rescorer::{Anytime, Choice, Deadline, DecisionRule, Rescored, Stream, Utterance};
use rescorer_nbest::OutputFormat;

use crate::answers::{Answered, Writer};
use crate::args::{RescoreArgs, output_format};
use crate::lists::{self, ReadItem, Skipped};
use crate::model::{self, Deciding};
use crate::sink::Sink;
use crate::status::{Outcome, Status};

pub fn run(args: RescoreArgs) -> anyhow::Result<Outcome> {
    let format = output_format(args.output_format, args.output.as_deref(), OutputFormat::Text);
    if args.nbest && !args.scoring.common.json && !format.holds_lists() {
        anyhow::bail!(
            "--output-format {format} holds the winner alone; leave out --nbest, or write --output-format jsonl"
        );
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
    let rescorer = deciding.rescorer(model, &args.scoring, status)?;
    let immediate = lists::is_interactive(&args.lists.lists);
    let writer = Writer::new((!args.scoring.common.json).then_some(format), args.nbest, immediate, out);
    if let Some(milliseconds) = args.deadline_ms {
        let stream =
            rescorer.choose_within_stream(utterances, Deadline::new(Duration::from_millis(milliseconds)));
        let answer = |_: &Utterance, found: Anytime| Answered {
            position: found.position(),
            choice: found.choice.clone(),
            list: None,
            progress: Some(found),
        };
        write_all(stream, answer, writer, &args, status)
    } else if args.nbest || decision.rule != DecisionRule::Maximum {
        let stream = rescorer.rescore_stream(utterances, immediate);
        let answer = |_: &Utterance, list: Rescored| Answered::of_list(list);
        write_all(stream, answer, writer, &args, status)
    } else {
        let stream = rescorer.choose_stream(utterances, immediate);
        let answer = |_: &Utterance, choice: Choice| Answered::of_choice(choice);
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
        bar.inc(1);
    }
    bar.finish_and_clear();
    // Where nothing was done, no file is put in place.
    let outcome = skipped.outcome(done)?;
    writer.finish()?;
    let stats = stream.stats();
    let speed = stats.per_second(stats.hypotheses);
    let computed = 100.0 * stats.nodes as f64 / stats.trie_nodes.max(1) as f64;
    let free = match stats.utterances - stats.asked {
        0 => String::new(),
        free => format!("; {free} lists needed no model"),
    };
    status.say(format_args!(
        "{done} lists, {changed} changed; {speed:.1} distinct hypotheses/s, {computed:.0}% of the nodes computed{free}"
    ));
    if args.deadline_ms.is_some() {
        status
            .say(format_args!("{late} lists were not decided by the deadline: the best so far was answered"));
    }
    Ok(outcome)
}
