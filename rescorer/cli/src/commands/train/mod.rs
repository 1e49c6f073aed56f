mod policy;
mod text;

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use rescorer::fusion::{FusionKind, ModelIdentity, content_hash};
use rescorer::scoring::{History, LanguageModel, Scorer};
use rescorer::train::{Event, Progress, Recipe, Teacher, Trainer, TrainingSet};
use rescorer::{Unit, Utterance};
use rescorer_nbest::OutputFile;

use crate::lists::{self, Skipped};
use crate::model;
use crate::reference_warnings::References;
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};
use crate::train_args::TrainArgs;

/// Names of what is written into the output folder.
const LOG: &str = "log.jsonl";
const CHECKPOINT: &str = "checkpoint.safetensors";
const RECIPE: &str = "recipe.toml";
const POLICY: &str = "policy.toml";

pub fn run(args: TrainArgs) -> anyhow::Result<Outcome> {
    let status = Status::new(args.common.quiet);
    let recipe = recipe(&args)?;
    recipe.stages()?;
    let fusion = policy::fusion(args.fusion, &recipe)?;
    if recipe.data.train.is_empty() && recipe.data.text.is_empty() {
        bail!(
            "nothing to train on; give --train LISTS or --text FILES, or `train` or `text` under [data] in the recipe"
        );
    }
    let mut skipped = Skipped::allowing(args.skip_invalid, status);
    let mut held = Lists::read(&recipe, &mut skipped)?;
    let mut references = References::new(recipe.data.metric());
    held.train.iter().chain(&held.dev).for_each(|utterance| references.add(utterance));
    references.warn(status);
    std::fs::create_dir_all(&args.output)
        .with_context(|| format!("--output {}: give a folder that can be written", args.output.display()))?;
    model::set_threads(args.base.threads)?;
    let path = model::locate(&args.base.model, args.base.offline, status)?;
    let model = Arc::new(LanguageModel::load_for_training(&path, args.base.precision)?);
    let identity = ModelIdentity { name: args.base.model.clone(), fingerprint: model.fingerprint().into() };
    status.say(format_args!(
        "model {} in {} on cpu, {} threads",
        args.base.model,
        model.device().precision(),
        rayon::current_num_threads()
    ));
    if model.is_bidirectional() {
        lists::warn_of_contexts(&held.train, "an encoder", status);
        held.train.iter_mut().chain(&mut held.dev).for_each(|list| list.context = None);
    }
    let scorer = Scorer::new(model, recipe.convention)?.with_unit(recipe.data.unit);
    let mut set = match &*recipe.data.teacher {
        [] => TrainingSet::default(),
        paths => TrainingSet::with_teacher(Teacher::from_files(paths)?),
    };
    let mut seen: Vec<String> = Vec::new();
    if let Some(text) = text::open(&recipe, held.train.iter().chain(&held.dev), status)? {
        set = set.with_text(text);
    }
    for utterance in held.train {
        if skipped.pass(set.add(&scorer, &recipe, &utterance))?.is_some() {
            seen.push(content_hash(&utterance));
        }
    }
    for utterance in held.dev {
        skipped.pass(set.add_dev(&scorer, utterance))?;
    }
    if !recipe.data.train.is_empty() || set.dev_len() > 0 {
        status.say(format_args!(
            "{} lists to train on, {} for the dev {}, {} excluded",
            set.len(),
            set.dev_len(),
            recipe.data.unit.rate(),
            held.excluded
        ));
    }
    let mut trainer = Trainer::new(scorer, recipe.clone(), set)?;
    let file = |name: &str| args.output.join(name);
    if args.restart {
        remove(&file(CHECKPOINT))?;
    }
    let found = trainer.checkpoints(file(CHECKPOINT), args.checkpoint_every)?;
    write_whole(&file(RECIPE), toml::to_string(&recipe)?.as_bytes())?;
    if let Some(Progress { stage, step, steps, .. }) = &found {
        status.say(format_args!("resuming after stage {}, step {step} ({steps} steps in total)", stage + 1));
    }
    let mut watch = Watch::new(&file(LOG), found.as_ref(), &trainer, args.common.json, status)?;
    trainer.run(&mut |event| watch.tell(event))?;
    watch.finish()?;
    finish(&args, &mut trainer, fusion, identity, seen, status)?;
    skipped.outcome(trainer.progress().steps)
}

