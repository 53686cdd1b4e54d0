//! Who may ask how often, from where, and how long it is remembered.

use super::raw::{Raw, listed};
use super::{at_least_one, wrong};
use crate::error::{Error, Result};
use agent_limits::{ForwardingHeader, Quota, Quotas, TrustedProxies};
use secrecy::SecretString;
use std::net::SocketAddr;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Who may ask how often, from where, and how long it is remembered.
#[derive(Debug, Clone, Default)]
pub struct AccessSettings {
    /// Proxies that say for whom they ask; nobody unless said otherwise.
    pub trusted_proxies: TrustedProxies,
    /// How often somebody may ask.
    pub quotas: Quotas,
    /// Live plans of one person at once; as many as they like when absent.
    pub user_active_plans: Option<u64>,
    /// Live plans of one tenant at once; as many as they like when absent.
    pub tenant_active_plans: Option<u64>,
    /// How long records of the audit trail are kept; for ever when absent.
    pub audit_retention: Option<Duration>,
    /// Secrets that signed before the present one; tokens made with them are accepted until they end.
    pub retired_jwt_secrets: Vec<SecretString>,
    /// The proxies, and which of their headers is believed, as they were given.
    given: (Option<String>, Option<String>),
}

impl AccessSettings {
    /// What the settings say. Quotas are there by themselves where others can reach the server: on an address that is
    /// not loopback, or behind a proxy.
    ///
    /// # Errors
    /// [`Error::Settings`] naming the setting and what it may be.
    pub(super) fn resolve(raw: &Raw, bind: SocketAddr) -> Result<Self> {
        let trusted_proxies = proxies(raw)?;
        let exposed = !bind.ip().is_loopback() || raw.trusted_proxies.is_some();
        let quota = |key: &str, text: Option<&str>, usual: &str| {
            let text = text.unwrap_or(if exposed { usual } else { "off" });
            Quota::optional(text).map_err(|error| Error::Settings(format!("{key}: {error}")))
        };
        let quotas = Quotas {
            address: quota("rate_limit_address", raw.rate_limit_address.as_deref(), "12000/min")?,
            login: quota("rate_limit_login", raw.rate_limit_login.as_deref(), "60/min")?,
            user: quota("rate_limit_user", raw.rate_limit_user.as_deref(), "6000/min")?,
            key: quota("rate_limit_key", raw.rate_limit_key.as_deref(), "6000/min")?,
            tenant: quota("rate_limit_tenant", raw.rate_limit_tenant.as_deref(), "60000/min")?,
        };
        let plans = |key, value: Option<usize>| {
            value.map(|most| at_least_one(key, most).map(|most| most as u64)).transpose()
        };
        let days =
            raw.audit_retention_days.map(|days| at_least_one("audit_retention_days", days)).transpose()?;
        let days = days.map(|days| u32::try_from(days).unwrap_or(u32::MAX));
        Ok(Self {
            trusted_proxies,
            quotas,
            user_active_plans: plans("user_active_plans", raw.user_active_plans)?,
            tenant_active_plans: plans("tenant_active_plans", raw.tenant_active_plans)?,
            audit_retention: days.map(|days| DAY * days),
            retired_jwt_secrets: listed(raw.retired_jwt_secrets.as_deref()).map(SecretString::from).collect(),
            given: (raw.trusted_proxies.clone(), raw.forwarding_header.clone()),
        })
    }

    /// Each setting with its effective value in words.
    pub(super) fn in_words(&self) -> Vec<(&'static str, Option<String>)> {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let quota = |quota: &Option<Quota>| {
            Some(quoted(&quota.as_ref().map_or_else(|| "off".to_owned(), ToString::to_string)))
        };
        let (proxies, header) = &self.given;
        let is_retired = !self.retired_jwt_secrets.is_empty();
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        vec![
            ("trusted_proxies", proxies.as_deref().map(quoted)),
            ("forwarding_header", header.as_deref().map(quoted)),
            ("rate_limit_address", quota(&self.quotas.address)),
            ("rate_limit_login", quota(&self.quotas.login)),
            ("rate_limit_user", quota(&self.quotas.user)),
            ("rate_limit_key", quota(&self.quotas.key)),
            ("rate_limit_tenant", quota(&self.quotas.tenant)),
            ("user_active_plans", number(self.user_active_plans)),
            ("tenant_active_plans", number(self.tenant_active_plans)),
            ("audit_retention_days", number(self.audit_retention.map(|kept| kept.as_secs() / DAY.as_secs()))),
            ("retired_jwt_secrets", is_retired.then(|| quoted("***"))),
        ]
    }
}

fn proxies(raw: &Raw) -> Result<TrustedProxies> {
    let named = |error: agent_limits::Error| Error::Settings(format!("trusted_proxies: {error}"));
    let trusted = TrustedProxies::parse(listed(raw.trusted_proxies.as_deref())).map_err(named)?;
    let header = match raw.forwarding_header.as_deref() {
        None => return Ok(trusted),
        Some("x-forwarded-for") => ForwardingHeader::XForwardedFor,
        Some("forwarded") => ForwardingHeader::Forwarded,
        Some(other) => return Err(wrong("forwarding_header", other, "x-forwarded-for or forwarded")),
    };
    Ok(trusted.reading(header))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(raw: Raw, bind: &str) -> Result<AccessSettings> {
        AccessSettings::resolve(&raw, bind.parse().unwrap())
    }

    #[test]
    fn quotas_are_there_by_themselves_where_others_can_reach_the_server() {
        let alone = resolve(Raw::default(), "127.0.0.1:8000").unwrap();
        assert_eq!((alone.quotas.address, alone.quotas.login), (None, None));
        let open = resolve(Raw::default(), "0.0.0.0:8000").unwrap();
        let proxied = Raw { trusted_proxies: Some("127.0.0.1".into()), ..Raw::default() };
        for exposed in [open, resolve(proxied, "127.0.0.1:8000").unwrap()] {
            assert_eq!(exposed.quotas.login, Some("60/min".parse().unwrap()));
            assert!(exposed.quotas.address.is_some() && exposed.quotas.tenant.is_some());
        }
        let said = Raw { rate_limit_user: Some("off".into()), ..Raw::default() };
        assert_eq!(resolve(said, "0.0.0.0:8000").unwrap().quotas.user, None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (raw, key) in [
            (Raw { rate_limit_key: Some("many".into()), ..Raw::default() }, "rate_limit_key"),
            (Raw { trusted_proxies: Some("10.0.0.0/99".into()), ..Raw::default() }, "trusted_proxies"),
            (Raw { forwarding_header: Some("via".into()), ..Raw::default() }, "forwarding_header"),
            (Raw { audit_retention_days: Some(0), ..Raw::default() }, "audit_retention_days"),
        ] {
            let error = resolve(raw, "127.0.0.1:8000").unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
    }

    #[test]
    fn earlier_secrets_are_not_shown() {
        let raw = Raw { retired_jwt_secrets: Some("canary-one, canary-two".into()), ..Raw::default() };
        let settings = resolve(raw, "127.0.0.1:8000").unwrap();
        assert_eq!(settings.retired_jwt_secrets.len(), 2);
        assert!(!format!("{settings:?} {:?}", settings.in_words()).contains("canary"));
    }
}
