//! What the operator of a server allows beyond the public internet.

use super::Host;
use url::Url;

/// Hosts that may be called although they are not public, and whether calls may go unencrypted.
///
/// Only whoever operates the server fills it, never a user. Empty, it allows nothing beyond https to public hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    entries: Vec<(Host, u16)>,
    plain_http: bool,
}

/// An entry of the list of allowed hosts that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no allowed host; write host:port, such as localhost:9000, 10.0.0.5:8443 or [::1]:9000")]
pub struct NotAnEntry(pub String);

impl Allowed {
    /// These hosts besides the public ones, each as `host:port`. An entry lifts every refusal of an address for this
    /// host at this port, and for nothing else: not for its other ports, and not for names beneath it.
    ///
    /// # Errors
    /// [`NotAnEntry`] for the first that is not of this form.
    pub fn hosts<'t>(entries: impl IntoIterator<Item = &'t str>) -> Result<Self, NotAnEntry> {
        let entries = entries.into_iter().map(|text| entry(text).ok_or_else(|| NotAnEntry(text.to_owned())));
        Ok(Self { entries: entries.collect::<Result<_, _>>()?, plain_http: false })
    }

    /// Whether `http://` may be called too. Everybody on the way reads and changes what goes there.
    #[must_use]
    pub fn with_plain_http(mut self, allowed: bool) -> Self {
        self.plain_http = allowed;
        self
    }

    pub(crate) fn plain_http(&self) -> bool {
        self.plain_http
    }

    pub(crate) fn names(&self, host: &Host, port: u16) -> bool {
        self.entries.iter().any(|(allowed, at)| allowed == host && *at == port)
    }
}

fn entry(text: &str) -> Option<(Host, u16)> {
    let text = text.trim();
    let (host, port) = text.rsplit_once(':')?;
    let port: u16 = port.parse().ok().filter(|port| *port != 0)?;
    if host.is_empty() || host.contains(['/', '?', '#', '@', '\\', '*']) {
        return None;
    }
    let mut url = Url::parse(&format!("https://{host}/")).ok()?;
    let is_host_alone = url.port().is_none() && url.path() == "/";
    let host = Host::of(&mut url)?;
    is_host_alone.then_some((host, port))
}
