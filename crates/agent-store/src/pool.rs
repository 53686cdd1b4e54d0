//! Connections that only read.

use crate::error::{Answer, Error, Failure};
use crate::sqlite::{Conn, dialect};
use diesel::connection::Connection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection};
use r2d2::Pool;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How many queries run at once; more wait without holding a thread.
const READERS: u32 = 4;
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections that only read.
pub(crate) struct Readers {
    pool: Pool<ConnectionManager<Conn>>,
    seats: Arc<Semaphore>,
}

#[derive(Debug)]
struct ReadOnly;

impl CustomizeConnection<Conn, diesel::r2d2::Error> for ReadOnly {
    fn on_acquire(&self, conn: &mut Conn) -> Result<(), diesel::r2d2::Error> {
        dialect::prepare_reader(conn).map_err(diesel::r2d2::Error::QueryError)
    }
}

impl Readers {
    /// Opens the first connection; the others follow when they are needed.
    pub(crate) fn open(path: &Path, address: &str) -> Result<Self, Error> {
        let pool = Pool::builder()
            .max_size(READERS)
            .min_idle(Some(1))
            .test_on_check_out(false)
            .connection_timeout(PATIENCE)
            .connection_customizer(Box::new(ReadOnly))
            .build(ConnectionManager::new(address))
            .map_err(|source| Error::Connect { path: path.to_owned(), source: Box::new(source) })?;
        Ok(Self { pool, seats: Arc::new(Semaphore::new(READERS as usize)) })
    }

    /// Runs queries in one read transaction, away from the async threads.
    pub(crate) async fn read<T, Q>(&self, query: Q) -> agent_core::Result<T>
    where
        T: Send + 'static,
        Q: FnOnce(&mut Conn) -> Answer<T> + Send + 'static,
    {
        let seat = Arc::clone(&self.seats).acquire_owned().await.map_err(unavailable)?;
        let pool = self.pool.clone();
        let work = move || {
            let mut conn = pool.get().map_err(|error| Failure::Domain(unavailable(error)))?;
            let answer = Conn::transaction(&mut conn, query);
            drop((conn, seat));
            answer
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(answer) => answer.map_err(agent_core::Error::from),
            Err(stopped) => Err(unavailable(stopped)),
        }
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> agent_core::Error {
    agent_core::Error::Unavailable(Box::new(error))
}
