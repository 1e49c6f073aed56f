use std::time::Duration;

use axum::extract::Query;
use axum::http::Uri;
use serde::Deserialize;

use crate::error::ApiError;

/// What stands behind the question mark of `/v1/rescore`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Asked {
    /// The adapter of lists that name none.
    pub adapter: Option<String>,
    /// Milliseconds from a list's arrival to its answer.
    pub deadline_ms: Option<u64>,
    /// Whether answers hold the list in its new order.
    pub nbest: bool,
}

impl Asked {
    pub fn of(uri: &Uri) -> Result<Self, ApiError> {
        match Query::try_from_uri(uri) {
            Ok(Query(asked)) => Ok(asked),
            Err(error) => {
                let text = error.body_text();
                let reason = text.split_once(": ").map_or(text.as_str(), |(_, reason)| reason);
                Err(ApiError::bad_request(format!(
                    "the query: {reason}; known are adapter=NAME, deadline_ms=N and nbest=true"
                )))
            }
        }
    }

    pub fn deadline(&self) -> Option<Duration> {
        self.deadline_ms.map(Duration::from_millis)
    }
}
