//! `rescorer learn`: an adapter learns from what users correct.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use rescorer::scoring::LanguageModel;
use rescorer::train::{LearnOptions, Learner, Lesson};
use serde_json::json;

use crate::learn_args::LearnArgs;
use crate::lists::{self, Skipped};
use crate::model;
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};

pub fn run(args: LearnArgs) -> anyhow::Result<Outcome> {
    let status = Status::new(args.common.quiet);
    if args.undo {
        return undo(&args);
    }
    let mut skipped = Skipped::allowing(args.skip_invalid, status);
    let mut read = |paths: &[PathBuf]| lists::collect(paths, None, &mut skipped);
    let (corrections, replay, held_out) =
        (read(&args.corrections)?, read(&args.replay)?, read(&args.held_out)?);
    model::set_threads(args.base.threads)?;
    let path = model::locate(&args.base.model, args.base.offline, status)?;
    let model = Arc::new(LanguageModel::load_for_training(&path, args.base.precision)?);
    let options = LearnOptions {
        epochs: args.epochs,
        learning_rate: args.learning_rate,
        replay: args.replay_ratio,
        metric: args.normalize.into(),
        seed: args.seed,
        ..LearnOptions::default()
    };
    let lesson = Learner::new(model, &args.adapter, options).learn(corrections, replay, held_out)?;
    let mut out = Sink::open(None)?;
    if args.common.json {
        write_json(&mut out, &lesson)?;
    } else {
        print(&mut out, &lesson)?;
    }
    out.finish()?;
    if lesson.step.is_none() {
        status.warn(format_args!(
            "nothing was changed: the held-out lists would have more errors; give more corrections, or lower --learning-rate"
        ));
        return Ok(Outcome::Partial);
    }
    skipped.outcome(lesson.corrections)
}

fn print(out: &mut Sink, lesson: &Lesson) -> anyhow::Result<()> {
    let Lesson { step, corrections, replayed, held_out, before, after, terms } = lesson;
    writeln!(out, "corrections  {corrections} learned, {replayed} older lists repeated")?;
    writeln!(out, "held out     {held_out} lists, WER {before:.2} -> {after:.2}")?;
    match step {
        Some(number) => writeln!(out, "step         {number} kept; undo it with --undo")?,
        None => writeln!(out, "step         not kept")?,
    }
    if !terms.is_empty() {
        let terms: Vec<String> = terms.iter().map(|term| format!("{} ({})", term.text, term.count)).collect();
        writeln!(out, "for --vocabulary  {}", terms.join(", "))?;
    }
    Ok(())
}

fn undo(args: &LearnArgs) -> anyhow::Result<Outcome> {
    let number = Learner::undo(&args.adapter)?;
    let mut out = Sink::open(None)?;
    if args.common.json {
        write_json(&mut out, &json!({ "undone": number }))?;
    } else {
        writeln!(out, "step {number} is undone")?;
    }
    out.finish()?;
    Ok(Outcome::Complete)
}
