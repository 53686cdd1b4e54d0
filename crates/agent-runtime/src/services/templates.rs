//! Templates as a caller sees them.

use crate::error::Result;
use agent_templates::{Catalogue, Template};
use std::sync::Arc;

/// Requests about templates.
#[derive(Clone)]
pub struct Templates {
    pub(crate) catalogue: Arc<Catalogue>,
}

impl Templates {
    /// The whole catalogue.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// One template.
    ///
    /// # Errors
    /// Template errors naming the id.
    pub fn find(&self, id: &str) -> Result<&Template> {
        Ok(self.catalogue.find(id)?)
    }
}
