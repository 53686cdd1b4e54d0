//! Networks of proxies, as the settings name them.

use crate::error::{Error, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The bits of an IPv6 address before the IPv4 address that is written as one (`::ffff:0:0/96`, RFC 4291).
const MAPPED_PREFIX: u8 = 96;

/// A network: its first address, and how many leading bits all its addresses share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    first: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether an address is in the network; IPv4 must not be written as IPv6.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        first_of(address, self.prefix) == self.first
    }
}

impl FromStr for Network {
    type Err = Error;

    fn from_str(entry: &str) -> Result<Self> {
        read(entry.trim()).map_err(|reason| Error::Proxy { entry: entry.to_owned(), reason })
    }
}

fn read(entry: &str) -> Result<Network, String> {
    let (address, prefix) = match entry.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (entry, None),
    };
    let address: IpAddr = address.parse().map_err(|_invalid| format!("{address:?} is no address"))?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        Some(text) => prefix_of(text, most).ok_or(format!("/{text} is not between /0 and /{most}"))?,
        None => most,
    };
    let first = first_of(address, prefix);
    if first != address {
        return Err(format!("bits are set behind its prefix; the network is {first}/{prefix}"));
    }
    match (address, first.to_canonical()) {
        (IpAddr::V6(_), IpAddr::V4(first)) => {
            Ok(Network { first: first.into(), prefix: prefix.saturating_sub(MAPPED_PREFIX) })
        }
        _ => Ok(Network { first, prefix }),
    }
}

fn prefix_of(text: &str, most: u8) -> Option<u8> {
    let is_plain = text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|prefix| is_plain && *prefix <= most)
}

/// The first address of the network of that prefix.
fn first_of(address: IpAddr, prefix: u8) -> IpAddr {
    let kept = u32::from(prefix);
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(kept)).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(kept)).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}
