//! Origins of browser pages, checked to be what browsers send: anything else would never match, and nobody would know.

use super::wrong;
use crate::error::Result;

const RIGHT: &str = "an origin as browsers send it, such as https://app.example or http://localhost:3000: http or https, \
    a host in lower case, a port unless it is the usual one, and nothing behind it; neither * nor null";

/// The origins, each of which is one.
pub(super) fn origins(given: Option<Vec<String>>) -> Result<Vec<String>> {
    let given = given.unwrap_or_default();
    match given.iter().find(|origin| !is_origin(origin)) {
        Some(origin) => Err(wrong("cors_origins", origin, RIGHT)),
        None => Ok(given),
    }
}

fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let usual_port = match scheme {
        "http" => "80",
        "https" => "443",
        _ => return false,
    };
    // The colons of an IPv6 address are within brackets.
    let host_end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let (_, behind) = authority.split_at(host_end);
    let (name, port) = behind.split_once(':').map_or((behind, None), |(name, port)| (name, Some(port)));
    let host = &authority[..host_end + name.len()];
    is_host(host) && port.is_none_or(|port| port != usual_port && is_port(port))
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok_and(|parsed| parsed.to_string() == address);
    }
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
    !host.is_empty() && host.bytes().all(allowed)
}

fn is_port(port: &str) -> bool {
    port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_sends_is_an_origin() {
        for origin in [
            "https://app.example",
            "https://app.example:8443",
            "http://localhost:3000",
            "http://127.0.0.1",
            "http://[::1]:8080",
            "https://xn--bcher-kva.example",
        ] {
            assert!(is_origin(origin), "{origin}");
        }
    }

    #[test]
    fn what_no_browser_sends_is_refused_in_words() {
        for text in [
            "*",
            "null",
            "",
            "app.example",
            "https://",
            "https://*.example",
            "https://app.example/",
            "https://app.example/path",
            "https://App.example",
            "https://ada@app.example",
            "https://app.example:443",
            "http://app.example:80",
            "https://app.example:0",
            "https://app.example:08443",
            "https://app.example:",
            "https://app.example:99999",
            "http://[::1",
            "http://[0:0::1]",
            "ftp://app.example",
            "https://a b",
        ] {
            let error = origins(Some(vec!["https://good.example".to_owned(), text.to_owned()])).unwrap_err();
            let error = error.to_string();
            assert!(error.starts_with(&format!("cors_origins: {text:?} is not an origin")), "{error}");
        }
    }
}
