//! The folder of an adapter that learns: what every step changed, and how it was before.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rescorer_lora::LoraAdapter;
use rescorer_nbest::{JsonlWriter, OutputFile, ReadOptions, Readers, Utterance};

use crate::error::Error;
use crate::fusion::content_hash::content_hash;
use crate::fusion::model_identity::ModelIdentity;
use crate::fusion::policy::Policy;

/// Folder of the steps; each has a number for a name.
const STEPS: &str = "learned";
/// In the folder of a step: its corrections, the files before it, and those that still have to take their place.
const CORRECTIONS: &str = "corrections.jsonl";
const BEFORE: &str = "before";
const AFTER: &str = "after";
/// What a step may change.
const FILES: [&str; 3] = [LoraAdapter::WEIGHTS_FILE, LoraAdapter::CONFIG_FILE, POLICY];
const POLICY: &str = "policy.toml";

/// The folder of an adapter.
pub struct LearningFolder {
    folder: PathBuf,
    /// Numbers of the steps, in their order.
    steps: Vec<usize>,
}

impl LearningFolder {
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(STEPS);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { folder: folder.into(), steps: Vec::new() });
            }
            Err(e) => return Err(failed(&path, e)),
        };
        let mut steps = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| failed(&path, e))?;
            // What was broken off has another name.
            steps.extend(entry.file_name().to_str().and_then(|name| name.parse::<usize>().ok()));
        }
        steps.sort_unstable();
        let found = Self { folder: folder.into(), steps };
        if let Some(&last) = found.steps.last() {
            found.take_place(last)?;
        }
        Ok(found)
    }

    fn step(&self, number: usize) -> PathBuf {
        self.folder.join(STEPS).join(format!("{number:04}"))
    }

    /// The corrections of all steps that were kept.
    pub fn corrections(&self) -> Result<Vec<Utterance>, Error> {
        let mut lists = Vec::new();
        for &number in &self.steps {
            // Ids may occur in several steps.
            let found = Readers::new([self.step(number).join(CORRECTIONS)], &ReadOptions::default())?;
            for list in found {
                lists.push(list?);
            }
        }
        Ok(lists)
    }

    pub fn adapter(&self) -> Result<Option<LoraAdapter>, Error> {
        super::adapter_in(&self.folder)
    }

    pub fn policy(&self) -> Result<Option<Policy>, Error> {
        let path = self.folder.join(POLICY);
        path.exists().then(|| Policy::read(&path)).transpose()
    }

    /// Takes an adapter over, after what it was has been put aside. Returns the number of the step.
    pub fn keep(
        &self,
        adapter: &LoraAdapter,
        policy: Option<Policy>,
        corrections: &[Utterance],
        taught: &[Utterance],
    ) -> Result<usize, Error> {
        let number = self.steps.last().map_or(1, |last| last + 1);
        let aside = self.folder.join(STEPS).join(format!("{number:04}.part"));
        remove(&aside)?;
        let before = aside.join(BEFORE);
        fs::create_dir_all(&before).map_err(|e| failed(&before, e))?;
        for name in FILES {
            copy(&self.folder.join(name), &before.join(name))?;
        }
        write_lists(&aside.join(CORRECTIONS), corrections)?;
        let after = aside.join(AFTER);
        adapter.write(&after)?;
        if let Some(mut policy) = policy {
            let name = policy.adapter.map_or_else(|| self.name(), |adapter| adapter.name);
            policy.adapter =
                Some(ModelIdentity { name, fingerprint: LoraAdapter::read(&after)?.fingerprint() });
            policy.tuned_on.hashes.extend(taught.iter().map(content_hash));
            policy.tuned_on.hashes.sort();
            policy.tuned_on.hashes.dedup();
            policy.write(after.join(POLICY))?;
        }
        let step = self.step(number);
        fs::rename(&aside, &step).map_err(|e| failed(&step, e))?;
        // From here on the step is kept and can be undone, whatever breaks off.
        self.take_place(number)?;
        Ok(number)
    }

    /// Moves the files of a step to where the adapter is: those that a step which was broken off has not moved yet.
    fn take_place(&self, number: usize) -> Result<(), Error> {
        let after = self.step(number).join(AFTER);
        if !after.exists() {
            return Ok(());
        }
        for name in FILES {
            match fs::rename(after.join(name), self.folder.join(name)) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    return Err(failed(&self.folder.join(name), e));
                }
                _ => {}
            }
        }
        remove(&after)
    }

    fn name(&self) -> String {
        self.folder.file_name().unwrap_or(self.folder.as_os_str()).to_string_lossy().into_owned()
    }

    /// Brings back what was before the last step.
    pub fn undo(&self) -> Result<usize, Error> {
        let Some(&number) = self.steps.last() else {
            let reason = format!("{}: no step is left to undo", self.folder.display());
            return Err(Error::Corrections { reason });
        };
        let before = self.step(number).join(BEFORE);
        for name in FILES {
            let (kept, now) = (before.join(name), self.folder.join(name));
            if kept.exists() { copy(&kept, &now)? } else { remove(&now)? }
        }
        remove(&self.step(number))?;
        Ok(number)
    }
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::Corrections { reason: format!("{}: {error}", path.display()) }
}

/// Copies a file, which appears whole; one that is not there is passed over.
fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let bytes = match fs::read(from) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(failed(from, e)),
    };
    let mut file = OutputFile::create(to)?;
    file.write_all(&bytes).map_err(|e| failed(to, e))?;
    Ok(file.commit()?)
}

/// Removes a file or a folder, if it is there.
fn remove(path: &Path) -> Result<(), Error> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed(path, e)),
        _ => Ok(()),
    }
}

fn write_lists(path: &Path, lists: &[Utterance]) -> Result<(), Error> {
    let mut writer = JsonlWriter::new(path.display().to_string(), OutputFile::create(path)?);
    for list in lists {
        writer.write(list)?;
    }
    Ok(writer.finish()?.commit()?)
}
