//! Lists as they come, several in a forward pass.

use std::collections::VecDeque;
use std::sync::Arc;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyIterator;
use rescorer::Request;

use crate::error::{Way, raised};
use crate::notices::Listened;
use crate::request::Asked;
use crate::result::ListResult;
use crate::{list, threads};

/// Who hears what is worth a look in the lists.
pub struct Told {
    pub listened: Arc<Listened>,
    /// Whether the lists are one of several batches; what is said of all of them then waits for more.
    pub batch: bool,
}

/// Results in the order of the lists. It holds a window of lists, never all of them.
#[pyclass(module = "rescorer._rescorer")]
pub struct Answers {
    rescorer: rescorer::Rescorer,
    lists: Py<PyIterator>,
    window: usize,
    /// Whether what is wrong with one list takes the place of its result.
    return_exceptions: bool,
    /// What names begin with where lists have none.
    prefix: String,
    told: Told,
    asked: Asked,
    /// Lists read so far.
    read: usize,
    ready: VecDeque<PyResult<Py<PyAny>>>,
    finished: bool,
}

#[pymethods]
impl Answers {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        threads::check(py)?;
        while self.ready.is_empty() && !self.finished {
            self.fill(py)?;
        }
        match self.ready.pop_front() {
            Some(Err(error)) => {
                // Like a generator: what has raised is over.
                self.finished = true;
                self.ready.clear();
                Err(error)
            }
            ready => ready.transpose(),
        }
    }
}

impl Answers {
    /// Answers of `lists`.
    pub fn new(
        rescorer: rescorer::Rescorer,
        lists: Py<PyIterator>,
        window: usize,
        return_exceptions: bool,
        prefix: String,
        told: Told,
        asked: Asked,
    ) -> Self {
        let ready = VecDeque::new();
        Self {
            rescorer,
            lists,
            window,
            return_exceptions,
            prefix,
            told,
            asked,
            read: 0,
            ready,
            finished: false,
        }
    }

    /// Reads a window of lists and answers them. Those before a list that is in error are answered first.
    ///
    /// The library could read the lists itself, through an iterator that takes the interpreter for each. It reads as many as fill a
    /// forward pass, though, and `window` is a promise how many are read ahead; warnings and what the caller's own iterator raises
    /// have to come out before the forward pass, an interrupt at once.
    fn fill(&mut self, py: Python<'_>) -> PyResult<()> {
        py.check_signals()?;
        // A list, or what is wrong with it.
        let mut slots: Vec<Option<PyErr>> = Vec::new();
        let mut requests: Vec<Request> = Vec::new();
        let mut raised_by_caller = None;
        let mut input = self.lists.bind(py).clone();
        while slots.len() < self.window {
            let Some(next) = input.next() else {
                self.finished = true;
                break;
            };
            let name = format!("{}:{}", self.prefix, self.read);
            self.read += 1;
            let list = match next {
                Ok(list) => list,
                Err(error) if error.is_instance_of::<PyException>(py) => {
                    raised_by_caller = Some(error);
                    self.finished = true;
                    break;
                }
                // An interrupt does not wait for a forward pass.
                Err(error) => return Err(error),
            };
            let list = list::utterance(&list, None, &name, Way::ReturnExceptions, &self.told.listened);
            let request = list.and_then(|list| {
                self.asked.about(py, list).map_err(|error| raised(py, &error, Way::ReturnExceptions))
            });
            match request {
                Ok(request) => {
                    requests.push(request);
                    slots.push(None);
                }
                Err(error) => {
                    slots.push(Some(error));
                    if !self.return_exceptions {
                        break;
                    }
                }
            }
        }
        self.warn(py)?;
        let mut answers = self.answer(py, requests).into_iter();
        for slot in slots {
            let answer = match slot {
                None => answers.next().unwrap_or_else(|| {
                    Err(pyo3::exceptions::PyRuntimeError::new_err(
                        "a list without an answer; please report it",
                    ))
                }),
                Some(error) if self.return_exceptions => Ok(error.into_value(py).into_any()),
                Some(error) => Err(error),
            };
            self.ready.push_back(answer);
        }
        self.ready.extend(raised_by_caller.map(Err));
        Ok(())
    }

    /// Warns of what was found in the lists so far.
    fn warn(&self, py: Python<'_>) -> PyResult<()> {
        let Told { listened, batch } = &self.told;
        if self.finished && !batch {
            listened.end();
        }
        // From a batch the call goes through two functions of the package.
        listened.warn(py, if *batch { 3 } else { 1 })
    }

    /// One answer for every list, up to the one at which the model fails.
    fn answer(&self, py: Python<'_>, requests: Vec<Request>) -> Vec<PyResult<Py<PyAny>>> {
        let rescorer = &self.rescorer;
        let answered: Vec<Result<ListResult, rescorer::Error>> =
            py.detach(|| rescorer.rescore_many(requests).map(|answer| answer.map(ListResult::new)).collect());
        let python = |answer: Result<ListResult, rescorer::Error>| match answer {
            Ok(result) => Py::new(py, result).map(Py::into_any),
            Err(error) => {
                let recoverable = error.is_recoverable();
                let error = raised(py, &error, Way::ReturnExceptions);
                if recoverable && self.return_exceptions {
                    Ok(error.into_value(py).into_any())
                } else {
                    Err(error)
                }
            }
        };
        answered.into_iter().map(python).collect()
    }
}
