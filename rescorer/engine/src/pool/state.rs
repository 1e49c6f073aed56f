use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use super::PoolStats;
use super::entry::{AdapterStatus, Entry, PooledAdapter};
use crate::error::{Error, PoolError};

/// Who waits for an adapter.
pub type Waiter = Box<dyn FnOnce(Result<PooledAdapter, Error>) + Send>;

/// What becomes of a question for an adapter.
pub enum Asked {
    /// The answer is there.
    Answered(Waiter, Result<PooledAdapter, Error>),
    /// A thread will answer.
    Waits,
    /// So will one that has to be started.
    NeedsThread,
}

/// What a thread does next.
pub enum Next {
    /// It reads an adapter.
    Read(Job),
    /// It tells those who wait for an adapter that there is none any more.
    Tell(Arc<str>, Vec<Waiter>),
    /// It ends.
    End,
}

/// An adapter that is to be read.
pub struct Job {
    pub name: Arc<str>,
    pub folder: PathBuf,
    pub generation: u64,
}

/// What is registered, what is loaded, and who waits.
#[derive(Default)]
pub struct State {
    entries: BTreeMap<Arc<str>, Entry>,
    residents: HashMap<Arc<str>, Resident>,
    /// Loaded adapters by the time of their last use.
    by_use: BTreeMap<u64, Arc<str>>,
    /// Those who wait, by the adapter that is read for them or stands in the queue.
    waiting: HashMap<Arc<str>, Vec<Waiter>>,
    queue: VecDeque<Arc<str>>,
    threads: usize,
    clock: u64,
    stats: PoolStats,
}

struct Resident {
    adapter: PooledAdapter,
    used: u64,
}

impl State {
    pub fn register(&mut self, name: String, entry: Entry) -> AdapterStatus {
        let name: Arc<str> = name.into();
        let is_pinned = self.entries.get(&name).is_some_and(|before| before.is_pinned);
        self.drop_resident(&name);
        self.clock += 1;
        let entry = Entry { generation: self.clock, is_pinned, ..entry };
        let status = entry.status(&name, false);
        self.entries.insert(name, entry);
        status
    }

    pub fn remove(&mut self, name: &str) -> bool {
        self.drop_resident(name);
        self.entries.remove(name).is_some()
    }

    pub fn pin(&mut self, name: &str, is_pinned: bool) -> bool {
        let entry = self.entries.get_mut(name);
        entry.map(|entry| entry.is_pinned = is_pinned).is_some()
    }

    /// A loaded adapter, which was used last from now on.
    pub fn resident(&mut self, name: &str) -> Option<PooledAdapter> {
        let resident = self.residents.get_mut(name)?;
        self.clock += 1;
        let name = self.by_use.remove(&std::mem::replace(&mut resident.used, self.clock));
        self.by_use.extend(name.map(|name| (self.clock, name)));
        Some(resident.adapter.clone())
    }

    pub fn ask(&mut self, name: &str, waiter: Waiter, most_threads: usize) -> Asked {
        if let Some(adapter) = self.resident(name) {
            return Asked::Answered(waiter, Ok(adapter));
        }
        let Some((name, entry)) = self.entries.get_key_value(name) else {
            return Asked::Answered(waiter, Err(PoolError::Unknown { name: name.to_owned() }.into()));
        };
        if let Some((source, stamp)) = &entry.failure
            && *stamp == entry.stamp()
        {
            let error = PoolError::Unavailable { name: name.to_string(), source: source.clone() };
            return Asked::Answered(waiter, Err(error.into()));
        }
        let name = name.clone();
        match self.waiting.get_mut(&name) {
            Some(waiters) => waiters.push(waiter),
            None => {
                self.waiting.insert(name.clone(), vec![waiter]);
                self.queue.push_back(name);
            }
        }
        if self.threads >= most_threads || self.queue.is_empty() {
            return Asked::Waits;
        }
        self.threads += 1;
        Asked::NeedsThread
    }

    /// What a thread does next.
    pub fn next(&mut self) -> Next {
        let Some(name) = self.queue.pop_front() else {
            self.threads -= 1;
            return Next::End;
        };
        match self.entries.get(&name) {
            Some(entry) => {
                Next::Read(Job { folder: entry.folder.clone(), generation: entry.generation, name })
            }
            None => {
                let waiters = self.waiting.remove(&name).unwrap_or_default();
                Next::Tell(name, waiters)
            }
        }
    }

    /// Takes in what was read, and gives back who waited for it. Where something else is registered under the name by now, that is
    /// read for them.
    pub fn finish(
        &mut self,
        job: &Job,
        loaded: Result<PooledAdapter, Arc<Error>>,
        max_bytes: u64,
    ) -> (Vec<Waiter>, Result<PooledAdapter, Arc<Error>>) {
        self.stats.loads += 1;
        self.stats.failures += u64::from(loaded.is_err());
        let entry = self.entries.get_mut(&job.name);
        match entry {
            Some(entry) if entry.generation != job.generation => {
                self.queue.push_back(job.name.clone());
                return (Vec::new(), loaded);
            }
            Some(entry) => match &loaded {
                Ok(adapter) => {
                    entry.bytes = adapter.bytes;
                    entry.fingerprint = Some(adapter.fingerprint.clone());
                    entry.policy = adapter.policy().map(str::to_owned);
                    entry.failure = None;
                    self.keep(adapter.clone(), max_bytes);
                }
                Err(error) => entry.failure = Some((error.clone(), entry.stamp())),
            },
            // Who waited gets it, though it is registered no more.
            None => {}
        }
        (self.waiting.remove(&job.name).unwrap_or_default(), loaded)
    }

    /// Makes an adapter resident, and room for it.
    fn keep(&mut self, adapter: PooledAdapter, max_bytes: u64) {
        self.clock += 1;
        let (name, used) = (adapter.name.clone(), self.clock);
        self.stats.resident_bytes += adapter.bytes;
        self.residents.insert(name.clone(), Resident { adapter, used });
        let mut over = self.stats.resident_bytes.saturating_sub(max_bytes);
        let mut leaving = Vec::new();
        for name in self.by_use.values() {
            if over == 0 {
                break;
            }
            let is_pinned = self.entries.get(name).is_some_and(|entry| entry.is_pinned);
            if let Some(resident) = self.residents.get(name).filter(|_| !is_pinned) {
                over = over.saturating_sub(resident.adapter.bytes);
                leaving.push(name.clone());
            }
        }
        self.stats.evictions += leaving.len() as u64;
        leaving.iter().for_each(|name| self.drop_resident(name));
        self.by_use.insert(used, name);
    }

    fn drop_resident(&mut self, name: &str) {
        if let Some(resident) = self.residents.remove(name) {
            self.by_use.remove(&resident.used);
            self.stats.resident_bytes -= resident.adapter.bytes;
        }
    }

    pub fn status(&self, name: &str) -> Option<AdapterStatus> {
        self.entries.get(name).map(|entry| entry.status(name, self.residents.contains_key(name)))
    }

    pub fn statuses(&self) -> Vec<AdapterStatus> {
        let status =
            |(name, entry): (&Arc<str>, &Entry)| entry.status(name, self.residents.contains_key(name));
        self.entries.iter().map(status).collect()
    }

    pub fn stats(&self) -> PoolStats {
        PoolStats { registered: self.entries.len(), resident: self.residents.len(), ..self.stats }
    }
}
