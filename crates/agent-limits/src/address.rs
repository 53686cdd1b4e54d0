//! Addresses as keys.

use std::net::{IpAddr, Ipv6Addr};

/// What a caller cannot change at will about an address, for use as a key: an IPv4 address itself, also when it is
/// written as IPv6, and of an IPv6 address its /64 network, because even a home has 2^64 addresses in one.
///
/// ```
/// use agent_limits::network_of;
///
/// assert_eq!(network_of("2001:db8:1:2::7".parse()?), "2001:db8:1:2::".parse::<std::net::IpAddr>()?);
/// assert_eq!(network_of("::ffff:192.0.2.1".parse()?), "192.0.2.1".parse::<std::net::IpAddr>()?);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}
