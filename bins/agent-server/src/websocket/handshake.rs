//! Who may open a connection, and with which credential.

use crate::cors::Cors;
use crate::error::{ApiError, ErrorCode, Result};
use crate::extract::credential;
use actix_web::http::header::{HOST, HeaderMap, ORIGIN, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use agent_auth::Credential;

/// The subprotocol of this server; the only one that is ever echoed.
pub(crate) const PROTOCOL: &str = "agent.v1";
const BEARER_PREFIX: &str = "bearer.";

/// What a client asks for when it opens a connection.
pub(crate) struct Handshake<'a> {
    /// The credential it shows; `None` when it will say who it is in its first message.
    pub(crate) credential: Option<Credential<'a>>,
}

impl<'a> Handshake<'a> {
    /// Reads the headers of the opening request; pages of listed origins may open connections too.
    ///
    /// # Errors
    /// 403 for a foreign origin, 426 for a plain request, 400 for two credentials, 401 for an unreadable one.
    pub(crate) fn read(headers: &'a HeaderMap, cors: &Cors) -> Result<Self> {
        let upgrade = headers.get(UPGRADE).and_then(|value| value.to_str().ok());
        if !upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket")) {
            let error = ApiError::new(ErrorCode::UpgradeRequired, "this path speaks WebSocket only");
            return Err(error.with_header("Upgrade", "websocket"));
        }
        if cors.listed(headers).is_none() {
            refuse_foreign_origin(headers)?;
        }
        let header = credential(headers)?;
        let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).filter_map(|value| value.to_str().ok());
        let mut bearers = offered
            .flat_map(|list| list.split(','))
            .filter_map(|protocol| protocol.trim().strip_prefix(BEARER_PREFIX));
        let bearer = bearers.next();
        if bearers.next().is_some() || (header.is_some() && bearer.is_some()) {
            return Err(ApiError::new(
                ErrorCode::AmbiguousCredentials,
                "the request shows more than one credential",
            ));
        }
        Ok(Self { credential: header.or(bearer.map(Credential::Bearer)) })
    }
}

/// A browser sends the origin of the page that opens the connection; programs send none. Only pages that
/// this server delivered itself, or that are listed, may connect, or any page could use its visitor's network position.
fn refuse_foreign_origin(headers: &HeaderMap) -> Result<()> {
    let mut origins = headers.get_all(ORIGIN);
    let Some(origin) = origins.next() else { return Ok(()) };
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let origin = origin.to_str().unwrap_or_default();
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    let is_own = authority.is_some_and(|authority| !host.is_empty() && authority.eq_ignore_ascii_case(host));
    if is_own && origins.next().is_none() {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::ForeignOrigin, format!("pages of {origin:.200} may not connect")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn read(pairs: &[(&str, &'static str)]) -> Result<Option<String>, ErrorCode> {
        let mut headers = HeaderMap::new();
        for (name, value) in [("upgrade", "websocket"), ("host", "localhost:8000")].iter().chain(pairs) {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_static(value));
        }
        let cors = Cors::new(vec!["https://app.example:8443".to_owned()]);
        let handshake = Handshake::read(&headers, &cors).map_err(|error| error.code)?;
        Ok(handshake.credential.map(|credential| match credential {
            Credential::Bearer(text) | Credential::ApiKey(text) => text.to_owned(),
        }))
    }

    #[test]
    fn the_credential_comes_from_a_header_or_the_subprotocol_or_later() {
        assert_eq!(read(&[("authorization", "Bearer abc")]), Ok(Some("abc".to_owned())));
        assert_eq!(read(&[("sec-websocket-protocol", "agent.v1, bearer.abc")]), Ok(Some("abc".to_owned())));
        assert_eq!(read(&[("sec-websocket-protocol", "agent.v1")]), Ok(None));
        let both = [("authorization", "Bearer a"), ("sec-websocket-protocol", "bearer.b")];
        assert_eq!(read(&both), Err(ErrorCode::AmbiguousCredentials));
    }

    #[test]
    fn w04_only_pages_of_this_server_and_listed_ones_may_connect() {
        assert_eq!(read(&[("origin", "http://localhost:8000")]), Ok(None));
        assert_eq!(read(&[("origin", "https://app.example:8443")]), Ok(None));
        for origin in [
            "http://evil.example",
            "null",
            "http://localhost:8000.evil.example",
            "http://localhost",
            "",
            "https://app.example",
            "http://app.example:8443",
        ] {
            assert_eq!(read(&[("origin", origin)]), Err(ErrorCode::ForeignOrigin), "{origin}");
        }
    }
}
