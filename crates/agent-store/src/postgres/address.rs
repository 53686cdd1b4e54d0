//! What the address of a PostgreSQL server says, in the words of libpq.

use crate::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// A server that does not answer within this is not there.
const CONNECT: Duration = Duration::from_secs(3);
/// What was sent and is not received within this will not be: the connection is lost. The timers of the operating system come
/// late by up to a second or two, and a silent server is to be noticed within five.
const UNACKNOWLEDGED: Duration = Duration::from_secs(3);
/// While an answer is awaited, the other side is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(2);
const ASK_EVERY: Duration = Duration::from_secs(1);
const ASK_TIMES: u32 = 3;

/// How much is asked of the certificate of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Nothing.
    Anybody,
    /// It must come from one of these authorities.
    Issued(Roots),
    /// It must also be made out to the name in the address.
    Named(Roots),
}

/// Which authorities count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Roots {
    /// Those of the system.
    System,
    /// Those in this file.
    File(PathBuf),
}

/// Where a database is, and how it is spoken to.
pub(crate) struct Address {
    config: Config,
    trust: Trust,
}

impl Address {
    /// Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…&sslrootcert=FILE` and what else libpq has.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        let Query { rest, mode, roots } = Query::of(url);
        let mut config = Config::from_str(&rest).map_err(|error| Error::Address(with_source(&error)))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(Error::Address(
                "it names no host; give postgres://USER:PASSWORD@HOST/DATABASE".into(),
            ));
        }
        let (ssl, trust) = encryption(mode.as_deref(), roots.as_deref())?;
        // A socket file leaves the machine on no wire; like libpq, whatever the mode.
        let local = config.get_hosts().iter().any(|host| !matches!(host, Host::Tcp(_)));
        config.ssl_mode(if local { SslMode::Disable } else { ssl });
        set_patience(&mut config, &rest);
        Ok(Self { config, trust })
    }

    /// How to connect.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// How much is asked of the server's certificate.
    pub(super) fn trust(&self) -> &Trust {
        &self.trust
    }
}

/// `USER@HOST:PORT/DATABASE`: nothing of it is secret.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        for (n, host) in self.config.get_hosts().iter().enumerate() {
            let separator = if n == 0 { "" } else { "," };
            match host {
                Host::Tcp(name) => write!(f, "{separator}{name}")?,
                #[cfg(unix)]
                Host::Unix(folder) => write!(f, "{separator}{}", folder.display())?,
            }
        }
        if self.config.get_hosts().is_empty()
            && let Some(address) = self.config.get_hostaddrs().first()
        {
            write!(f, "{address}")?;
        }
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        write!(f, ":{port}/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self}, {:?})", self.trust)
    }
}

/// The options that `tokio-postgres` does not know in full, taken out.
struct Query {
    rest: String,
    mode: Option<String>,
    roots: Option<String>,
}

impl Query {
    fn of(url: &str) -> Self {
        // A password may hold a question mark.
        let host = url.find('@').unwrap_or(0);
        let options = url[host..].find('?').map_or(url.len(), |at| host + at);
        let (base, options) = url.split_at(options);
        let mut query = Self { rest: base.to_owned(), mode: None, roots: None };
        let mut separator = '?';
        for option in options.trim_start_matches('?').split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("sslmode", value)) => query.mode = Some(decoded(value)),
                Some(("sslrootcert", value)) => query.roots = Some(decoded(value)),
                _ => {
                    query.rest.push(separator);
                    query.rest.push_str(option);
                    separator = '&';
                }
            }
        }
        query
    }
}

