//! `POST /v1/rescore`.

use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, TryStreamExt, stream};
use rescorer::{Answer, PooledAdapter};
use rescorer_nbest::Utterance;
use tokio::sync::oneshot;

use crate::app::{Adapters, App};
use crate::buffered::Buffered;
use crate::cost;
use crate::error::ApiError;
use crate::lists;
use crate::ndjson;
use crate::options::ColdStart;
use crate::query::Asked;
use crate::queue::Job;
use crate::scheduler::Refused;
use crate::served::Served;

/// Field of a list that names its adapter.
const ADAPTER: &str = "adapter";

/// Answers the lists of a body: JSON with JSON, JSON Lines with JSON Lines as they are answered.
pub async fn post(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let asked = Asked::of(&uri)?;
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        let message = "compressed bodies are not read; send it as it is";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "request", message));
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if ndjson::is_it(kind) {
        return Ok(ndjson::respond(app, asked, body));
    }
    let body = whole(&app, body).await?;
    let read = tokio::task::spawn_blocking(move || lists::read(body)).await;
    let (lists, several) = read.map_err(|_| ApiError::stopping())??;
    let most = app.limits.request_lists;
    let answers = stream::iter(lists).map(|list| line(&app, &asked, list)).buffered(most);
    let answers: Vec<String> = answers.try_collect().await?;
    let text = if several { format!("[{}]", answers.join(",")) } else { answers.concat() };
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// The bytes of a body.
pub async fn whole(app: &App, body: Body) -> Result<Bytes, ApiError> {
    let limit = app.limits.body_bytes;
    let mut bytes = Vec::new();
    let mut buffered = Buffered::new(app);
    let mut parts = body.into_data_stream();
    while let Some(part) = next(&mut parts, app.limits.read_timeout).await? {
        if bytes.len() + part.len() > limit {
            return Err(ApiError::too_large(format!(
                "the body has more than {limit} bytes; send fewer lists at a time, or JSON Lines"
            )));
        }
        buffered.resize(bytes.len() + part.len())?;
        bytes.extend_from_slice(&part);
    }
    Ok(bytes.into())
}

/// The next part of a body.
pub async fn next(
    parts: &mut axum::body::BodyDataStream,
    timeout: Duration,
) -> Result<Option<Bytes>, ApiError> {
    match tokio::time::timeout(timeout, parts.next()).await {
        Ok(Some(Ok(part))) => Ok(Some(part)),
        Ok(None) => Ok(None),
        Ok(Some(Err(error))) => Err(ApiError::bad_request(format!("the body is cut off: {error}"))),
        Err(_) => Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "request",
            format!("nothing came for {} s; send the body faster", timeout.as_secs()),
        )),
    }
}

/// Answers a list, as JSON.
pub async fn line(app: &App, asked: &Asked, list: Utterance) -> Result<String, ApiError> {
    let (answer, served) = answer(app, asked, list).await?;
    json(&answer, served)
}

/// Answers a list.
pub async fn answer(app: &App, asked: &Asked, list: Utterance) -> Result<(Answer, Served), ApiError> {
    let arrived = Instant::now();
    match computed(app, asked, list, arrived).await {
        Ok((answer, served)) => {
            app.metrics.answered(served, arrived.elapsed());
            Ok((answer, served))
        }
        Err(error) => {
            match error.retry_after {
                Some(_) => app.metrics.refused(),
                None => app.metrics.failed(),
            }
            Err(error)
        }
    }
}

async fn computed(
    app: &App,
    asked: &Asked,
    mut list: Utterance,
    arrived: Instant,
) -> Result<(Answer, Served), ApiError> {
    let nodes = cost::nodes(&list);
    let most = app.limits.list_nodes;
    if nodes > most {
        let message = format!(
            "utterance {:?} has hypotheses of some {nodes} tokens, and the limit is {most}; send fewer or shorter ones",
            list.id
        );
        return Err(ApiError::too_large(message));
    }
    let mut deadline = asked.deadline().map(|limit| arrived + limit);
    let name = list
        .extra
        .get(ADAPTER)
        .and_then(|name| name.as_str().map(str::to_owned))
        .or_else(|| asked.adapter.clone());
    let (mut adapter, mut served) = (None, Served::Whole);
    match (&app.adapters, name) {
        (Some(adapters), Some(name)) => match loaded(adapters, &name, app.cold, deadline).await? {
            Some(Loaded { adapter: loaded, was_resident }) => {
                adapter = Some(loaded);
                // Who waits for an adapter past the deadline gets its whole answer.
                let waited = app.cold == ColdStart::Wait && !was_resident;
                deadline = deadline.filter(|deadline| !waited || *deadline > Instant::now());
            }
            None => {
                list.extra.shift_remove(ADAPTER);
                match app.cold {
                    ColdStart::FirstPass => deadline = Some(Instant::now()),
                    _ => served = Served::Base,
                }
            }
        },
        (None, Some(name)) if !list.extra.contains_key(ADAPTER) => {
            list.extra.insert(ADAPTER.to_owned(), name.into());
        }
        _ => {}
    }
    let rank = adapter.as_ref().map_or(0, PooledAdapter::rank);
    let (reply, answer) = oneshot::channel();
    let cost = cost::with_rank(nodes, rank);
    let job = Job { list, adapter, nbest: asked.nbest, cost, deadline, served, reply };
    app.scheduler.submit(job).map_err(|refused| match refused {
        Refused::Full(after) => ApiError::busy(after),
        Refused::Stopping => ApiError::stopping(),
    })?;
    answer
        .await
        .map_err(|_| {
            ApiError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "model",
                "the model failed with other lists; send this one again",
            )
        })?
        .map_err(ApiError::from)
}

/// An adapter for a list.
struct Loaded {
    adapter: PooledAdapter,
    /// Whether nobody had to wait for it.
    was_resident: bool,
}

/// The adapter, loaded if it has to be; `None` where that takes longer than until the deadline, and something else is to answer then.
async fn loaded(
    adapters: &Adapters,
    name: &str,
    cold: ColdStart,
    deadline: Option<Instant>,
) -> Result<Option<Loaded>, ApiError> {
    if let Some(adapter) = adapters.pool.resident(name) {
        return Ok(Some(Loaded { adapter, was_resident: true }));
    }
    let (sender, receiver) = oneshot::channel();
    adapters.pool.load_then(name, move |loaded| _ = sender.send(loaded));
    let gone = |_| ApiError::stopping();
    let read = |adapter| Loaded { adapter, was_resident: false };
    match deadline.filter(|_| cold != ColdStart::Wait) {
        None => Ok(Some(read(receiver.await.map_err(gone)??))),
        Some(deadline) => match tokio::time::timeout_at(deadline.into(), receiver).await {
            Ok(loaded) => Ok(Some(read(loaded.map_err(gone)??))),
            Err(_) => Ok(None),
        },
    }
}

/// An answer as `rescorer rescore --json` writes it, marked where it was come by in another way.
fn json(answer: &Answer, served: Served) -> Result<String, ApiError> {
    let failed = |error: serde_json::Error| {
        ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "model",
            format!("the answer can't be written: {error}"),
        )
    };
    if served == Served::Whole {
        return serde_json::to_string(answer).map_err(failed);
    }
    let mut value = serde_json::to_value(answer).map_err(failed)?;
    served.mark(&mut value);
    serde_json::to_string(&value).map_err(failed)
}
