//! Where the servers of NATS are, and as whom to connect. Kept apart, so that no password is part of an address.

use crate::error::{Error, Result};
use async_nats::{ConnectOptions, ServerAddr};
use std::fmt;

/// The servers of one NATS. Shown, it is without its credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct BusAddress {
    servers: Vec<String>,
    credentials: Credentials,
}

#[derive(Clone, PartialEq, Eq)]
enum Credentials {
    None,
    Token(String),
    Password { user: String, password: String },
}

impl BusAddress {
    /// Reads `nats://HOST:PORT`, with `USER:PASSWORD@` or `TOKEN@` before the host, or `tls://`; several, separated
    /// by commas, are servers of one cluster and take the same credentials.
    ///
    /// # Errors
    /// [`Error::BusAddress`], which says what is wrong and repeats nothing.
    pub fn parse(text: &str) -> Result<Self> {
        let mut address = Self { servers: Vec::new(), credentials: Credentials::None };
        for one in text.split(',').map(str::trim) {
            let (server, credentials) = read(one)?;
            address.servers.push(server);
            if credentials == Credentials::None || credentials == address.credentials {
                continue;
            }
            if address.credentials != Credentials::None {
                return Err(Error::BusAddress("servers of one NATS take the same credentials"));
            }
            address.credentials = credentials;
        }
        Ok(address)
    }

    pub(super) fn servers(&self) -> Result<Vec<ServerAddr>> {
        self.servers.iter().map(|server| server_address(server)).collect()
    }

    pub(super) fn options(&self) -> ConnectOptions {
        match &self.credentials {
            Credentials::None => ConnectOptions::new(),
            Credentials::Token(token) => ConnectOptions::with_token(token.clone()),
            Credentials::Password { user, password } => {
                ConnectOptions::with_user_and_password(user.clone(), password.clone())
            }
        }
    }
}

impl fmt::Display for BusAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.servers.join(","))
    }
}

impl fmt::Debug for BusAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn server_address(server: &str) -> Result<ServerAddr> {
    server.parse().map_err(|_may_repeat_it: std::io::Error| Error::BusAddress("this is no address of a host"))
}

fn read(text: &str) -> Result<(String, Credentials)> {
    let split = text.split_once("://").filter(|(scheme, _)| ["nats", "tls"].contains(scheme));
    let (scheme, rest) =
        split.ok_or(Error::BusAddress("the address begins with neither nats:// nor tls://"))?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (login, place) = rest.rsplit_once('@').map_or((None, rest), |(login, place)| (Some(login), place));
    let server = format!("{scheme}://{place}");
    if place.is_empty() || place.contains(['/', '?', '#']) {
        return Err(Error::BusAddress("the address names a host, and a port at most"));
    }
    server_address(&server)?;
    let credentials = match login.map(|login| (login, login.split_once(':'))) {
        None => Credentials::None,
        Some((token, None)) => Credentials::Token(decoded(token)?),
        Some((_, Some((user, password)))) => {
            Credentials::Password { user: decoded(user)?, password: decoded(password)? }
        }
    };
    Ok((server, credentials))
}

/// Undoes percent-encoding (RFC 3986, section 2.1).
fn decoded(text: &str) -> Result<String> {
    let wrong = || Error::BusAddress("the credentials are not percent-encoded text");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, others)) = rest.split_first() {
        rest = others;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, others) = rest.split_at_checked(2).ok_or_else(wrong)?;
        let digits = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or_else(wrong)?);
        rest = others;
    }
    String::from_utf8(bytes).map_err(|_not_utf8| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart_and_shown_without_credentials() {
        let password = |user: &str, password: &str| Credentials::Password {
            user: user.to_owned(),
            password: password.to_owned(),
        };
        let cases = [
            ("nats://one:4222", "nats://one:4222", Credentials::None),
            ("tls://one/", "tls://one", Credentials::None),
            ("nats://ada:s3cret@one", "nats://one", password("ada", "s3cret")),
            ("nats://ada:a%40b%2Fc%25@[::1]:4222", "nats://[::1]:4222", password("ada", "a@b/c%")),
            ("nats://s3cret@one", "nats://one", Credentials::Token("s3cret".to_owned())),
            ("nats://a:s3cret@one, nats://two", "nats://one,nats://two", password("a", "s3cret")),
        ];
        for (text, shown, credentials) in cases {
            let address = BusAddress::parse(text).unwrap();
            assert_eq!(address.to_string(), shown);
            assert!(address.credentials == credentials, "{text}");
            assert_eq!(format!("{address:?}"), shown);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        let wrong = [
            "",
            "one:4222",
            "http://s3cret@one",
            "nats://",
            "nats://a:s3cret@",
            "nats://a:s3cret@one:x",
            "nats://a:s3cret%4@one",
            "nats://a:s3cret%zz@one",
            "nats://a:s3cret%ff@one",
            "nats://a:s3cret@one/stream",
            "nats://a:s3cret@one,nats://b:s3cret@two",
        ];
        for text in wrong {
            let Err(error) = BusAddress::parse(text) else { panic!("{text} was taken") };
            let words = format!("{error} {error:?}");
            assert!(words.contains("nats://HOST") || words.contains("BusAddress"), "{words}");
            assert!(!words.contains("s3cret"), "{words}");
        }
    }
}
