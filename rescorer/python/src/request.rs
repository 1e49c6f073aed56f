//! What is asked of lists besides their answer.

use std::time::Duration;

use pyo3::prelude::*;
use rescorer::{Request, Utterance};

use crate::error::refused;

/// How much of an answer is wanted, and when.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    text_only: bool,
    deadline: Option<Duration>,
}

impl Asked {
    /// What a call asks; `deadline` is in seconds.
    pub fn new(py: Python<'_>, text_only: bool, deadline: Option<f64>) -> PyResult<Self> {
        let limit = |seconds: f64| {
            Duration::try_from_secs_f64(seconds)
                .map_err(|_| refused(py, &format!("deadline={seconds}: give seconds, at least 0, or None")))
        };
        Ok(Self { text_only, deadline: deadline.map(limit).transpose()? })
    }

    /// The request about a list.
    pub fn about(self, list: Utterance) -> Request {
        let request = Request::from(list);
        let request = if self.text_only { request.text_only() } else { request.with_list() };
        match self.deadline {
            Some(limit) => request.deadline(limit),
            None => request,
        }
    }
}
