//! The names that a command may reach.

use std::net::IpAddr;

/// The ports of HTTP and HTTPS, which an entry without a port stands for.
const USUAL: [u16; 2] = [80, 443];

/// The list of a command.
#[derive(Debug, Clone)]
pub(crate) struct Rules(Vec<Rule>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    host: Host,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// Exactly this name.
    Name(String),
    /// Any name that ends with this, a dot at its beginning included.
    Below(String),
    /// Exactly this address, and no name that leads to it.
    Address(IpAddr),
}

/// What a request is allowed to connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permit {
    /// Addresses of the internet only.
    Public,
    /// Any address, since whoever made the list named the host itself.
    Any,
}

impl Rules {
    /// Reads entries such as `crates.io`, `*.npmjs.org`, `localhost:8080`, `10.0.0.7`, `[2001:db8::1]:443`.
    pub(crate) fn parse(entries: &[String]) -> Result<Self, String> {
        let rule = |entry: &String| {
            Rule::parse(entry).ok_or_else(|| {
                format!("{entry:?} is no host to be let through to: write it as crates.io, *.npmjs.org or host:8080")
            })
        };
        entries.iter().map(rule).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a host, as a request names it, may be reached at a port.
    pub(super) fn permit(&self, host: &str, port: u16) -> Option<Permit> {
        let host = Host::parse(host)?;
        let rule = self.0.iter().find(|rule| rule.covers(&host, port))?;
        let named_itself = match &rule.host {
            Host::Address(_) => true,
            Host::Name(name) => name == "localhost",
            Host::Below(_) => false,
        };
        Some(if named_itself { Permit::Any } else { Permit::Public })
    }
}

impl Rule {
    fn parse(entry: &str) -> Option<Self> {
        let (host, port) = split_port(entry.trim())?;
        let host = match host.strip_prefix("*.") {
            Some(parent) => match Host::parse(parent)? {
                Host::Name(name) => Host::Below(format!(".{name}")),
                _ => return None,
            },
            None => Host::parse(host)?,
        };
        Some(Self { host, port })
    }

    fn covers(&self, host: &Host, port: u16) -> bool {
        let reaches = match (&self.host, host) {
            (Host::Below(parent), Host::Name(name)) => name.len() > parent.len() && name.ends_with(parent),
            (known, asked) => known == asked,
        };
        reaches && self.port.map_or(USUAL.contains(&port), |only| only == port)
    }
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if let Some(address) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            return address.parse().ok().map(IpAddr::V6).map(Self::Address);
        }
        if let Ok(address) = text.parse() {
            return Some(Self::Address(address));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let fits = |label: &str| {
            let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            (1..=63).contains(&label.len()) && label.bytes().all(letters)
        };
        (name.len() <= 253 && name.split('.').all(fits)).then_some(Self::Name(name))
    }
}

/// Splits `host:port`; what stands in brackets, or has more than one colon, is a host without a port otherwise.
pub(super) fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port.parse().ok().filter(|port| digits && *port > 0)?;
            Some((host, Some(port)))
        }
        _ => Some((text, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(entries: &[&str]) -> Rules {
        let entries: Vec<_> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        Rules::parse(&entries).unwrap()
    }

    #[test]
    fn a_name_permits_itself_at_the_usual_ports_only() {
        let rules = rules(&["Crates.io"]);
        for asked in ["crates.io", "CRATES.IO", "crates.io."] {
            assert_eq!(rules.permit(asked, 443), Some(Permit::Public), "{asked}");
        }
        for asked in ["static.crates.io", "evilcrates.io", "crates.io.evil.org", "crates.io:443", "", "."] {
            assert_eq!(rules.permit(asked, 443), None, "{asked}");
        }
        assert_eq!(rules.permit("crates.io", 22), None);
    }

    #[test]
    fn a_star_permits_what_is_below_but_not_the_parent() {
        let rules = rules(&["*.npmjs.org"]);
        assert_eq!(rules.permit("a.b.npmjs.org", 80), Some(Permit::Public));
        for asked in ["npmjs.org", ".npmjs.org", "evilnpmjs.org", "npmjs.org.evil.org"] {
            assert_eq!(rules.permit(asked, 80), None, "{asked}");
        }
    }

    #[test]
    fn a_port_of_an_entry_is_the_only_one() {
        let rules = rules(&["registry.local:8080", "localhost:3000", "10.0.0.7", "[fd00::7]:443"]);
        assert_eq!(rules.permit("registry.local", 8080), Some(Permit::Public));
        assert_eq!(rules.permit("registry.local", 443), None);
        assert_eq!(rules.permit("localhost", 3000), Some(Permit::Any));
        assert_eq!(rules.permit("10.0.0.7", 80), Some(Permit::Any));
        assert_eq!(rules.permit("[fd00::7]", 443), Some(Permit::Any));
        assert_eq!(rules.permit("10.0.0.8", 80), None);
        assert_eq!(rules.permit("127.0.0.1", 3000), None);
    }

    #[test]
    fn what_is_no_host_is_refused_when_the_list_is_read() {
        for wrong in
            ["", "*", "*.", "*.10.0.0.1", "http://crates.io", "a..b", "crates.io:0", "crates.io:99999", "a b"]
        {
            assert!(Rules::parse(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }
}
