//! Connections for looks at single rows, made by whoever wants to know.

use crate::database::Database;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections that are at hand; as many as threads have ever looked at the same time.
pub(crate) struct Glances<D: Database> {
    database: Arc<D>,
    idle: Mutex<Vec<D::Conn>>,
}

impl<D: Database> Glances<D> {
    /// None yet.
    pub(crate) fn of(database: &Arc<D>) -> Self {
        Self { database: Arc::clone(database), idle: Mutex::default() }
    }

    /// A connection; `None` where looking is not for the thread that asks, or no connection can be opened at the moment.
    pub(crate) fn take(&self) -> Option<D::Conn> {
        if !D::IS_NEAR {
            return None;
        }
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.or_else(|| self.database.open_reader().ok())
    }

    /// Keeps a connection for the next; one on which something failed is dropped instead.
    pub(crate) fn put_back(&self, conn: D::Conn) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
    }
}