fn recipe(args: &TrainArgs) -> anyhow::Result<Recipe> {
    let mut table = toml::Table::new();
    if let Some(path) = &args.recipe {
        // What is wrong in the file is said with its line.
        Recipe::from_file(path)?;
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        table = toml::from_str(&text)?;
    }
    args.flags.apply(&mut table)?;
    Ok(Recipe::parse(&toml::to_string(&table)?)?)
}

/// The lists of a recipe, sorted into those to train on and those to watch.
struct Lists {
    train: Vec<Utterance>,
    dev: Vec<Utterance>,
    excluded: usize,
}

impl Lists {
    fn read(recipe: &Recipe, skipped: &mut Skipped) -> anyhow::Result<Self> {
        let data = &recipe.data;
        let mut read = |paths: &[PathBuf], limit: Option<usize>| -> anyhow::Result<Vec<Utterance>> {
            let mut found = lists::collect(paths, limit, skipped)?;
            let mut history = History::new(data.history);
            found.iter_mut().for_each(|list| history.add_to(list));
            Ok(found)
        };
        let excluded: HashSet<String> = read(&data.exclude, None)?.into_iter().map(|list| list.id).collect();
        let dev = read(&data.dev, None)?;
        let mut train = read(&data.train, data.limit)?;
        let before = train.len();
        train.retain(|list| !excluded.contains(&list.id));
        let excluded = before - train.len();
        let (held, train) = rescorer::fusion::hold_out(train, data.dev_share, recipe.seed);
        Ok(Self { train, dev: if data.dev.is_empty() { held } else { dev }, excluded })
    }
}

/// Writes what training was for: the adapter or the model, and a policy where there were dev lists.
fn finish(
    args: &TrainArgs,
    trainer: &mut Trainer,
    fusion: FusionKind,
    model: ModelIdentity,
    seen: Vec<String>,
    status: Status,
) -> anyhow::Result<()> {
    let mut policy_model = model;
    let mut policy_adapter = None;
    match trainer.adapter() {
        Some(adapter) => {
            adapter.write(&args.output)?;
            // What was written is what is used: read it back.
            let adapter = rescorer_lora::LoraAdapter::read(&args.output)?;
            let name =
                args.output.file_name().unwrap_or(args.output.as_os_str()).to_string_lossy().into_owned();
            policy_adapter = Some(ModelIdentity { name, fingerprint: adapter.fingerprint() });
            status.say(format_args!("adapter: {}", args.output.display()));
        }
        None => {
            let folder = args.output.join("model");
            let source = model::locate(&args.base.model, true, status)?;
            let deltas = trainer.trainable().deltas();
            let head = trainer.trainable().head();
            let add = |site, weight: &mut Vec<f32>| -> Result<(), rescorer_models::Error> {
                let delta = deltas.get(&site).into_iter().flatten();
                weight.iter_mut().zip(delta).for_each(|(weight, delta)| *weight += delta);
                Ok(())
            };
            LanguageModel::export_with_head(&source, &folder, head.as_ref(), add)?;
            let written =
                LanguageModel::load(&folder, rescorer::DeviceRequest::Cpu, rescorer::Precision::F32)?;
            let fingerprint = written.fingerprint().to_string();
            policy_model = ModelIdentity { name: folder.display().to_string(), fingerprint };
            status.say(format_args!("model: {}", folder.display()));
        }
    }
    if let Some(policy) = policy::tuned(trainer, fusion, policy_model, policy_adapter, seen)? {
        if fusion == FusionKind::Classic && args.fusion.is_none() {
            status
                .say("the policy is classic: the scores of the recipe are means, and weights of features are for sums");
        }
        let path = args.output.join(POLICY);
        write_whole(&path, policy.to_toml()?.as_bytes())?;
        status.say(format_args!(
            "policy: {} (dev {} {:.2} -> {:.2})",
            path.display(),
            policy.unit.rate(),
            policy.tuned_on.first_pass_wer,
            policy.tuned_on.rescored_wer
        ));
    } else {
        let folder = args.output.display();
        status.say(format_args!(
            "policy: the default policy, since there are no dev lists; with some, `rescorer tune LISTS --adapter {folder} --output \
             {folder}/policy.toml` finds a better one"
        ));
    }
    Ok(())
}

fn remove(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| path.display().to_string())
        }
        _ => Ok(()),
    }
}

fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = OutputFile::create(path)?;
    file.write_all(bytes).with_context(|| path.display().to_string())?;
    Ok(file.commit()?)
}

