use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rescorer::{Error, ErrorKind};
use serde_json::{Value, json};

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// An address that others can reach, and nothing that keeps them out.
    #[error("{listen} can be reached from other machines; give a token, or listen on 127.0.0.1")]
    NoToken {
        /// The address.
        listen: SocketAddr,
    },

    /// An address that can't be listened on.
    #[error("can't listen on {listen}: {source}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// The reason.
        source: std::io::Error,
    },

    /// A certificate or a key that TLS can't be spoken with.
    #[error("{}: {reason}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },

    /// A folder of adapters that can't be read.
    #[error("can't read the folder of adapters {}: {source}", path.display())]
    Adapters {
        /// The folder.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },

    /// A recogniser that is not there, or does not work.
    #[error(transparent)]
    Recogniser(#[from] rescorer_first_pass::Error),

    /// A thread or a runtime that can't be started.
    #[error("can't start: {0}")]
    Start(#[from] std::io::Error),

    /// The rescorer can't do what is asked for.
    #[error(transparent)]
    Rescorer(#[from] Error),
}

/// A request that gets no answer: a status, and JSON with the kind, the message and the remedy.
#[derive(Debug)]
pub struct ApiError {
    pub status: StatusCode,
    pub kind: &'static str,
    pub message: String,
    /// For a full queue: when to come again.
    pub retry_after: Option<Duration>,
}

impl ApiError {
    pub fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into(), retry_after: None }
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "request", message)
    }

    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "request", message)
    }

    pub fn busy(retry_after: Duration) -> Self {
        let message = "too many lists wait for the model; come again after the seconds in Retry-After";
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", message) }
    }

    pub fn stopping() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the server stops; ask another one")
    }

    /// `{"error": {"kind": ..., "message": ...}}`
    pub fn body(&self) -> Value {
        let mut error = json!({ "kind": self.kind, "message": self.message });
        if let (Some(after), Some(error)) = (self.retry_after, error.as_object_mut()) {
            error.insert("retry_after".into(), after.as_secs().max(1).into());
        }
        json!({ "error": error })
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let (status, kind) = match error.kind() {
            ErrorKind::List => (StatusCode::UNPROCESSABLE_ENTITY, "list"),
            ErrorKind::Adapter if matches!(error, Error::UnknownAdapter { .. }) => {
                (StatusCode::NOT_FOUND, "adapter")
            }
            ErrorKind::Adapter => match &error {
                Error::Pool(rescorer::PoolError::Unknown { .. }) => (StatusCode::NOT_FOUND, "adapter"),
                _ => (StatusCode::UNPROCESSABLE_ENTITY, "adapter"),
            },
            ErrorKind::Policy => (StatusCode::UNPROCESSABLE_ENTITY, "policy"),
            ErrorKind::Settings => (StatusCode::UNPROCESSABLE_ENTITY, "settings"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "model"),
        };
        Self::new(status, kind, error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        if let Some(after) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, after.as_secs().max(1).into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
