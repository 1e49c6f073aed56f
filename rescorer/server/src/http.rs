//! A server that listens.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rescorer::Rescorer;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

use crate::app::App;
use crate::connection::Connections;
use crate::error::ServerError;
use crate::options::ServerOptions;
use crate::tls;

/// How long nothing is accepted after the system had no more descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// A server that listens.
pub struct Server {
    app: App,
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    options: ServerOptions,
}

impl Server {
    /// Loads what it needs and listens. In a tokio runtime.
    ///
    /// # Errors
    /// An address that can't be listened on, or that others can reach without a token; a certificate, a key
    /// or a folder of adapters that can't be read.
    pub async fn bind(rescorer: Rescorer, options: ServerOptions) -> Result<Self, ServerError> {
        options.check()?;
        let acceptor = options.tls.as_ref().map(tls::acceptor).transpose()?;
        let listen = options.listen;
        let listener =
            TcpListener::bind(listen).await.map_err(|source| ServerError::Listen { listen, source })?;
        let app = App::start(rescorer, &options)?;
        Ok(Self { app, listener, acceptor, options })
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
        let Self { app, listener, acceptor, options } = self;
        let limits = &options.limits;
        let connections = Connections::new(&app, acceptor);
        let open = Arc::new(Semaphore::new(limits.connections));
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
            tokio::spawn(connections.clone().serve(stream, permit));
        }
        drop(listener);
        info!("stopping: what was accepted is answered");
        app.stop_accepting();
        let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
        if tokio::time::timeout(limits.stop_timeout, open.acquire_many(all)).await.is_err() {
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
