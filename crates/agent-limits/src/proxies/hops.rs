//! What proxies wrote into headers, the last one first.
//!
//! Everything is read from the right: there the nearest proxy wrote, and whatever is further left may have been made up
//! by the client. A quote that is left open there must not swallow what follows it.

use super::MAX_HOPS;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The last values of a header, as many as could matter: each has one hop or more.
pub(super) fn last_values<H>(values: impl IntoIterator<Item = H>) -> VecDeque<H> {
    let mut last = VecDeque::new();
    for value in values {
        if last.len() == MAX_HOPS {
            last.pop_front();
        }
        last.push_back(value);
    }
    last
}

/// The addresses of `X-Forwarded-For`; `None` where there is none that can be read.
pub(super) fn of_x_forwarded_for<H: AsRef<[u8]>>(
    values: &VecDeque<H>,
) -> impl Iterator<Item = Option<IpAddr>> {
    values.iter().rev().flat_map(|value| value.as_ref().rsplit(|byte| *byte == b',')).map(address_of)
}

/// The addresses of `Forwarded` (RFC 7239); `None` where there is none that can be read.
pub(super) fn of_forwarded<H: AsRef<[u8]>>(values: &VecDeque<H>) -> impl Iterator<Item = Option<IpAddr>> {
    values.iter().rev().flat_map(|value| last_parts_first(value.as_ref(), b',')).map(client_of)
}

/// Who made the request, by one element of `Forwarded`.
fn client_of(element: &[u8]) -> Option<IpAddr> {
    let mut client = None;
    for pair in last_parts_first(element, b';').filter(|pair| !pair.trim_ascii().is_empty()) {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (&pair[..equals], &pair[equals + 1..]);
        if name.trim_ascii().eq_ignore_ascii_case(b"for") && client.replace(value).is_some() {
            return None;
        }
    }
    client.and_then(address_of)
}

/// The parts between separators that are not in quotes.
fn last_parts_first(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let Some(at) = last_separator(text, separator) else { return Some(text) };
        rest = Some(&text[..at]);
        Some(&text[at + 1..])
    })
}

fn last_separator(text: &[u8], separator: u8) -> Option<usize> {
    let mut is_quoted = false;
    for (at, byte) in text.iter().enumerate().rev() {
        if *byte == b'"' && !ends_with_escape(&text[..at]) {
            is_quoted = !is_quoted;
        } else if *byte == separator && !is_quoted {
            return Some(at);
        }
    }
    None
}

fn ends_with_escape(text: &[u8]) -> bool {
    text.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// An address with or without port, brackets and quotes: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`,
/// `"[2001:db8::1]:4711"`. IPv4 written as IPv6 becomes IPv4.
fn address_of(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text.trim_ascii()).ok()?;
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let address: IpAddr = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (address, port) = bracketed.split_once(']')?;
            let is_whole = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
            IpAddr::V6(address.parse::<Ipv6Addr>().ok().filter(|_| is_whole)?)
        }
        None => text.parse().ok().or_else(|| address_before_port(text))?,
    };
    Some(address.to_canonical())
}

fn address_before_port(text: &str) -> Option<IpAddr> {
    let (address, port) = text.split_once(':')?;
    let address: Ipv4Addr = address.parse().ok()?;
    is_port(port).then_some(address.into())
}

/// A number, or a name that hides it (RFC 7239, section 6.2).
fn is_port(text: &str) -> bool {
    let is_number = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    is_number || text.strip_prefix('_').is_some_and(|name| !name.is_empty() && name.bytes().all(is_of_name))
}