/// Undoes percent encoding; what is none is taken as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digit = |at: usize| tail.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.extend(u8::try_from(high * 16 + low));
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What `sslmode` and `sslrootcert` mean together (libpq, "SSL support", table 34.1).
fn encryption(mode: Option<&str>, roots: Option<&str>) -> Result<(SslMode, Trust), Error> {
    let system = roots == Some("system");
    let roots = match roots {
        Some("system") => Some(Roots::System),
        Some(path) => Some(Roots::File(PathBuf::from(path))),
        None => None,
    };
    // With a root certificate at hand libpq checks against it in the weaker modes too.
    let issued = |roots: Option<Roots>| roots.map_or(Trust::Anybody, Trust::Issued);
    let default = if system { "verify-full" } else { "prefer" };
    match mode.unwrap_or(default) {
        "disable" => Ok((SslMode::Disable, Trust::Anybody)),
        "verify-full" => Ok((SslMode::Require, Trust::Named(roots.unwrap_or(Roots::System)))),
        _ if system => Err(Error::Address("sslrootcert=system asks for sslmode=verify-full".into())),
        "prefer" => Ok((SslMode::Prefer, issued(roots))),
        "require" => Ok((SslMode::Require, issued(roots))),
        "verify-ca" => Ok((SslMode::Require, Trust::Issued(roots.unwrap_or(Roots::System)))),
        other => Err(Error::Address(format!(
            "sslmode={other:.20} is none of disable, prefer, require, verify-ca, verify-full"
        ))),
    }
}

/// Notices within seconds that a server is gone, unless the address says otherwise.
fn set_patience(config: &mut Config, rest: &str) {
    let unsaid = |option: &str| !rest.contains(option);
    if config.get_application_name().is_none() {
        config.application_name("agent");
    }
    if unsaid("connect_timeout=") {
        config.connect_timeout(CONNECT);
    }
    if unsaid("tcp_user_timeout=") {
        config.tcp_user_timeout(UNACKNOWLEDGED);
    }
    if unsaid("keepalives_idle=") {
        config.keepalives_idle(SILENCE);
    }
    if unsaid("keepalives_interval=") {
        config.keepalives_interval(ASK_EVERY);
    }
    if unsaid("keepalives_retries=") {
        config.keepalives_retries(ASK_TIMES);
    }
}

fn with_source(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> (SslMode, Trust) {
        let address = Address::parse(&format!("postgres://ada:sec%3Fret@db.example/agent{query}")).unwrap();
        (address.config.get_ssl_mode(), address.trust)
    }

    #[test]
    fn sslmode_means_what_libpq_means() {
        let file = || Roots::File("/etc/root ca.pem".into());
        let cases = [
            ("", SslMode::Prefer, Trust::Anybody),
            ("?sslmode=disable", SslMode::Disable, Trust::Anybody),
            ("?sslmode=require", SslMode::Require, Trust::Anybody),
            ("?sslrootcert=/etc/root%20ca.pem&sslmode=require", SslMode::Require, Trust::Issued(file())),
            ("?sslmode=verify-ca", SslMode::Require, Trust::Issued(Roots::System)),
            ("?sslmode=verify-full&sslrootcert=/etc/root ca.pem", SslMode::Require, Trust::Named(file())),
            ("?sslrootcert=system", SslMode::Require, Trust::Named(Roots::System)),
        ];
        for (query, mode, trust) in cases {
            assert_eq!(read(query), (mode, trust), "{query}");
        }
        for wrong in ["?sslmode=verify", "?sslmode=require&sslrootcert=system", "?sslmod=require"] {
            let refused =
                Address::parse(&format!("postgres://ada:secret@db.example/agent{wrong}")).unwrap_err();
            assert!(!format!("{refused} {refused:?}").contains("secret"), "{refused:?}");
        }
    }

    #[test]
    fn other_options_stay_and_what_is_shown_holds_no_password() {
        let url = "postgresql://ada:s?ecret@db.example:5433/agent?connect_timeout=7&sslmode=require";
        let address = Address::parse(url).unwrap();
        assert_eq!(address.config.get_connect_timeout(), Some(&Duration::from_secs(7)));
        assert_eq!(address.config.get_password(), Some(&b"s?ecret"[..]));
        assert_eq!(address.config.get_tcp_user_timeout(), Some(&UNACKNOWLEDGED));
        assert_eq!(address.to_string(), "ada@db.example:5433/agent");
        assert!(!format!("{address:?}").contains("ecret"));
    }

    #[test]
    fn a_socket_file_needs_no_encryption_and_a_host_must_be_named() {
        let address = Address::parse("postgres://ada@%2Frun%2Fpostgresql/agent?sslmode=verify-full").unwrap();
        assert_eq!(address.config.get_ssl_mode(), SslMode::Disable);
        assert!(matches!(Address::parse("postgres:///agent"), Err(Error::Address(_))));
    }
}
