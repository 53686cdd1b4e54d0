//! Templates: reusable plans.

use crate::client::Client;
use crate::error::Result;
use crate::http::Call;
use crate::wire::template::{Template, TemplateFilter, TemplateSearch, TemplateSummary};

/// The templates of a server. [`crate::CreatePlan::from_template`] makes a plan from one.
#[derive(Debug, Clone)]
pub struct Templates {
    client: Client,
}

impl Templates {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The templates that match, in the order of the catalogue.
    ///
    /// # Errors
    /// What any request may end with.
    pub async fn list(&self, filter: &TemplateFilter) -> Result<Vec<TemplateSummary>> {
        self.client.send(Call::get(self.client.url(&["templates"])).query(filter)?).await
    }

    /// A template with its tasks and parameters.
    ///
    /// # Errors
    /// `Problem` with `template_not_found`, and what any request may end with.
    pub async fn get(&self, id: &str) -> Result<Template> {
        self.client.send(Call::get(self.client.url(&["templates", id]))).await
    }

    /// The templates in which every word occurs, best first.
    ///
    /// # Errors
    /// What any request may end with.
    pub async fn search(&self, words: &str) -> Result<TemplateSearch> {
        self.client.send(Call::get(self.client.url(&["templates", "search", words]))).await
    }
}
