//! A running server: the agent's HTTP and WebSocket face on a socket.

use crate::app;
use crate::connection_limits::{ConnectionLimits, Line};
use crate::cors::Cors;
use crate::metrics::MetricsListener;
use crate::state::AppState;
use crate::traces::Traces;
use crate::websocket::WebSocketSettings;
use actix_http::HttpService;
use actix_server::{Server, ServerHandle};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use actix_web::web::Data;
use agent_runtime::Agent;
use std::future::ready;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// More web workers than this only cost memory: the work is done elsewhere.
const MAX_WORKERS: usize = 4;
/// How long a client may take to close a connection that was ended.
const FAREWELL: Duration = Duration::from_secs(1);

/// How requests are served.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Threads that handle requests; as many as cores, at most 4, unless said otherwise.
    pub workers: usize,
    /// What connections may cost.
    pub limits: ConnectionLimits,
    /// Origins of browser pages that may use the API beside the server's own, as browsers send them.
    pub cors_origins: Vec<String>,
    /// How WebSocket connections are kept.
    pub websocket: WebSocketSettings,
    /// Where traces of requests go, if anywhere.
    pub traces: Option<Traces>,
    /// How long requests may go on after the server was asked to stop; whole seconds.
    pub grace: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            workers: cores.min(MAX_WORKERS),
            limits: ConnectionLimits::default(),
            cors_origins: Vec::new(),
            websocket: WebSocketSettings::default(),
            traces: None,
            grace: Duration::from_secs(2),
        }
    }
}

/// A server that takes requests. Dropping it does not stop it; [`Running::stop`] does.
pub struct Running {
    address: SocketAddr,
    handle: ServerHandle,
    stopping: CancellationToken,
    metrics: Option<MetricsListener>,
    server: JoinHandle<std::io::Result<()>>,
}

/// Serves an agent on a socket that listens already; connections are taken when this returns.
///
/// Must be called in a Tokio runtime with several threads, which becomes the agent's. Each web worker has a
/// thread and a small runtime of its own, so that requests are handled where they arrive; what a request
/// sets going in the agent is handed to the runtime of this call.
///
/// # Errors
/// When the socket, or the one for metrics that the settings name, cannot be used.
pub async fn serve(agent: Agent, listener: TcpListener, options: ServeOptions) -> std::io::Result<Running> {
    let address = listener.local_addr()?;
    let stopping = CancellationToken::new();
    let state = Data::new(AppState::new(agent, options.websocket, options.traces, stopping.clone()));
    let metrics_bind = state.agent().settings().observing.metrics_bind;
    let metrics = metrics_bind.map(|bind| MetricsListener::start(bind, state.clone())).transpose()?;
    let (limits, cors) = (options.limits, Data::new(Cors::new(options.cors_origins)));
    let workers = options.workers.max(1);
    let builder = Server::build()
        .workers(workers)
        .max_concurrent_connections(limits.connections.div_ceil(workers).max(1))
        .shutdown_timeout(options.grace.as_secs())
        .disable_signals();
    let ending = builder.graceful_shutdown_signal();
    // What `HttpServer` does, over connections of our own.
    let worker = move || {
        let ending = ending.clone();
        let app = app::assemble(state.clone(), cors.clone(), limits).into_factory();
        let app = map_config(app, |()| AppConfig::default()).map_err(|error| error.error_response());
        let http = HttpService::build()
            .keep_alive(limits.keep_alive)
            .client_request_timeout(limits.head_deadline)
            .client_disconnect_timeout(FAREWELL)
            .local_addr(address)
            .graceful_shutdown_signal(move || {
                let ending = ending.clone();
                async move { ending.notified().await }
            })
            .on_connect_ext(|line: &Line, data| drop(data.insert(line.work())))
            .h1(app);
        let connect = move |stream: TcpStream| {
            let peer = stream.peer_addr().ok();
            ready(Ok((Line::new(stream, &limits), peer)))
        };
        fn_service(connect).and_then(http)
    };
    let server = builder.listen("agent-server", listener, worker)?.run();
    let handle = server.handle();
    Ok(Running { address, handle, stopping, metrics, server: tokio::spawn(server) })
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

    /// Where metrics can be scraped without a token, such as `http://127.0.0.1:9464/metrics`; none unless the settings
    /// name an address for that.
    pub fn metrics_url(&self) -> Option<String> {
        self.metrics.as_ref().map(|listener| format!("http://{}/metrics", listener.address()))
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
        // Last, so that what happens at the end can still be seen.
        if let Some(metrics) = self.metrics {
            metrics.stop().await;
        }
    }
}
