use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rescorer_perturb::{Audio, AudioPerturbation, AudioReport, Noise};
use serde::Serialize;

use crate::perturb_args::{NoiseKind, PerturbAudioArgs};
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};

#[derive(Serialize)]
struct Row<'a> {
    file: &'a Path,
    output: &'a Path,
    #[serde(flatten)]
    report: AudioReport,
}

pub fn run(args: PerturbAudioArgs) -> anyhow::Result<Outcome> {
    let status = Status::new(args.common.quiet);
    if args.noise.is_none() && args.speed.is_none() && args.clip.is_none() {
        bail!("nothing to do: give --noise with --snr, --speed or --clip");
    }
    let outputs = outputs(&args)?;
    let noise = args.noise.map(|kind| noise(kind, &args.noise_from, status)).transpose()?;
    let perturbation =
        AudioPerturbation { speed: args.speed, noise: noise.zip(args.snr), clip: args.clip, seed: args.seed };
    std::fs::create_dir_all(&args.output)
        .with_context(|| format!("--output {}: give a folder that can be written", args.output.display()))?;
    let mut out = Sink::open(None)?;
    let (mut done, mut skipped, mut seconds) = (0, 0, 0.0);
    for (file, output) in args.files.iter().zip(&outputs) {
        let report = match one(file, output, &perturbation, status) {
            Ok(report) => report,
            Err(error) if args.skip_invalid => {
                status.warn(format_args!("skipped: {error}"));
                skipped += 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        done += 1;
        seconds += report.seconds;
        if report.gain_db < 0.0 {
            let db = -report.gain_db;
            status.say(format_args!("{}: turned down by {db:.1} dB to avoid clipping", file.display()));
        }
        if args.common.json {
            write_json(&mut out, &Row { file, output, report })?;
        } else {
            writeln!(out, "{}", output.display())?;
        }
    }
    out.finish()?;
    status.say(format_args!("{done} files, {seconds:.1} s of audio"));
    if done == 0 {
        bail!("nothing usable: {skipped} of {skipped} files were skipped; fix them");
    }
    Ok(if skipped > 0 { Outcome::Partial } else { Outcome::Complete })
}

/// What is drawn depends on the name of a file, not on the folder that it lies in.
fn one(
    file: &Path,
    output: &Path,
    perturbation: &AudioPerturbation,
    status: Status,
) -> Result<AudioReport, rescorer_perturb::Error> {
    let audio = read(file, status)?;
    if let Some(stored) = audio.stored_as() {
        let (file, format) = (file.display(), audio.format());
        status.say(format_args!("{file}: {stored} is written as {format}"));
    }
    let name = output.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let (audio, report) = perturbation.apply(&name, &audio)?;
    audio.write(output)?;
    Ok(report)
}

/// A recording; what was odd about its file is said.
fn read(file: &Path, status: Status) -> Result<Audio, rescorer_perturb::Error> {
    let audio = Audio::read(file)?;
    for remark in audio.remarks() {
        status.warn(format_args!("{}: {remark}", file.display()));
    }
    Ok(audio)
}

/// Where each file goes. Nothing may be written twice, nor over what is read.
fn outputs(args: &PerturbAudioArgs) -> anyhow::Result<Vec<PathBuf>> {
    let mut seen = HashSet::new();
    let mut outputs = Vec::new();
    for file in &args.files {
        let name = file.file_name().with_context(|| format!("{}: not the name of a file", file.display()))?;
        if !seen.insert(name) {
            bail!(
                "{}: another file has the same name; process one of them in a separate run",
                file.display()
            );
        }
        let output = args.output.join(name);
        if output.exists() && file.canonicalize().ok() == output.canonicalize().ok() {
            bail!("{}: would be overwritten; give another folder with --output", file.display());
        }
        outputs.push(output);
    }
    Ok(outputs)
}

fn noise(kind: NoiseKind, files: &[PathBuf], status: Status) -> anyhow::Result<Noise> {
    let mut recordings = files.iter().map(|file| read(file, status)).collect::<Result<Vec<_>, _>>()?;
    Ok(match (kind, recordings.len()) {
        (NoiseKind::White, 0) => Noise::White,
        (NoiseKind::White, _) => bail!("--noise white needs no recordings; leave out --noise-from"),
        (NoiseKind::Babble, 0) => bail!("--noise babble: give recordings of voices with --noise-from"),
        (NoiseKind::Babble, _) => Noise::Babble(recordings),
        (NoiseKind::Recorded, 1) => Noise::Recorded(recordings.remove(0)),
        (NoiseKind::Recorded, count) => {
            bail!("--noise recorded: give one recording with --noise-from, not {count}")
        }
    })
}
