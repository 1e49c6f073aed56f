//! Connections.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rescorer::Rescorer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, Sleep};
use tower::ServiceExt;
use tracing::{debug, info, warn};

use crate::app::App;
use crate::error::ServerError;
use crate::options::ServerOptions;

/// How long nothing is accepted after the system had no more descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// A server that listens.
pub struct Server {
    app: App,
    listener: TcpListener,
    options: ServerOptions,
}

impl Server {
    /// Loads what it needs and listens. In a tokio runtime.
    ///
    /// # Errors
    /// An address that can't be listened on, or that others can reach without a token; a folder of adapters that can't be read.
    pub async fn bind(rescorer: Rescorer, options: ServerOptions) -> Result<Self, ServerError> {
        options.check()?;
        let listen = options.listen;
        let listener =
            TcpListener::bind(listen).await.map_err(|source| ServerError::Listen { listen, source })?;
        let app = App::start(rescorer, &options)?;
        Ok(Self { app, listener, options })
    }

    /// Serves on threads of its own until the process is told to stop (SIGTERM, SIGINT, Ctrl-C), for a program without a runtime. `ready` gets the
    /// address.
    ///
    /// # Errors
    /// As [`Server::bind`]; a runtime that can't be started.
    pub fn serve(
        rescorer: Rescorer,
        options: ServerOptions,
        ready: impl FnOnce(SocketAddr),
    ) -> Result<(), ServerError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let server = Self::bind(rescorer, options).await?;
            ready(server.address()?);
            server.run(told_to_stop()).await
        })
    }

    /// Where it listens, with the port that the system chose for port 0.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is done. Then it accepts nothing more and answers what it has accepted.
    ///
    /// # Errors
    /// None after it has begun: a connection that fails ends alone.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), ServerError> {
        let Self { app, listener, options } = self;
        let limits = &options.limits;
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(limits.read_timeout);
        let router = app.router();
        let open = Arc::new(Semaphore::new(limits.connections));
        let graceful = GracefulShutdown::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            // Further connections wait until one is closed.
            let permit = tokio::select! {
                permit = open.clone().acquire_owned() => permit,
                () = &mut stop => break,
            };
            let Ok(permit) = permit else { break };
            let stream = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        warn!("a connection could not be accepted: {error}");
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                },
                () = &mut stop => break,
            };
            let io = TokioIo::new(Patient::new(stream, limits.read_timeout));
            let (router, counted) = (router.clone(), app.clone());
            let service = tower::service_fn(move |request: Request<Incoming>| {
                let (router, app) = (router.clone(), counted.clone());
                async move {
                    let Ok(response) = router.oneshot(request.map(axum::body::Body::new)).await;
                    app.metrics.request(response.status().as_u16());
                    Ok::<Response, Infallible>(response)
                }
            });
            let connection = graceful.watch(http.serve_connection(io, TowerToHyperService::new(service)));
            let app = app.clone();
            tokio::spawn(async move {
                let _counted = app.metrics.connection();
                if let Err(error) = connection.await {
                    debug!("a connection ended: {error}");
                }
                drop(permit);
            });
        }
        drop(listener);
        info!("stopping: what was accepted is answered");
        app.stop_accepting();
        if tokio::time::timeout(limits.stop_timeout, graceful.shutdown()).await.is_err() {
            warn!("some connections were still open after {} s", limits.stop_timeout.as_secs());
        }
        let own = app.clone();
        if tokio::task::spawn_blocking(move || own.scheduler.stop()).await.is_err() {
            warn!("the scheduler could not be stopped");
        }
        Ok(())
    }
}

/// Done when the process is told to stop.
async fn told_to_stop() {
    #[cfg(unix)]
    if let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        return;
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Without signals nothing stops it but the end of the process.
        std::future::pending::<()>().await;
    }
}

/// A connection that gives up on a client who does not take what is written.
struct Patient {
    stream: TcpStream,
    timeout: Duration,
    waits: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    fn new(stream: TcpStream, timeout: Duration) -> Self {
        // Answers are small, and whoever waits for one wants it now.
        if let Err(error) = stream.set_nodelay(true) {
            debug!("TCP_NODELAY: {error}");
        }
        Self { stream, timeout, waits: None }
    }

    /// Ends a write that has waited too long.
    fn timed<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waits = None;
            return written;
        }
        let timeout = self.timeout;
        let waits =
            self.waits.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + timeout)));
        match waits.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.timed(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.timed(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.timed(context, shut)
    }
}
