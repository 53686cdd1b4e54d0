//! Which addresses may be called on behalf of a user: those of the public internet, and what the operator allows.

mod address;
mod allowed;

pub use address::{AddressClass, refused_class};
pub use allowed::{Allowed, NotAnEntry};

use std::fmt;
use std::net::IpAddr;
use url::Url;

/// The longest address that is accepted, in bytes.
const MAX_LENGTH: usize = 2_048;

/// An address that may be called, as far as its text tells. What a name leads to is checked with each call, by
/// [`GuardedClient`](crate::GuardedClient).
///
/// Its text is the one form in which it is kept: lower case, international names in their ASCII form, every spelling
/// of a number as the address it means. `Debug` shows no more than the host, since paths and queries hold keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Destination {
    url: Url,
    host: Host,
    port: u16,
    is_allowed: bool,
}

/// Why an address must not be called, and what may be done instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// It does not fit.
    #[error("the address has {0} bytes; give one of at most 2048")]
    TooLong(usize),
    /// It cannot be read.
    #[error("the address cannot be read: {0}; give one such as https://example.com/hook")]
    Unreadable(String),
    /// Neither https nor http.
    #[error("addresses with {0}: are not called; give one that begins with https://")]
    Scheme(String),
    /// It would go unencrypted.
    #[error("http is not encrypted; give an https address, or ask the operator of the server to allow http")]
    PlainHttp,
    /// A user name or a password in it.
    #[error(
        "the address holds a user name or password, which would show up in logs; leave out what is before the @"
    )]
    UserInfo,
    /// Something behind `#`, which no server ever gets to see.
    #[error("the address has a part behind #, which is never sent; leave it out")]
    Fragment,
    /// No name and no number of a host.
    #[error("the address names no host; give one such as https://example.com/hook")]
    NoHost,
    /// Port 0.
    #[error("port 0 cannot be called; give the port that the receiver listens at")]
    Port,
    /// It is, or leads to, an address within the house.
    #[error(
        "{host} leads to {class}, which is not called; give a public address, or ask the operator of the server to allow {host}:{port}"
    )]
    Address {
        /// The host as it was given.
        host: String,
        /// The port.
        port: u16,
        /// What it leads to. Which address that is stays untold: it would say how the network inside is laid out.
        class: AddressClass,
    },
}

impl Destination {
    /// Reads an address that a user chose.
    ///
    /// # Errors
    /// [`Refused`], which says what may be done.
    pub fn parse(text: &str, allowed: &Allowed) -> Result<Self, Refused> {
        if text.len() > MAX_LENGTH {
            return Err(Refused::TooLong(text.len()));
        }
        let mut url = Url::parse(text).map_err(|error| Refused::Unreadable(error.to_string()))?;
        match url.scheme() {
            "https" => {}
            "http" if allowed.plain_http() => {}
            "http" => return Err(Refused::PlainHttp),
            other => return Err(Refused::Scheme(other.to_owned())),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(Refused::Fragment);
        }
        let host = Host::of(&mut url).ok_or(Refused::NoHost)?;
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(Refused::Port)?;
        let is_allowed = allowed.names(&host, port);
        let destination = Self { url, host, port, is_allowed };
        match destination.host.refused_class() {
            Some(class) if !is_allowed => Err(destination.refused(class)),
            _ => Ok(destination),
        }
    }

    /// The address in its one form.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The host in its one form: a name in lower case without a dot at the end, or an IP address.
    pub fn host(&self) -> String {
        self.host.to_string()
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn named_host(&self) -> &Host {
        &self.host
    }

    /// Refuses an address that the host turned out to have.
    pub(crate) fn check(&self, address: IpAddr) -> Result<(), Refused> {
        match refused_class(address) {
            Some(class) if !self.is_allowed => Err(self.refused(class)),
            _ => Ok(()),
        }
    }

    fn refused(&self, class: AddressClass) -> Refused {
        Refused::Address { host: self.host(), port: self.port, class }
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}/…", self.url.scheme(), self.host, self.port)
    }
}

/// A host, in the one form in which two are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    /// A name, lower case and ASCII, without a dot at the end.
    Name(String),
    /// A number.
    Address(IpAddr),
}

impl Host {
    /// The host of an address, whose name loses its dots at the end; `None` where nothing is left.
    fn of(url: &mut Url) -> Option<Self> {
        let shorter = url.host_str()?.trim_end_matches('.').to_owned();
        // Without its dots a name may turn out to be a number, so that it is read again.
        url.set_host(Some(&shorter)).ok()?;
        match url.host()? {
            url::Host::Domain("") => None,
            url::Host::Domain(name) => Some(Self::Name(name.to_owned())),
            url::Host::Ipv4(address) => Some(Self::Address(address.into())),
            url::Host::Ipv6(address) => Some(Self::Address(address.into())),
        }
    }

    /// What is wrong with it, as far as it tells by itself.
    fn refused_class(&self) -> Option<AddressClass> {
        match self {
            Self::Name(name) => is_localhost(name).then_some(AddressClass::Loopback),
            Self::Address(address) => refused_class(*address),
        }
    }
}

fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}
