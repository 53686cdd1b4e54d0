//! One application at a time, also among processes.

use std::fs::{File, OpenOptions, TryLockError};
use std::thread;
use std::time::Duration;

use super::History;
use crate::error::Error;

const ATTEMPTS: u32 = 750;
const PAUSE: Duration = Duration::from_millis(20);

/// Held while a record and its change are written; the kernel frees it with the process.
pub(super) struct HistoryLock {
    _file: File,
}

impl History {
    pub(super) fn lock(&self) -> Result<HistoryLock, Error> {
        let path = self.folder.join("lock");
        let fails = |source| Error::History { path: path.clone(), source };
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(fails)?;
        for _ in 0..ATTEMPTS {
            match file.try_lock() {
                Ok(()) => return Ok(HistoryLock { _file: file }),
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(TryLockError::Error(source)) => return Err(fails(source)),
            }
        }
        Err(Error::Busy)
    }
}
