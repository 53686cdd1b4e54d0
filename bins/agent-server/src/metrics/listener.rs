//! An address of its own for scrapes: whoever reaches it may read, so it is for the operator's own network.

use crate::routes::metrics::show_metrics_openly;
use crate::state::AppState;
use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use std::io::{Error, Result};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

/// Few ever scrape.
const CONNECTIONS: usize = 32;
/// How long a client may take to ask.
const DEADLINE: Duration = Duration::from_secs(5);

/// A listener that answers `GET /metrics` and nothing else.
pub(crate) struct MetricsListener {
    address: SocketAddr,
    handle: ServerHandle,
}

impl MetricsListener {
    /// Begins to listen there.
    ///
    /// # Errors
    /// When the address cannot be listened on; the error says which it is.
    pub(crate) fn start(bind: SocketAddr, state: Data<AppState>) -> Result<Self> {
        let named = |error: Error| {
            let text = format!("cannot listen on {bind} for metrics: {error}; choose another metrics_bind");
            Error::new(error.kind(), text)
        };
        let listener = TcpListener::bind(bind).map_err(named)?;
        let address = listener.local_addr()?;
        let server = HttpServer::new(move || App::new().app_data(state.clone()).service(show_metrics_openly))
            .workers(1)
            .max_connections(CONNECTIONS)
            .client_request_timeout(DEADLINE)
            .keep_alive(DEADLINE)
            .disable_signals()
            .listen(listener)?
            .run();
        let handle = server.handle();
        tokio::spawn(server);
        tracing::info!(%address, "metrics can be scraped at http://{address}/metrics");
        Ok(Self { address, handle })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it, without waiting for whoever scrapes just now.
    pub(crate) async fn stop(self) {
        self.handle.stop(false).await;
    }
}
