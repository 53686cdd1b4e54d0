//! Who did what: recorded, read, and kept for as long as the settings say.

use crate::error::Result;
use agent_audit::{Actor, AuditFilter, AuditLog, AuditPage, ChainId, ChainState, Entry, Outcome, Record};
use agent_auth::{Principal, Scope};
use agent_core::Error;
use agent_core::error::Defect;
use agent_core::ports::{Clock, Redactor};
use agent_core::time::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// What a caller says to name the chain of the server itself.
const SERVER: &str = "server";

/// The audit trail.
#[derive(Clone)]
pub struct Audit {
    log: Arc<dyn AuditLog>,
    clock: Arc<dyn Clock>,
    redactor: Arc<dyn Redactor>,
}

impl Audit {
    /// Records in this log, with the times of this clock, and without what this redactor takes for secret.
    pub fn new(log: Arc<dyn AuditLog>, clock: Arc<dyn Clock>, redactor: Arc<dyn Redactor>) -> Self {
        Self { log, clock, redactor }
    }

    /// Records an entry, secrets removed. It is on the disk when this returns.
    ///
    /// # Errors
    /// `Unavailable`, `StorageFull`: it is not recorded.
    pub async fn record(&self, entry: Entry) -> Result<Record> {
        let mut entry = entry;
        let texts = [&mut entry.resource, &mut entry.actor.username];
        for text in texts.into_iter().flatten() {
            *text = self.redactor.redact(text).into_owned();
        }
        for value in entry.details.values_mut() {
            self.redact(value);
        }
        Ok(self.log.append(entry, self.clock.now()).await?)
    }

    fn redact(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.redactor.redact(text).into_owned(),
            Value::Array(values) => values.iter_mut().for_each(|value| self.redact(value)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.redact(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The chain that a caller asks for: their tenant's, or as operators that of any tenant or of the server itself.
    ///
    /// # Errors
    /// `InvalidPlan` for a chain that there is not, or that is not theirs to read.
    pub fn chain_of(&self, caller: &Principal, wanted: Option<&str>) -> Result<ChainId> {
        let own = ChainId::from(caller.tenant);
        let Some(wanted) = wanted else { return Ok(own) };
        let number = wanted.parse::<i64>().ok().filter(|number| *number > 0);
        let chain = match (wanted, number) {
            (SERVER, _) => Some(ChainId::Server),
            (_, Some(tenant)) => Some(ChainId::from(tenant)),
            _ => None,
        };
        match chain {
            Some(chain) if chain == own || caller.may(Scope::TenantsManage) => Ok(chain),
            _ => {
                let detail = "must be the number of your tenant; operators may name any tenant, or server";
                Err(Error::InvalidPlan(vec![Defect::new("?chain", detail)]).into())
            }
        }
    }

    /// A page of records.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn page(&self, filter: &AuditFilter) -> Result<AuditPage> {
        Ok(self.log.page(filter).await?)
    }

    /// Where a chain begins and ends.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn state(&self, chain: ChainId) -> Result<ChainState> {
        Ok(self.log.chain(chain).await?)
    }

    /// Removes what is older than `kept` from every chain, and records in it that it did.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn forget(&self, kept: Duration) -> Result<u64> {
        let before = Timestamp::from_micros(
            self.clock.now().as_micros().saturating_sub(i64::try_from(kept.as_micros()).unwrap_or(i64::MAX)),
        );
        let mut all = 0;
        for chain in self.log.chains().await? {
            let removed = self.log.remove_before(chain, before).await?;
            if removed > 0 {
                let entry = Entry::new(chain, Actor::system(), "remove_audit_records", Outcome::Success);
                self.record(entry.with("removed", removed).with("older_than", before.to_string())).await?;
            }
            all += removed;
        }
        Ok(all)
    }
}
