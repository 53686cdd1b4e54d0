//! Where the server is, and the addresses below.

use crate::error::{Error, Result};
use std::fmt;
use url::{Host, Url};

/// The address of a server; a path in it is kept, as a proxy may need one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    base: Url,
}

impl Address {
    /// Reads an address such as `http://127.0.0.1:8000` or `https://example.org/agent`.
    ///
    /// # Errors
    /// `InvalidSetting` for what is no such address, or has more in it than one.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let refuse = |reason: String| Error::setting("the address of the server", reason);
        let mut base = Url::parse(text).map_err(|error| refuse(format!("cannot be read: {error}")))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(refuse("must begin with http:// or https://".to_owned()));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(refuse("must not hold a name or password; use log_in".to_owned()));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(refuse("must end with its path, without ? or #".to_owned()));
        }
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        Ok(Self { base })
    }

    /// The address of a path below, given by its parts.
    pub(crate) fn below(&self, parts: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Every http address has a path to extend.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }

    /// The same for a WebSocket, as text.
    pub(crate) fn socket_below(&self, parts: &[&str]) -> String {
        let url = String::from(self.below(parts));
        url.strip_prefix("http").map(|rest| format!("ws{rest}")).unwrap_or(url)
    }

    /// Whether connections are encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.base.scheme() == "https"
    }

    /// The host, without the brackets around an IPv6 address.
    pub(crate) fn host(&self) -> String {
        match self.base.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => String::new(),
        }
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.base.port_or_known_default().unwrap_or(0)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_put_below_the_address_and_parts_stay_parts() {
        for base in ["http://localhost:8000", "http://localhost:8000/"] {
            let address = Address::parse(base).unwrap();
            assert_eq!(address.below(&["plans", "1"]).as_str(), "http://localhost:8000/plans/1");
            assert_eq!(address.socket_below(&["ws", "a b/c"]), "ws://localhost:8000/ws/a%20b%2Fc");
        }
        let address = Address::parse("https://[::1]/agent/").unwrap();
        assert_eq!(address.below(&["health"]).as_str(), "https://[::1]/agent/health");
        assert_eq!(address.socket_below(&["ws", "x"]), "wss://[::1]/agent/ws/x");
        assert_eq!((address.host().as_str(), address.port(), address.is_encrypted()), ("::1", 443, true));
        assert_eq!(address.to_string(), "https://[::1]/agent");
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        for odd in [
            "",
            "localhost:8000",
            "ftp://localhost",
            "http://demo:demo123@localhost",
            "http://localhost/?a=1",
            "http://localhost/#a",
        ] {
            assert!(matches!(Address::parse(odd), Err(Error::InvalidSetting { .. })), "{odd}");
        }
    }
}
