//! A connection in pure Rust, used like any other of diesel's.
//!
//! What reads and writes the socket runs on a runtime that belongs to the connection and turns only while somebody
//! waits for it: the thread that waits does the work itself, and no statement has to wake another thread.

use super::tls::Tls;
use agent_core::BoxError;
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::{AsyncConnectionWrapper, BlockOn};
use std::cell::Cell;
use std::future::Future;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::Config;

/// The connection that queries run on.
pub(super) type Conn = AsyncConnectionWrapper<AsyncPgConnection, OwnRuntime>;

thread_local! {
    // `AsyncConnectionWrapper` asks for a runtime with a function that has no arguments; the one it must get is the
    // one that the connection was opened on, a moment ago, on this thread.
    static OPENED_ON: Cell<Option<Runtime>> = const { Cell::new(None) };
}

/// The runtime of one connection.
pub(crate) struct OwnRuntime(Option<Runtime>);

impl BlockOn for OwnRuntime {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        match &self.0 {
            Some(runtime) => runtime.block_on(future),
            None => unreachable!("a connection comes with the runtime it was opened on"),
        }
    }

    fn get_runtime() -> Self {
        Self(OPENED_ON.take())
    }
}

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        // The last store may be dropped by an async task, where nothing may wait for threads to end.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Connects. Blocks, so never on an async thread.
pub(super) fn open(config: &Config, tls: &Tls) -> Result<Conn, BoxError> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let connected = runtime.block_on(async {
        let (client, connection) = config.connect(tls.clone()).await?;
        AsyncPgConnection::try_from_client_and_connection(client, connection).await.map_err(BoxError::from)
    });
    match connected {
        Ok(connection) => {
            OPENED_ON.set(Some(runtime));
            Ok(Conn::from(connection))
        }
        Err(error) => {
            runtime.shutdown_background();
            Err(error)
        }
    }
}
