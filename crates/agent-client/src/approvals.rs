//! Questions to people: looking at them and answering them.

use crate::client::Client;
use crate::error::Result;
use crate::http::Call;
use crate::paging;
use crate::wire::approval::{Answer, Approval, ApprovalFilter, ApprovalPage, Decided};
use agent_core::ids::ApprovalId;
use futures_util::Stream;
use url::Url;

/// The questions of a server that the caller may see.
#[derive(Debug, Clone)]
pub struct Approvals {
    client: Client,
}

impl Approvals {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// A page of questions, oldest first.
    ///
    /// # Errors
    /// What any request may end with.
    pub async fn list(&self, filter: &ApprovalFilter) -> Result<ApprovalPage> {
        self.client.send(Call::get(self.client.url(&["approvals"])).query(filter)?).await
    }

    /// All questions, oldest first, from the filter's `cursor` on; pages are fetched as they are needed. Ends with the
    /// first error.
    pub fn all(&self, filter: ApprovalFilter) -> impl Stream<Item = Result<Approval>> + Send + use<> {
        let approvals = self.clone();
        paging::all(filter.cursor.clone(), move |cursor| {
            let (approvals, filter) = (approvals.clone(), ApprovalFilter { cursor, ..filter.clone() });
            async move { approvals.list(&filter).await.map(|page| (page.approvals, page.next_cursor)) }
        })
    }

    /// A question, with what a yes to it covers.
    ///
    /// # Errors
    /// `Problem` with `approval_not_found`, and what any request may end with.
    pub async fn get(&self, approval: impl Into<ApprovalId>) -> Result<Approval> {
        self.client.send(Call::get(self.url(approval.into()))).await
    }

    /// Answers a question; the first answer counts.
    ///
    /// # Errors
    /// `Problem` with `approval_closed` (its `decision` and `decided_by` say how it ended), `approval_mismatch` or
    /// `approval_not_found`; `Unanswered` when the server's answer was lost; and what any request may end with.
    pub async fn decide(&self, approval: impl Into<ApprovalId>, answer: &Answer) -> Result<Decided> {
        self.client.send(Call::post(self.url(approval.into())).json(answer)?).await
    }

    fn url(&self, approval: ApprovalId) -> Url {
        self.client.url(&["approvals", &approval.to_string()])
    }
}
