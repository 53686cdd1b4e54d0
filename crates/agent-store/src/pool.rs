//! Connections that only read.

use crate::database::{Database, Scope};
use crate::error::{Answer, Error};
use diesel::connection::SimpleConnection;
use r2d2::{ManageConnection, NopErrorHandler, Pool, PooledConnection};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::task::{JoinError, spawn_blocking};
use tokio_util::task::AbortOnDropHandle;

/// How many queries run at once; more wait without holding a thread.
const READERS: u32 = 4;
/// How long a query waits for a connection while nothing is known to be wrong.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it looks whether something is.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The pool tries again to open a connection after at most half of this.
const RECOVERY: Duration = Duration::from_secs(2);

/// Connections that only read.
pub(crate) struct Readers<D: Database> {
    pool: Pool<Connections<D>>,
    trouble: Trouble,
    seats: Arc<Semaphore>,
}

/// Opens them.
struct Connections<D> {
    database: Arc<D>,
    trouble: Trouble,
}

/// Why the last connection could not be opened: nobody need wait for the next attempt to know that.
#[derive(Clone, Default)]
struct Trouble(Arc<Mutex<Option<Arc<Error>>>>);

impl Trouble {
    fn set(&self, error: Option<Arc<Error>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    fn get(&self) -> Option<Arc<Error>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A connection, and whether it may be used again.
struct Reader<C> {
    conn: C,
    clean: bool,
}

impl<D: Database> ManageConnection for Connections<D> {
    type Connection = Reader<D::Conn>;
    type Error = Arc<Error>;

    fn connect(&self) -> Result<Self::Connection, Arc<Error>> {
        let opened = self.database.open_reader().map_err(Arc::new);
        self.trouble.set(opened.as_ref().err().cloned());
        opened.map(|conn| Reader { conn, clean: true })
    }

    fn is_valid(&self, _reader: &mut Self::Connection) -> Result<(), Arc<Error>> {
        Ok(())
    }

    fn has_broken(&self, reader: &mut Self::Connection) -> bool {
        !reader.clean
    }
}

impl<C: SimpleConnection> Reader<C> {
    /// Runs queries in the transaction that is open, and ends it. A panic leaves the connection unfit for more.
    fn run<T>(&mut self, query: impl FnOnce(&mut C) -> Answer<T>) -> Answer<T> {
        let answer = query(&mut self.conn);
        let end = if answer.is_ok() { "COMMIT" } else { "ROLLBACK" };
        self.clean = self.conn.batch_execute(end).is_ok();
        answer
    }
}

impl<D: Database> Readers<D> {
    /// Opens the first connection; the others follow when they are needed.
    pub(crate) fn open(database: &Arc<D>) -> Result<Self, Error> {
        let trouble = Trouble::default();
        let connections = Connections { database: Arc::clone(database), trouble: trouble.clone() };
        let pool = Pool::builder()
            .max_size(READERS)
            .min_idle(Some(1))
            .test_on_check_out(false)
            .connection_timeout(RECOVERY)
            // Whoever asks for a connection is told why there is none.
            .error_handler(Box::new(NopErrorHandler))
            .build_unchecked(connections);
        let readers = Self { pool, trouble, seats: Arc::new(Semaphore::new(READERS as usize)) };
        drop(take(&readers.pool, &readers.trouble)?);
        Ok(readers)
    }

    /// Runs queries about a scope in one read transaction, away from the async threads.
    pub(crate) async fn read<T, Q>(&self, scope: Scope, query: Q) -> agent_core::Result<T>
    where
        T: Send + 'static,
        Q: FnOnce(&mut D::Conn) -> Answer<T> + Send + 'static,
    {
        let (pool, trouble) = (self.pool.clone(), self.trouble.clone());
        let work = move |seat: OwnedSemaphorePermit| {
            let answer = begin(&pool, &trouble, scope).and_then(|mut reader| reader.run(query));
            drop(seat);
            answer
        };
        let done = match Arc::clone(&self.seats).try_acquire_owned() {
            Ok(seat) => spawn_blocking(move || work(seat)).await,
            Err(TryAcquireError::NoPermits) => self.wait_and_run(work).await?,
            Err(closed) => return Err(unavailable(closed)),
        };
        done.map_err(unavailable)?.map_err(agent_core::Error::from)
    }

    /// Waits for a seat in a task of its own: to a caller that is not polled again, such as the stream of a client that
    /// takes nothing, a seat would fall all the same, and all others would wait for it.
    async fn wait_and_run<T, W>(&self, work: W) -> agent_core::Result<Result<T, JoinError>>
    where
        T: Send + 'static,
        W: FnOnce(OwnedSemaphorePermit) -> T + Send + 'static,
    {
        let seats = Arc::clone(&self.seats);
        let waiting = tokio::spawn(async move {
            let seat = seats.acquire_owned().await.map_err(unavailable)?;
            Ok(spawn_blocking(move || work(seat)).await)
        });
        AbortOnDropHandle::new(waiting).await.map_err(unavailable)?
    }
}

/// A connection, once there is one.
fn take<D: Database>(
    pool: &Pool<Connections<D>>,
    trouble: &Trouble,
) -> Result<PooledConnection<Connections<D>>, Error> {
    let mut waited = Duration::ZERO;
    loop {
        match (pool.get_timeout(LOOK_EVERY), trouble.get()) {
            (Ok(reader), _) => return Ok(reader),
            (Err(_), Some(trouble)) => return Err(Error::Disconnected(trouble)),
            (Err(error), None) if waited >= PATIENCE => return Err(Error::Pool(error)),
            (Err(_), None) => waited += LOOK_EVERY,
        }
    }
}

/// A connection with an open transaction. One that cannot begin was lost while it was idle: it is thrown
/// away for the next, until all that may have been lost are gone.
fn begin<D: Database>(
    pool: &Pool<Connections<D>>,
    trouble: &Trouble,
    scope: Scope,
) -> Answer<PooledConnection<Connections<D>>> {
    let opening = format!("{}; {}", D::BEGIN_READING, D::enter(scope));
    let mut lost = 0;
    loop {
        let mut reader = take(pool, trouble)?;
        reader.clean = false;
        match reader.conn.batch_execute(&opening) {
            Ok(()) => return Ok(reader),
            Err(_) if lost < READERS => lost += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> agent_core::Error {
    agent_core::Error::Unavailable(Box::new(error))
}
