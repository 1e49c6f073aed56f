mod output;

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rescorer::scoring::History;
use rescorer::{DecisionRule, Request, Rescorer};
use rescorer_first_pass::{Piece, Speech, transcribe};

use crate::lists::Skipped;
use crate::model;
use crate::routing;
use crate::status::{Outcome, Status};
use crate::transcribe_args::TranscribeArgs;
use output::{Lists, Output};

pub fn run(args: TranscribeArgs) -> anyhow::Result<Outcome> {
    let status = Status::new(args.scoring.common.quiet);
    check_files(&args)?;
    if args.output.is_some() && args.output == args.nbest_output {
        bail!("--output and --nbest-output name the same file; give two different files");
    }
    let output = Output::open(&args)?;
    let lists = args.nbest_output.as_deref().map(Lists::open).transpose()?;
    let deciding = model::deciding(&args.choice, &args.scoring, status)?;
    let mut first_pass = args.recogniser.first_pass.open(&args.recogniser.options(&args.scoring.model))?;
    status.say(format_args!("first pass {}", first_pass.name()));
    let rescorer = model::build_deciding(deciding, &args.scoring.model, status)?;
    let skipped = Skipped::allowing(args.skip_invalid, status);
    let (context, history) = (args.scoring.context.clone(), History::new(args.scoring.history));
    let routes = routing::is_asked_for(&args.scoring.model);
    let mut second_pass = Pieces {
        rescorer,
        context,
        history,
        routes,
        output,
        lists,
        skipped,
        tally: Tally::default(),
        status,
    };
    for file in &args.files {
        let Some(speech) = second_pass.usable(Speech::read(file))? else { continue };
        for remark in speech.remarks() {
            status.warn(format_args!("{}: {remark}", file.display()));
        }
        // The iterator recognises a piece when it is asked for it.
        let mut pieces = transcribe(first_pass.as_mut(), &speech, args.recogniser.max_segment);
        loop {
            let started = Instant::now();
            let Some(piece) = pieces.next() else { break };
            second_pass.tally.first_pass += started.elapsed();
            if let Some(piece) = second_pass.usable(piece)? {
                second_pass.answer(file, piece)?;
            }
        }
    }
    second_pass.finish(first_pass.name())
}

/// Pieces get their names from the names of the files, so these have to differ. That a file is missing is said before anything
/// is loaded.
fn check_files(args: &TranscribeArgs) -> anyhow::Result<()> {
    let mut seen = HashSet::new();
    for file in &args.files {
        let name = file.file_stem().with_context(|| format!("{}: not the name of a file", file.display()))?;
        if !seen.insert(name) {
            bail!(
                "{}: another file has the same name, and segments are named after it; transcribe one of them in a separate run",
                file.display()
            );
        }
        if !args.skip_invalid && !file.exists() {
            bail!("{}: no such file; check the path", file.display());
        }
    }
    Ok(())
}

/// What becomes of the pieces that were recognised.
struct Pieces {
    rescorer: Rescorer,
    /// What the model reads before every piece.
    context: Option<String>,
    /// What was said before it in its recording.
    history: History,
    /// Whether adapters are chosen: the pieces of a recording are a conversation then.
    routes: bool,
    output: Output,
    lists: Option<Lists>,
    skipped: Skipped,
    tally: Tally,
    status: Status,
}

impl Pieces {
    /// What the first pass gave; `None` where that was an error and may be skipped.
    fn usable<T>(&mut self, result: Result<T, rescorer_first_pass::Error>) -> anyhow::Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_recoverable() => Ok(self.skipped.pass_recoverable(Err(error))?),
            Err(error) => Err(error.into()),
        }
    }

    fn answer(&mut self, file: &Path, piece: Piece) -> anyhow::Result<()> {
        let Piece { mut utterance, seconds, heard } = piece;
        self.history.add_within(&file.to_string_lossy(), &mut utterance);
        utterance.context = utterance.context.or_else(|| self.context.clone());
        self.tally.sound += seconds.end - seconds.start;
        if !heard {
            self.status.warn(format_args!(
                "{} ({:.2} to {:.2} s): no speech found; the text is empty",
                utterance.id, seconds.start, seconds.end
            ));
        }
        let started = Instant::now();
        let request = Request::from(utterance);
        let request = match self.rescorer.rule() {
            Some(DecisionRule::Maximum) => request.text_only(),
            _ => request,
        };
        let request = match file.file_stem().filter(|_| self.routes) {
            Some(name) => request.conversation(name.to_string_lossy()),
            None => request,
        };
        let answer = self.rescorer.rescore(request);
        self.tally.second_pass += started.elapsed();
        let Some(answer) = self.skipped.pass(answer)? else { return Ok(()) };
        let Some(()) = self.skipped.pass(self.output.write(file, &seconds, &answer)?)? else {
            return Ok(());
        };
        if let Some(lists) = &mut self.lists {
            lists.write(answer.utterance())?;
        }
        self.tally.pieces += 1;
        self.tally.changed += usize::from(answer.changed());
        Ok(())
    }

    fn finish(self, first_pass: &str) -> anyhow::Result<Outcome> {
        // Where nothing was done, no file is put in place.
        let outcome = self.skipped.outcome(self.tally.pieces)?;
        self.output.finish()?;
        self.lists.map_or(Ok(()), Lists::finish)?;
        self.tally.say(first_pass, self.status);
        Ok(outcome)
    }
}

/// What was done, and how long it took.
#[derive(Default)]
struct Tally {
    pieces: usize,
    changed: usize,
    /// Seconds.
    sound: f64,
    first_pass: Duration,
    second_pass: Duration,
}

impl Tally {
    fn say(&self, first_pass: &str, status: Status) {
        let Self { pieces, changed, sound, .. } = self;
        let of = |time: Duration| {
            let seconds = time.as_secs_f64();
            format!("{seconds:.2} s, RTF {:.3}", seconds / sound.max(f64::MIN_POSITIVE))
        };
        status.say(format_args!("{pieces} segments, {sound:.1} s of audio, {changed} changed"));
        status.say(format_args!("first pass {first_pass}: {}", of(self.first_pass)));
        status.say(format_args!("second pass: {}", of(self.second_pass)));
    }
}
