//! Adapters that are loaded when lists ask for them.

mod entry;
mod loader;
mod route;
mod state;

use std::path::Path;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use entry::{AdapterStatus, PooledAdapter};

use crate::error::{Error, PoolError};
use crate::parts::Parts;
use crate::request::Request;
use crate::rescorer::Rescorer;
use entry::Entry;
use state::{Asked, State};

/// How much a pool may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolOptions {
    /// Bytes that loaded adapters may take together; 512 MiB if nothing is said. Adapters that still answer lists count no more once
    /// others took their place.
    pub max_bytes: u64,
    /// Adapters that are read at the same time; 2 if nothing is said.
    pub loaders: usize,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self { max_bytes: 512 << 20, loaders: 2 }
    }
}

/// What a pool has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolStats {
    /// Adapters that are registered.
    pub registered: usize,
    /// Of these, the loaded ones.
    pub resident: usize,
    /// Bytes that these take.
    pub resident_bytes: u64,
    /// Adapters read so far.
    pub loads: u64,
    /// Adapters that could not be read.
    pub failures: u64,
    /// Adapters that gave way to others.
    pub evictions: u64,
}

/// Adapters for one rescorer, hundreds of them perhaps: registered by name and folder, read when a list asks for them, and
/// dropped when others need their memory, the least recently used first.
///
/// What is registered and not loaded costs its name. A clone shares everything. A list in work keeps its adapter, whatever
/// becomes of it here. An adapter's own `policy.toml` decides for its lists, else the policy of the rescorer does.
///
/// ```standalone_crate
/// # std::env::set_current_dir("../../tests/fixtures")?;
/// use rescorer::{AdapterPool, PoolOptions, Request, Rescorer};
///
/// let rescorer = Rescorer::builder("tiny-llama").build()?;
/// let pool = AdapterPool::new(&rescorer, PoolOptions::default());
/// pool.register("medical", "door/medical")?;
/// let adapter = pool.load("medical")?;
/// let answer = rescorer.rescore(Request::new(["write it down", "right it down"]).pooled(&adapter))?;
/// assert_eq!(answer.adapter(), Some("medical"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct AdapterPool {
    shared: Arc<Shared>,
}

/// What clones and loading threads share.
pub(crate) struct Shared {
    parts: Arc<Parts>,
    options: PoolOptions,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AdapterPool {
    /// The file that a folder has to have for [`AdapterPool::register`].
    pub const CONFIG_FILE: &str = rescorer_lora::LoraAdapter::CONFIG_FILE;

    /// An empty pool for a rescorer.
    pub fn new(rescorer: &Rescorer, options: PoolOptions) -> Self {
        let parts = rescorer.parts.clone();
        Self { shared: Arc::new(Shared { parts, options, state: Mutex::default() }) }
    }

    /// Registers a folder under a name, in the place of what had that name. Only its settings are read. Lists in work keep what they have.
    ///
    /// # Errors
    /// A folder without an adapter; settings that can't be read; more bytes than the pool may take.
    pub fn register(
        &self,
        name: impl Into<String>,
        folder: impl AsRef<Path>,
    ) -> Result<AdapterStatus, Error> {
        let name = name.into();
        let entry = Entry::read(&name, folder.as_ref())?;
        let allowed = self.shared.options.max_bytes;
        if entry.bytes > allowed {
            return Err(PoolError::TooLarge { name, bytes: entry.bytes, allowed }.into());
        }
        let mut state = self.shared.state();
        let status = state.register(name, entry);
        drop(state);
        Ok(status)
    }

    /// Forgets an adapter; `false` where there was none of that name. Lists in work keep it.
    pub fn remove(&self, name: &str) -> bool {
        self.shared.state().remove(name)
    }

    /// Keeps an adapter in memory once it is loaded, or lets it go again; `false` where there is none of that name.
    pub fn pin(&self, name: &str, is_pinned: bool) -> bool {
        self.shared.state().pin(name, is_pinned)
    }

    /// The adapter, if it is loaded. Counts as a use.
    pub fn resident(&self, name: &str) -> Option<PooledAdapter> {
        self.shared.state().resident(name)
    }

    /// The adapter, loaded if it has to be. Whoever asks for one that is being loaded waits for that.
    ///
    /// # Errors
    /// A name that is not registered; files that can't be read or are not for the model. After such an error the files are read again
    /// once they have changed.
    pub fn load(&self, name: &str) -> Result<PooledAdapter, Error> {
        let (sender, receiver) = mpsc::channel();
        self.load_then(name, move |loaded| _ = sender.send(loaded));
        receiver.recv().unwrap_or_else(|_| Err(PoolError::Unknown { name: name.to_owned() }.into()))
    }

    /// As [`load`](Self::load), without waiting: `then` gets the adapter, at once if it is loaded, else on a thread of the pool.
    pub fn load_then(&self, name: &str, then: impl FnOnce(Result<PooledAdapter, Error>) + Send + 'static) {
        let asked = self.shared.state().ask(name, Box::new(then), self.shared.options.loaders.max(1));
        match asked {
            Asked::Answered(then, answer) => then(answer),
            Asked::Waits => {}
            Asked::NeedsThread => {
                let shared = self.shared.clone();
                let work = move || loader::run(&shared);
                // Without a thread of its own it is loaded here.
                if std::thread::Builder::new().name("adapter loader".into()).spawn(work.clone()).is_err() {
                    work();
                }
            }
        }
    }

    /// The request with the adapter of this pool that its list names, loaded if it has to be, and with its policy. A list that names none is
    /// left as it is.
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    pub fn supply(&self, request: Request) -> Result<Request, Error> {
        match request.adapter_name() {
            Some(name) => self.load(name).map(|adapter| request.pooled(&adapter)),
            None => Ok(request),
        }
    }

    /// Whether it is a pool for this rescorer, or for a clone of it.
    pub fn is_for(&self, rescorer: &Rescorer) -> bool {
        Arc::ptr_eq(&self.shared.parts, &rescorer.parts)
    }

    /// All adapters, by name.
    pub fn adapters(&self) -> Vec<AdapterStatus> {
        self.shared.state().statuses()
    }

    /// One adapter.
    pub fn adapter(&self, name: &str) -> Option<AdapterStatus> {
        self.shared.state().status(name)
    }

    /// What the pool has done so far.
    pub fn stats(&self) -> PoolStats {
        self.shared.state().stats()
    }
}
