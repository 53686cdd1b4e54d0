//! Secrets: which files of a workspace hold some, and how they are kept out of everything that is told.

use crate::error::Result;
use async_trait::async_trait;
use serde_json::Value;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Masks secrets.
pub trait Redactor: Send + Sync {
    /// The text with every secret masked; borrowed where there is none.
    fn redact<'t>(&self, text: &'t str) -> Cow<'t, str>;

    /// A JSON document with every secret in its texts masked; keys of objects stay.
    fn redact_json(&self, value: Value) -> Value {
        match value {
            Value::String(text) => {
                let masked = match self.redact(&text) {
                    Cow::Borrowed(_) => None,
                    Cow::Owned(masked) => Some(masked),
                };
                Value::String(masked.unwrap_or(text))
            }
            Value::Array(items) => {
                Value::Array(items.into_iter().map(|item| self.redact_json(item)).collect())
            }
            Value::Object(fields) => {
                let masked = fields.into_iter().map(|(key, value)| (key, self.redact_json(value)));
                Value::Object(masked.collect())
            }
            other => other,
        }
    }
}

/// Masks nothing: for programs that hold no secrets.
#[derive(Debug, Clone, Copy, Default)]
pub struct NothingSecret;

impl Redactor for NothingSecret {
    fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        Cow::Borrowed(text)
    }
}

/// What is secret in a workspace.
#[derive(Clone)]
pub struct WorkspaceSecrets {
    /// Files that hold secrets, absolute.
    pub files: Vec<PathBuf>,
    /// Masks the server's secrets, those in the files, and what looks like one.
    pub redactor: Arc<dyn Redactor>,
}

/// Finds what is secret.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// What is secret in the workspace with this root, as it is now.
    ///
    /// # Errors
    /// `RepositoryRefused` when it cannot be read.
    async fn of_workspace(&self, root: &Path) -> Result<WorkspaceSecrets>;

    /// Masks the server's secrets and what looks like one.
    fn redactor(&self) -> Arc<dyn Redactor>;
}

#[async_trait]
impl Secrets for NothingSecret {
    async fn of_workspace(&self, _root: &Path) -> Result<WorkspaceSecrets> {
        Ok(WorkspaceSecrets { files: Vec::new(), redactor: self.redactor() })
    }

    fn redactor(&self) -> Arc<dyn Redactor> {
        Arc::new(*self)
    }
}
