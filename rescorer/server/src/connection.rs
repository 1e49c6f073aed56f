//! What becomes of a connection.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;
use tracing::debug;

use crate::app::App;
use crate::patient::Patient;

/// How long a server that stops waits for the first request of a connection.
const UNUSED: Duration = Duration::from_secs(1);

/// What serves connections.
#[derive(Clone)]
pub struct Connections {
    app: App,
    router: Router,
    acceptor: Option<TlsAcceptor>,
    http: http1::Builder,
    timeout: Duration,
}

impl Connections {
    pub fn new(app: &App, acceptor: Option<TlsAcceptor>) -> Self {
        let timeout = app.limits.read_timeout;
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(timeout);
        Self { app: app.clone(), router: app.router(), acceptor, http, timeout }
    }

    /// Answers what comes over a connection until its end. The permit is given back once nothing holds it any more.
    pub async fn serve(self, stream: TcpStream, permit: OwnedSemaphorePermit) {
        let held = Arc::new(Held::new(&self.app, permit));
        let stream = Patient::new(stream, self.timeout);
        match self.acceptor.clone() {
            None => self.requests(stream, held).await,
            Some(acceptor) => tokio::select! {
                shaken = tokio::time::timeout(self.timeout, acceptor.accept(stream)) => match shaken {
                    Ok(Ok(stream)) => self.requests(stream, held).await,
                    Ok(Err(error)) => debug!("no TLS: {error}"),
                    Err(_) => debug!("no TLS within {} s", self.timeout.as_secs()),
                },
                // Nothing was accepted yet.
                () = self.app.stops() => {}
            },
        }
    }

    async fn requests(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, held: Arc<Held>) {
        let has_asked = AtomicBool::new(false);
        let service = tower::service_fn(|mut request: Request<Incoming>| {
            has_asked.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(held.clone());
            async move {
                let Ok(response) = self.router.clone().oneshot(request.map(axum::body::Body::new)).await;
                self.app.metrics.request(response.status().as_u16());
                Ok::<Response, Infallible>(response)
            }
        });
        let connection = self
            .http
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.app.stops() => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection => ended,
                    () = stays_unused(&has_asked) => return,
                }
            }
        };
        if let Err(error) = ended {
            debug!("a connection ended: {error}");
        }
    }
}

/// Done if nothing is asked soon. Browsers open connections that they may want later, and hyper would wait for a request on them.
async fn stays_unused(has_asked: &AtomicBool) {
    tokio::time::sleep(UNUSED).await;
    if has_asked.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}

/// A place among the connections. A stream keeps it after the connection was handed over to it.
pub struct Held {
    app: App,
    _permit: OwnedSemaphorePermit,
}

impl Held {
    fn new(app: &App, permit: OwnedSemaphorePermit) -> Self {
        app.metrics.connected();
        Self { app: app.clone(), _permit: permit }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.app.metrics.disconnected();
    }
}
