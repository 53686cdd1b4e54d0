//! What is remembered of a plan's folder, beside it.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::{IsolatedWorkspaces, Record};
use crate::error::Error;
use crate::file_store::replace_file;

impl IsolatedWorkspaces {
    fn record_path(&self, plan: i64) -> PathBuf {
        self.folder.join(format!("plan-{plan}.json"))
    }

    pub(super) fn remembered(&self, plan: i64) -> Result<Option<Record>, Error> {
        let path = self.record_path(plan);
        let read = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        read.map_err(|source| Error::Workspace { path, source })
    }

    /// On the disk when it returns, whole or as before.
    pub(super) fn remember(&self, plan: i64, record: &Record) -> Result<(), Error> {
        let path = self.record_path(plan);
        let aside = self.folder.join(format!("plan-{plan}.json.next"));
        let written = replace_file(&path, &aside, |file| Ok(serde_json::to_writer(file, record)?));
        written.map_err(|source| Error::Workspace { path, source })
    }

    pub(super) fn forget(&self, plan: i64) -> Result<(), Error> {
        super::remove_file(&self.record_path(plan))
    }
}
