use std::time::Duration;

use rescorer::{DecisionRule, Request};
use rescorer_nbest::OutputFormat;

use crate::answers::Writer;
use crate::args::output_format;
use crate::lists::{self, Skipped};
use crate::model;
use crate::routing::{self, Tally};
use crate::score_args::RescoreArgs;
use crate::sink::Sink;
use crate::status::{Outcome, Status};

pub fn run(args: RescoreArgs) -> anyhow::Result<Outcome> {
    let format = output_format(args.output_format, args.output.as_deref(), OutputFormat::Text);
    if args.nbest && !args.scoring.common.json && !format.holds_lists() {
        anyhow::bail!(
            "--output-format {format} holds the winner only; leave out --nbest, or use --output-format jsonl"
        );
    }
    let status = Status::new(args.scoring.common.quiet);
    let utterances = lists::read(&args.lists.lists, &args.lists.select)?;
    let utterances = lists::in_context(utterances, &args.scoring);
    let out = Sink::open(args.output.as_deref())?;
    let search_risk = args.search.risk(&args.choice)?;
    let deciding = model::deciding(&args.choice, &args.scoring, status)?.search_risk(search_risk);
    let rescorer = model::build_deciding(deciding, &args.scoring.model, status)?;
    let rule = rescorer.rule().unwrap_or_default();
    if args.deadline_ms.is_some() && rule != DecisionRule::Maximum {
        anyhow::bail!("--deadline-ms: {rule} needs all scores; use --decision maximum");
    }
    if args.deadline_ms.is_some() && !rescorer.model().device().is_cpu() {
        anyhow::bail!("--deadline-ms works on the CPU only; use --device cpu");
    }
    let (nbest, deadline) = (args.nbest, args.deadline_ms.map(Duration::from_millis));
    // Confidences come with the whole list, and with rules that need all scores.
    let wanted = move |request: Request| match deadline {
        Some(limit) => request.deadline(limit),
        None if nbest => request.with_list(),
        None if rule == DecisionRule::Maximum => request.text_only(),
        None => request,
    };
    let immediate = lists::is_interactive(&args.lists.lists);
    let mut answers = rescorer.rescore_many(utterances.map(move |item| item.map(|list| wanted(list.into()))));
    if immediate || deadline.is_some() {
        answers = answers.immediate();
    }
    let mut writer = Writer::new((!args.scoring.common.json).then_some(format), nbest, immediate, out);
    let mut skipped = Skipped::new(&args.lists.select, status);
    let (mut done, mut changed, mut late) = (0usize, 0usize, 0usize);
    let mut tally = Tally::default();
    let bar = status.counter();
    for answer in answers.by_ref() {
        let Some(answer) = skipped.pass(answer)? else { continue };
        if skipped.pass(writer.write(&answer)?)?.is_none() {
            continue;
        }
        done += 1;
        tally.add(&answer);
        changed += usize::from(answer.changed());
        late += usize::from(deadline.is_some() && !answer.completeness().is_complete());
        bar.inc(1);
    }
    bar.finish_and_clear();
    // Where nothing was done, no file is put in place.
    let outcome = skipped.outcome(done)?;
    writer.finish()?;
    let stats = answers.stats();
    let speed = stats.per_second(stats.hypotheses);
    let computed = 100.0 * (stats.nodes - stats.routing_nodes) as f64 / stats.trie_nodes.max(1) as f64;
    let free = match stats.utterances - stats.asked {
        0 => String::new(),
        free => format!("; {free} lists needed no model"),
    };
    status.say(format_args!(
        "{done} lists, {changed} changed; {speed:.1} distinct hypotheses/s, {computed:.0}% of the nodes computed{free}"
    ));
    if routing::is_asked_for(&args.scoring.model) {
        tally.say(stats.routing_nodes, status);
    }
    if stats.hypotheses == stats.utterances {
        status
            .say("every list has one text, so there is nothing to choose; give lists of several hypotheses");
    }
    if deadline.is_some() {
        status.say(format_args!(
            "{late} of {done} lists missed the deadline; each got its best hypothesis so far"
        ));
    }
    Ok(outcome)
}
