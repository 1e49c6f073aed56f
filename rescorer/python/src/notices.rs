//! What is no error in lists but worth a look, as Python warnings.

use std::ffi::CString;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use rescorer::Utterance;
use rescorer_nbest::{Notice, Objects, ReadOptions};
use serde_json::{Map, Value};

use crate::error::warning_class;

/// Reads lists, and collects what is to be said of them: each kind once.
pub struct Listened {
    objects: Mutex<Objects>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Listened {
    /// Of new lists, which messages call `name`.
    pub fn new(name: &str) -> Self {
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let listener = said.clone();
        let listener = move |notice: &Notice| lock(&listener).push(format!("{notice}{}", remedy(notice)));
        let options = ReadOptions::default().with_notices(Arc::new(listener));
        Self { objects: Mutex::new(Objects::new(name, &options)), said }
    }

    /// The utterance that an object holds.
    pub fn read(&self, object: Map<String, Value>, id: &str) -> Result<Utterance, rescorer_nbest::Error> {
        lock(&self.objects).read(object, id)
    }

    /// Judges what was read, where no more lists come.
    pub fn end(&self) {
        lock(&self.objects).end();
    }

    /// Warns of what was found since this was last called. `level` says how many frames of Python above this call the lists were
    /// given.
    pub fn warn(&self, py: Python<'_>, level: i32) -> PyResult<()> {
        let said = std::mem::take(&mut *lock(&self.said));
        for message in said {
            let message = CString::new(message.replace('\0', "\u{fffd}"))?;
            PyErr::warn(py, &warning_class(py)?, &message, level)?;
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What helps, in words of Python.
fn remedy(notice: &Notice) -> String {
    match notice {
        Notice::UnusedNumber { field, .. } => {
            format!("; if `{field}` is the score, give it as `score`, or as `cost` if lower is better")
        }
        Notice::RisingScores { .. } => "; if they are costs, negate them, or give them as `cost`".to_owned(),
        _ => String::new(),
    }
}