/// The log, the bar and, with --json, stdout.
struct Watch {
    log: BufWriter<File>,
    out: Option<Sink>,
    bar: ProgressBar,
    status: Status,
    unit: Unit,
    loss: Option<f64>,
    dev: Option<f64>,
    tokens: usize,
    seconds: f64,
}

impl Watch {
    /// A log that goes on where the checkpoint was written: lines of steps after it are dropped.
    fn new(
        path: &Path,
        found: Option<&Progress>,
        trainer: &Trainer,
        json: bool,
        status: Status,
    ) -> anyhow::Result<Self> {
        let kept = match found {
            Some(progress) => kept_lines(path, progress)?,
            None => String::new(),
        };
        write_whole(path, kept.as_bytes())?;
        let file = OpenOptions::new().append(true).open(path).with_context(|| path.display().to_string())?;
        let total = (0..trainer.stages().len()).map(|stage| trainer.total_steps(stage)).sum::<usize>();
        let bar = status.steps(total as u64);
        bar.set_position(trainer.progress().steps as u64);
        let out = json.then(|| Sink::open(None)).transpose()?;
        let log = BufWriter::new(file);
        let unit = trainer.recipe().data.unit;
        Ok(Self { log, out, bar, status, unit, loss: None, dev: None, tokens: 0, seconds: 0.0 })
    }

    fn tell(&mut self, event: &Event) -> Result<(), rescorer::Error> {
        self.show(event);
        self.write(event)
            .map_err(|e| rescorer::Error::Checkpoint { path: LOG.into(), reason: format!("{e:#}") })
    }

    fn write(&mut self, event: &Event) -> anyhow::Result<()> {
        // At once: no checkpoint may be ahead of the log.
        write_json(&mut self.log, event)?;
        self.log.flush()?;
        if let Some(out) = &mut self.out {
            write_json(out, event)?;
            out.flush()?;
        }
        Ok(())
    }

    fn show(&mut self, event: &Event) {
        match event {
            Event::Stage { stage, steps, lists, single, equal, parameters } => {
                self.loss = None;
                self.status.say(format_args!(
                    "stage {stage}: {steps} steps over {lists} lists, {parameters} parameters"
                ));
                if single + equal > 0 {
                    self.status.say(format_args!(
                        "  skipped: {single} lists of one distinct hypothesis, {equal} of equally good ones"
                    ));
                }
            }
            Event::Step(step) => {
                let smoothed = self.loss.map_or(step.loss, |loss| 0.95 * loss + 0.05 * step.loss);
                self.loss = Some(smoothed);
                self.tokens += step.tokens;
                self.seconds += step.seconds;
                let dev =
                    self.dev.map_or(String::new(), |wer| format!(", dev {} {wer:.2}", self.unit.rate()));
                let speed = self.tokens as f64 / self.seconds.max(1e-9);
                self.bar.set_message(format!("loss {smoothed:.4}{dev}, {speed:.0} tokens/s"));
                self.bar.inc(1);
            }
            Event::Dev(dev) => {
                self.dev = Some(dev.rescored_wer);
                self.status.say(format_args!(
                    "stage {}, step {}: dev {} {:.2} -> {:.2}{}",
                    dev.stage,
                    dev.step,
                    self.unit.rate(),
                    dev.first_pass_wer,
                    dev.rescored_wer,
                    if dev.is_best { ", the lowest so far" } else { "" }
                ));
            }
            Event::Checkpoint { .. } => {}
        }
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.log.flush()?;
        self.bar.finish_and_clear();
        match self.out {
            Some(out) => out.finish(),
            None => Ok(()),
        }
    }
}

/// The lines of a log up to a checkpoint.
fn kept_lines(path: &Path, progress: &Progress) -> anyhow::Result<String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
        Err(e) => return Err(e).with_context(|| path.display().to_string()),
    };
    let reached = |line: &&str| {
        // A line that was broken off with the process.
        let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else { return false };
        let number = |key: &str| line[key].as_u64().unwrap_or(0) as usize;
        let is_stage = line["event"] == "stage";
        let (stage, step) = (number("stage"), if is_stage { 0 } else { number("step") });
        let is_later_stage = is_stage && stage == progress.stage + 1 && progress.step == 0;
        !is_later_stage && (stage, step) <= (progress.stage + 1, progress.step)
    };
    Ok(text.lines().take_while(reached).map(|line| format!("{line}\n")).collect())
}
