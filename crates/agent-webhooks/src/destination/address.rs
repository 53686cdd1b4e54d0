//! Which addresses belong to the house, in every form that an address can be written or wrapped in.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not one of the public internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddressClass {
    /// This machine itself: `127.0.0.0/8`, `::1`.
    Loopback,
    /// No machine in particular, by which this one is reached: `0.0.0.0/8`, `::`.
    Unspecified,
    /// The same cable: `169.254.0.0/16`, `fe80::/10`.
    LinkLocal,
    /// Where a cloud tells a machine its credentials: `169.254.169.254` and what others use in its place.
    Metadata,
    /// A network of one's own: RFC 1918, and `fec0::/10`.
    Private,
    /// Shared among the customers of a provider: `100.64.0.0/10`.
    SharedByProvider,
    /// A network of one's own: `fc00::/7`.
    UniqueLocal,
    /// Many at once: `224.0.0.0/4`, `ff00::/8`.
    Multicast,
    /// Everybody on the same cable: `255.255.255.255`.
    Broadcast,
    /// For documents, measurements, tunnels, or not given to anybody.
    Reserved,
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "a loopback address",
            Self::Unspecified => "an unspecified address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "an address of cloud metadata",
            Self::Private => "a private address",
            Self::SharedByProvider => "an address shared by a provider",
            Self::UniqueLocal => "a unique local address",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "the broadcast address",
            Self::Reserved => "a reserved address",
        })
    }
}

/// A network: whatever agrees with an address in its first bits.
type Net<T> = (T, u32, AddressClass);

const fn v4(a: u8, b: u8, c: u8, d: u8) -> u32 {
    u32::from_be_bytes([a, b, c, d])
}

/// The special-purpose networks of IANA's registry for IPv4; the first that fits counts.
const V4: &[Net<u32>] = &[
    (v4(255, 255, 255, 255), 32, AddressClass::Broadcast),
    (v4(169, 254, 169, 254), 32, AddressClass::Metadata),
    // Azure's, which is public by its number and leads to the host all the same.
    (v4(168, 63, 129, 16), 32, AddressClass::Metadata),
    (v4(100, 100, 100, 200), 32, AddressClass::Metadata),
    (v4(192, 0, 0, 192), 32, AddressClass::Metadata),
    (v4(0, 0, 0, 0), 8, AddressClass::Unspecified),
    (v4(10, 0, 0, 0), 8, AddressClass::Private),
    (v4(100, 64, 0, 0), 10, AddressClass::SharedByProvider),
    (v4(127, 0, 0, 0), 8, AddressClass::Loopback),
    (v4(169, 254, 0, 0), 16, AddressClass::LinkLocal),
    (v4(172, 16, 0, 0), 12, AddressClass::Private),
    (v4(192, 0, 0, 0), 24, AddressClass::Reserved),
    (v4(192, 0, 2, 0), 24, AddressClass::Reserved),
    (v4(192, 88, 99, 0), 24, AddressClass::Reserved),
    (v4(192, 168, 0, 0), 16, AddressClass::Private),
    (v4(198, 18, 0, 0), 15, AddressClass::Reserved),
    (v4(198, 51, 100, 0), 24, AddressClass::Reserved),
    (v4(203, 0, 113, 0), 24, AddressClass::Reserved),
    (v4(224, 0, 0, 0), 4, AddressClass::Multicast),
    (v4(240, 0, 0, 0), 4, AddressClass::Reserved),
];

const fn v6(high: u64, low: u64) -> u128 {
    (high as u128) << 64 | low as u128
}

/// The special-purpose networks of IPv6; the first that fits counts. All that is not `2000::/3` is refused besides.
const V6: &[Net<u128>] = &[
    (v6(0, 0), 128, AddressClass::Unspecified),
    (v6(0, 1), 128, AddressClass::Loopback),
    (v6(0xfd00_0ec2_0000_0000, 0x254), 128, AddressClass::Metadata),
    (v6(0xfd20_00ce_0000_0000, 0x254), 128, AddressClass::Metadata),
    (v6(0xfe80_0000_0000_0000, 0), 10, AddressClass::LinkLocal),
    (v6(0xfec0_0000_0000_0000, 0), 10, AddressClass::Private),
    (v6(0xfc00_0000_0000_0000, 0), 7, AddressClass::UniqueLocal),
    (v6(0xff00_0000_0000_0000, 0), 8, AddressClass::Multicast),
    (v6(0x2001_0000_0000_0000, 0), 23, AddressClass::Reserved),
    (v6(0x2001_0db8_0000_0000, 0), 32, AddressClass::Reserved),
    (v6(0x2002_0000_0000_0000, 0), 16, AddressClass::Reserved),
    (v6(0x3fff_0000_0000_0000, 0), 20, AddressClass::Reserved),
];

/// Why this address must not be called; `None` where it is one of the public internet.
///
/// An IPv4 address wrapped in an IPv6 one (mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP) counts as
/// what it wraps. A translation prefix that a network made up for itself cannot be told from any other prefix.
pub fn refused_class(address: IpAddr) -> Option<AddressClass> {
    match address {
        IpAddr::V4(address) => refused_v4(address),
        IpAddr::V6(address) => refused_v6(address),
    }
}

fn refused_v4(address: Ipv4Addr) -> Option<AddressClass> {
    let bits = u32::from(address);
    let in_net = |net: &&Net<u32>| (bits ^ net.0) >> (32 - net.1) == 0;
    V4.iter().find(in_net).map(|net| net.2)
}

fn refused_v6(address: Ipv6Addr) -> Option<AddressClass> {
    let bits = u128::from(address);
    let in_net = |net: &&Net<u128>| (bits ^ net.0) >> (128 - net.1) == 0;
    let known = V6.iter().find(in_net);
    if let Some(single) = known.filter(|net| net.1 == 128) {
        return Some(single.2);
    }
    if let Some(class) = wrapped(address).into_iter().flatten().find_map(refused_v4) {
        return Some(class);
    }
    let is_global = bits >> 125 == 1 || is_mapped_or_nat64(bits);
    known.map(|net| net.2).or_else(|| (!is_global).then_some(AddressClass::Reserved))
}

/// The two forms in which public IPv4 addresses are really reached: `::ffff:0:0/96` and `64:ff9b::/96`.
fn is_mapped_or_nat64(bits: u128) -> bool {
    [v6(0, 0xffff_0000_0000), v6(0x0064_ff9b_0000_0000, 0)].iter().any(|net| (bits ^ net) >> 32 == 0)
}

/// The IPv4 addresses that an IPv6 address may lead to.
fn wrapped(address: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let s = address.segments();
    let pair = |high: u16, low: u16| Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    let last = pair(s[6], s[7]);
    match s {
        // Compatible, mapped, translated.
        [0, 0, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => [last, None],
        // NAT64.
        [0x64, 0xff9b, ..] => [last, None],
        // 6to4.
        [0x2002, ..] => [pair(s[1], s[2]), None],
        // Teredo: its server, and its client with all bits turned.
        [0x2001, 0, ..] => [pair(s[2], s[3]), pair(!s[6], !s[7])],
        // ISATAP, within any prefix.
        [_, _, _, _, 0 | 0x200, 0x5efe, ..] => [last, None],
        _ => [None, None],
    }
}
