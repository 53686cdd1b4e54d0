//! I15 as properties: no form of an address within the house gets through, and no text makes the parser panic.

use agent_webhooks::{Allowed, Destination, Refused, refused_class};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks as RFC 6890 and its successors list them, written down once more and independently of the product.
const REFUSED: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 3),
];

fn refused_v4() -> impl Strategy<Value = Ipv4Addr> {
    (proptest::sample::select(REFUSED), any::<u32>()).prop_map(|((net, length), random)| {
        Ipv4Addr::from(u32::from_be_bytes(net) | random & (u32::MAX >> length))
    })
}

/// Every form of IPv6 address that holds this one, with the rest of it at random.
fn wrapped(inner: Ipv4Addr, random: u128) -> Vec<Ipv6Addr> {
    let v4 = u128::from(u32::from(inner));
    let high = |prefix: u128, bits: u32| prefix << (128 - bits);
    let global = 0x2000_u128 << 112 | (random & (u128::MAX >> 3));
    let low_64 = random & u128::from(u64::MAX);
    [
        high(0xffff, 96) | v4,
        v4,
        high(0xffff_0000, 96) | v4,
        high(0x0064_ff9b, 32) | v4,
        high(0x0064_ff9b_0001, 48) | (random & (u128::MAX >> 48) & !0xffff_ffff) | v4,
        high(0x2002, 16) | v4 << 80 | (random & (u128::MAX >> 48)),
        high(0x2001_0000, 32) | v4 << 64 | low_64,
        high(0x2001_0000, 32) | (low_64 << 32 & !0xffff_ffff) & (u128::MAX >> 32) | (v4 ^ 0xffff_ffff),
        global & !u128::from(u64::MAX) | 0x5efe << 32 | v4,
        global & !u128::from(u64::MAX) | 0x0200_5efe << 32 | v4,
    ]
    .map(Ipv6Addr::from)
    .to_vec()
}

/// Every way in which an IPv4 address can be written in a URL.
fn spelled(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let (bits, low_24, low_16) =
        (u32::from(address), u32::from(address) & 0xff_ffff, u32::from(address) & 0xffff);
    vec![
        format!("{a}.{b}.{c}.{d}"),
        format!("{a}.{b}.{c}.{d}."),
        format!("{bits}"),
        format!("{bits:#x}"),
        format!("0X{bits:X}"),
        format!("0{bits:o}"),
        format!("{a}.{low_24}"),
        format!("{a}.{b}.{low_16}"),
        format!("{a:#x}.{b}.0{c:o}.{d}"),
        format!("{a:#04x}.{low_24:#x}"),
        format!("%{:02x}{}.{b}.{c}.{d}", a.to_string().as_bytes()[0], &a.to_string()[1..]),
        format!("{a}。{b}．{c}｡{d}"),
    ]
}

fn parse(host: &str) -> Result<Destination, Refused> {
    Destination::parse(&format!("https://{host}/"), &Allowed::default())
}

fn is_refused_address(host: &str) -> bool {
    matches!(parse(host), Err(Refused::Address { .. }))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn i15_no_refused_address_gets_through_in_any_form_of_an_ipv6_address(inner in refused_v4(), random: u128) {
        prop_assert!(refused_class(IpAddr::V4(inner)).is_some());
        for address in wrapped(inner, random) {
            prop_assert!(refused_class(IpAddr::V6(address)).is_some(), "{inner} in {address}");
            prop_assert!(is_refused_address(&format!("[{address}]")), "{inner} in [{address}]");
            let s = address.segments();
            let long = format!("[{:x}:{:X}:{:04x}:{:x}:{:x}:{:x}:{inner2}]", s[0], s[1], s[2], s[3], s[4], s[5],
                inner2 = Ipv4Addr::from(u32::from(s[6]) << 16 | u32::from(s[7])));
            prop_assert!(is_refused_address(&long), "{inner} in {long}");
        }
    }

    #[test]
    fn i15_no_refused_address_gets_through_in_any_spelling(address in refused_v4()) {
        for text in spelled(address) {
            prop_assert!(is_refused_address(&text), "{address} as {text}");
        }
    }

    #[test]
    fn i15_every_spelling_means_one_address(bits: u32) {
        let address = Ipv4Addr::from(bits);
        let plain = parse(&address.to_string());
        for text in spelled(address) {
            prop_assert_eq!(&parse(&text), &plain, "{} as {}", address, text);
        }
    }

    #[test]
    fn i15_whatever_the_standard_library_calls_special_is_refused(bits: u32, wide: u128) {
        let v4 = Ipv4Addr::from(bits);
        let is_special = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_broadcast()
            || v4.is_documentation() || v4.is_multicast() || v4.is_unspecified();
        prop_assert!(!is_special || refused_class(v4.into()).is_some(), "{}", v4);
        let in_lists = REFUSED.iter().any(|(net, length)| {
            (u32::from_be_bytes(*net) ^ bits) >> (32 - length) == 0
        });
        let beyond_lists = v4.octets()[..3] == [192, 88, 99] || v4.octets() == [168, 63, 129, 16];
        prop_assert_eq!(refused_class(v4.into()).is_some(), in_lists || beyond_lists, "{}", v4);
        let v6 = Ipv6Addr::from(wide);
        let is_global_unicast = wide >> 125 == 1;
        prop_assert!(is_global_unicast || refused_class(v6.into()).is_some(), "{}", v6);
    }

    #[test]
    fn i15_no_text_makes_the_parser_panic(text in any::<String>(), tail in ".{0,60}") {
        let allowed = Allowed::hosts(["localhost:9000"]).unwrap().with_plain_http(true);
        for text in [text, format!("https://{tail}"), format!("http://[{tail}]:0"), format!("https://{tail}.:1/#")] {
            let _ = Allowed::hosts([text.as_str()]);
            let Ok(destination) = Destination::parse(&text, &allowed) else { continue };
            let again = Destination::parse(destination.as_str(), &allowed);
            prop_assert_eq!(again.as_ref(), Ok(&destination), "reading {} again", destination.as_str());
            prop_assert!(!destination.host().ends_with('.'));
            prop_assert_ne!(destination.port(), 0);
        }
    }

    #[test]
    fn i15_what_is_accepted_is_public_or_a_name(host in "[0-9a-fxA-FX.:%\\[\\]]{1,24}") {
        let Ok(destination) = parse(&host) else { return Ok(()) };
        let bare = destination.host();
        if let Ok(address) = bare.trim_matches(['[', ']']).parse::<IpAddr>() {
            prop_assert!(refused_class(address).is_none(), "{} as {}", host, address);
        }
    }
}
