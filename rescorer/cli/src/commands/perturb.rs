use std::io::Write;

use rescorer_nbest::{Answer, AnswerEncoder, OutputContent, OutputFormat};
use rescorer_perturb::{HypothesisReplacement, Perturbation, PerturbationKind, WordCounts};
use serde::Serialize;

use crate::args::output_format;
use crate::lists::{self, Skipped};
use crate::perturb_args::PerturbArgs;
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};

#[derive(Serialize)]
struct Shown<'a> {
    utterance: &'a str,
    #[serde(flatten)]
    replacement: &'a HypothesisReplacement,
}

pub fn run(args: PerturbArgs) -> anyhow::Result<Outcome> {
    let status = Status::new(args.common.quiet);
    if args.copies.is_some() && args.kind != PerturbationKind::Distractors {
        anyhow::bail!(
            "--copies: {} adds no copies; leave the option out, or use --kind distractors",
            args.kind.name()
        );
    }
    let homophones = args.homophones.homophones()?;
    let copies = args.copies.unwrap_or(Perturbation::COPIES);
    let perturbation =
        Perturbation::new(&homophones, args.kind, args.rate, args.seed, copies)?.with_unit(args.unit);
    let utterances = lists::read(&args.lists.lists, &args.lists.select)?;
    let mut shown = if args.show { Some(Sink::open(None)?) } else { None };
    let mut out = match (&args.output, args.show) {
        (None, true) => None,
        (path, _) => Some(Sink::open(path.as_deref())?),
    };
    let format = output_format(args.output_format, args.output.as_deref(), OutputFormat::Jsonl);
    let mut encoder = format.encoder(OutputContent { lists: true, second_pass: false });
    let mut skipped = Skipped::new(&args.lists.select, status);
    let mut counts = WordCounts::default();
    let (mut done, mut untouchable) = (0usize, 0usize);
    for utterance in utterances {
        let perturbed = utterance.and_then(|utterance| Ok(perturbation.apply(&utterance)?));
        let Some(perturbed) = skipped.pass(perturbed)? else { continue };
        counts += perturbed.counts;
        if let Some(out) = &mut out {
            let answer = Answer::first_pass(&perturbed.utterance);
            let Some(bytes) = skipped.pass(encoder.encode(&answer))? else { continue };
            out.write_all(bytes)?;
        }
        done += 1;
        untouchable += usize::from(perturbed.counts.replaceable == 0);
        if let Some(shown) = &mut shown {
            for replacement in &perturbed.replacements {
                show(shown, &perturbed.utterance.id, replacement, args.common.json)?;
            }
        }
    }
    let outcome = skipped.outcome(done)?;
    say(counts, done, untouchable, status);
    if done > 0 && counts.replaceable == 0 {
        anyhow::bail!(
            "no word of {done} lists has a homophone ({} of {} words are in the dictionary, which is English); \
             nothing is written; add pronunciations with --lexicon FILE{}",
            counts.known,
            counts.words,
            if args.unit.is_word() { ", and for Chinese or Japanese --unit character" } else { "" }
        );
    }
    out.map_or(Ok(()), |out| finish(out, encoder))?;
    shown.map_or(Ok(()), Sink::finish)?;
    Ok(outcome)
}

fn say(counts: WordCounts, done: usize, untouchable: usize, status: Status) {
    let WordCounts { words, known, replaceable, replaced } = counts;
    let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
    status.say(format_args!(
        "{done} lists, {words} words: {:.1}% are in the dictionary, {:.1}% have a homophone, {:.1}% were replaced \
         ({:.1}% of those with a homophone)",
        percent(known, words),
        percent(replaceable, words),
        percent(replaced, words),
        percent(replaced, replaceable)
    ));
    if untouchable > 0 {
        status.warn(format_args!(
            "{untouchable} of {done} lists have no word with a homophone and are unchanged"
        ));
    }
}

fn show(out: &mut Sink, id: &str, found: &HypothesisReplacement, json: bool) -> anyhow::Result<()> {
    if json {
        return write_json(out, &Shown { utterance: id, replacement: found });
    }
    let copy = found.copy.map_or_else(String::new, |copy| format!(".{copy}"));
    let rescorer_perturb::Replacement { word, original, replacement } = &found.replacement;
    Ok(writeln!(out, "{id}\t{}{copy}\t{word}\t{original}\t{replacement}", found.position)?)
}

fn finish(mut out: Sink, encoder: AnswerEncoder) -> anyhow::Result<()> {
    out.write_all(&encoder.finish()?)?;
    out.finish()
}
