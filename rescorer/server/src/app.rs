//! What all requests share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use rescorer::{AdapterPool, Rescorer};
use tokio::sync::{Semaphore, watch};
use tracing::{info, warn};

use crate::adapters;
use crate::auth::{self, Tokens};
use crate::error::{ApiError, ServerError};
use crate::metrics::Metrics;
use crate::options::{ColdStart, Limits, ServerOptions};
use crate::pages;
use crate::recogniser::Recogniser;
use crate::rescore;
use crate::scheduler::Scheduler;
use crate::{stream, transcriptions};

/// A handle on what all requests share.
#[derive(Clone)]
pub struct App(Arc<Shared>);

pub struct Shared {
    pub scheduler: Scheduler,
    /// The adapters that lists may name; `None` where no folder of adapters was given, and a field `adapter` means what it means to the
    /// rescorer.
    pub adapters: Option<Adapters>,
    /// What recognises recordings, if anything does.
    pub recogniser: Option<Recogniser>,
    /// Places for recordings.
    pub recordings: Semaphore,
    pub metrics: Arc<Metrics>,
    pub limits: Limits,
    pub cold: ColdStart,
    pub tokens: Tokens,
    /// Bytes of all bodies that are being read.
    pub buffered: AtomicUsize,
    stopping: watch::Sender<bool>,
}

/// A pool, and the folder that its adapters come from.
pub struct Adapters {
    pub pool: AdapterPool,
    pub root: PathBuf,
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// Starts the scheduler and registers the adapters.
    pub fn start(rescorer: Rescorer, options: &ServerOptions) -> Result<Self, ServerError> {
        let adapters = options.adapters.as_ref().map(|root| {
            let pool = AdapterPool::new(&rescorer, options.pool);
            register_all(&pool, root).map(|()| Adapters { pool, root: root.clone() })
        });
        let recogniser = options.recogniser.clone().map(Recogniser::start).transpose()?;
        let metrics = Arc::new(Metrics::default());
        let scheduler = Scheduler::start(rescorer, options, metrics.clone())?;
        Ok(Self(Arc::new(Shared {
            scheduler,
            adapters: adapters.transpose()?,
            recogniser,
            recordings: Semaphore::new(options.limits.recordings),
            metrics,
            limits: options.limits.clone(),
            cold: options.cold,
            tokens: Tokens::new(&options.tokens),
            buffered: AtomicUsize::new(0),
            stopping: watch::Sender::new(false),
        })))
    }

    /// Says that the server stops, so that nobody sends it more.
    pub fn stop_accepting(&self) {
        self.stopping.send_replace(true);
    }

    /// Done when the server stops.
    pub async fn stops(&self) {
        // The sender lives in `self`, so there is no error.
        let _ = self.stopping.subscribe().wait_for(|stops| *stops).await;
    }

    /// What answers each path.
    pub fn router(&self) -> Router {
        let guarded = Router::new()
            .route("/v1/rescore", post(rescore::post))
            .route("/v1/stream", any(stream::get))
            .route("/v1/audio/transcriptions", post(transcriptions::post))
            .route("/v1/adapters", get(adapters::list))
            .route("/v1/adapters/{name}", get(adapters::get).put(adapters::put).delete(adapters::delete))
            .route("/metrics", get(metrics))
            .layer(axum::middleware::from_fn_with_state(self.clone(), auth::check));
        Router::new()
            .route("/", get(pages::page))
            .route("/openapi.json", get(pages::openapi))
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .merge(guarded)
            .fallback(|| async {
                ApiError::new(
                    StatusCode::NOT_FOUND,
                    "request",
                    "there is nothing at this path; lists go to POST /v1/rescore",
                )
            })
            .method_not_allowed_fallback(|| async {
                ApiError::new(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "request",
                    "this path has another method; lists go to POST /v1/rescore",
                )
            })
            .with_state(self.clone())
    }
}

async fn ready(State(app): State<App>) -> Result<&'static str, ApiError> {
    match *app.stopping.borrow() {
        true => Err(ApiError::stopping()),
        false => Ok("ready\n"),
    }
}

async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let pool = app.adapters.as_ref().map(|adapters| adapters.pool.stats());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.text(pool))
}

/// Registers each folder of a folder that holds an adapter. One that can't be registered is said, and the others are.
fn register_all(pool: &AdapterPool, root: &std::path::Path) -> Result<(), ServerError> {
    let failed = |source| ServerError::Adapters { path: root.to_owned(), source };
    for entry in std::fs::read_dir(root).map_err(failed)? {
        let folder = entry.map_err(failed)?.path();
        let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { continue };
        if !folder.join(AdapterPool::CONFIG_FILE).exists() {
            continue;
        }
        if let Err(reason) = adapters::check_name(name) {
            warn!("adapter {name:?} is left out: {reason}");
        } else if let Err(error) = pool.register(name, &folder) {
            warn!("adapter {name:?} is left out: {error}");
        }
    }
    info!("{} adapters in {}", pool.stats().registered, root.display());
    Ok(())
}
