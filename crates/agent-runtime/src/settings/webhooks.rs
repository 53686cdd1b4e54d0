//! What webhooks may call beyond the public internet.

use super::raw::listed;
use crate::error::{Error, Result};
use agent_webhooks::Allowed;

/// What webhooks may call beyond https to public hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Hosts within the house, each as `host:port`.
    pub allowed_hosts: Vec<String>,
    /// Whether calls may go unencrypted.
    pub plain_http: bool,
}

impl WebhookSettings {
    /// As the settings say.
    pub(super) fn read(allowed_hosts: Option<&str>, plain_http: Option<bool>) -> Result<Self> {
        let allowed_hosts = read_hosts(allowed_hosts)?;
        Ok(Self { allowed_hosts, plain_http: plain_http.unwrap_or(false) })
    }
}

/// Hosts as they are written in a setting: `host:port`, a comma between two.
fn read_hosts(text: Option<&str>) -> Result<Vec<String>> {
    let hosts: Vec<String> = listed(text).map(str::to_owned).collect();
    let checked = Allowed::hosts(hosts.iter().map(String::as_str));
    checked.map_err(|error| Error::Settings(format!("webhook_allowed_hosts: {error}")))?;
    Ok(hosts)
}

/// The same hosts as a setting says them; none where there are none.
pub(super) fn in_words(hosts: &[String]) -> Option<String> {
    if hosts.is_empty() { None } else { Some(hosts.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_with_their_ports_and_said_the_same_way() {
        let hosts = read_hosts(Some("localhost:9000, [::1]:9000,,10.0.0.5:8443 ")).unwrap();
        assert_eq!(hosts, ["localhost:9000", "[::1]:9000", "10.0.0.5:8443"]);
        assert_eq!(in_words(&hosts).as_deref(), Some("localhost:9000,[::1]:9000,10.0.0.5:8443"));
        assert_eq!((read_hosts(None).unwrap().len(), in_words(&[])), (0, None));
    }

    #[test]
    fn what_names_no_host_and_port_is_refused_with_its_setting() {
        for text in ["localhost", "http://localhost:9000", "*:9000", "a:1,b"] {
            let error = read_hosts(Some(text)).unwrap_err().to_string();
            assert!(error.starts_with("webhook_allowed_hosts: "), "{text}: {error}");
        }
    }
}
