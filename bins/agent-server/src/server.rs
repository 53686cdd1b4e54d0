//! A running server: the agent's HTTP and WebSocket face on a socket.

use crate::app;
use crate::state::AppState;
use crate::websocket::WebSocketSettings;
use actix_web::HttpServer;
use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use agent_runtime::Agent;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// More web workers than this only cost memory: the work is done elsewhere.
const MAX_WORKERS: usize = 4;
/// How long a client may take to send the head of a request.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);

/// How requests are served.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Threads that handle requests; as many as cores, at most 4, unless said otherwise.
    pub workers: usize,
    /// How WebSocket connections are kept.
    pub websocket: WebSocketSettings,
    /// How long requests may go on after the server was asked to stop; whole seconds.
    pub grace: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            workers: cores.min(MAX_WORKERS),
            websocket: WebSocketSettings::default(),
            grace: Duration::from_secs(2),
        }
    }
}

/// A server that takes requests. Dropping it does not stop it; [`Running::stop`] does.
pub struct Running {
    address: SocketAddr,
    handle: ServerHandle,
    stopping: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
}

/// Serves an agent on a socket that listens already; connections are taken when this returns.
///
/// Must be called in a Tokio runtime with several threads, which becomes the agent's. Each web worker has a
/// thread and a small runtime of its own, so that requests are handled where they arrive; what a request
/// sets going in the agent is handed to the runtime of this call.
///
/// # Errors
/// When the socket cannot be used.
pub async fn serve(agent: Agent, listener: TcpListener, options: ServeOptions) -> std::io::Result<Running> {
    let address = listener.local_addr()?;
    let stopping = CancellationToken::new();
    let state = Data::new(AppState::new(agent, options.websocket, stopping.clone()));
    let server = HttpServer::new(move || app::assemble(state.clone()))
        .workers(options.workers.max(1))
        .client_request_timeout(HEAD_DEADLINE)
        .shutdown_timeout(options.grace.as_secs())
        .disable_signals()
        .listen(listener)?
        .run();
    let handle = server.handle();
    Ok(Running { address, handle, stopping, server: tokio::spawn(server) })
}

impl Running {
    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where to reach it, such as `http://127.0.0.1:8000`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops taking requests, closes WebSocket connections (1012) and event streams, and lets what runs end.
    /// The agent goes on; stop it afterwards.
    pub async fn stop(self) {
        self.stopping.cancel();
        self.handle.stop(true).await;
        match self.server.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the server ended with an error"),
            Err(error) => tracing::error!(%error, "the server's task broke"),
        }
    }
}
