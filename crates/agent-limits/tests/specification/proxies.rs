//! From which address a request comes, whatever its headers claim.

use crate::address;
use agent_limits::{ForwardingHeader, TrustedProxies};
use proptest::prelude::*;
use std::net::IpAddr;

const PROXY: &str = "10.0.0.1";
const NONE: [&str; 0] = [];

fn proxies(header: ForwardingHeader) -> TrustedProxies {
    TrustedProxies::parse(["10.0.0.0/8", "2001:db8:ffff::/48"]).unwrap().reading(header)
}

/// The client by the values of `X-Forwarded-For`, behind a trusted proxy.
fn by_simple(values: &[&str]) -> String {
    proxies(ForwardingHeader::Either).client(address(PROXY), values, NONE).to_string()
}

/// The client by the values of `Forwarded`, behind a trusted proxy.
fn by_standard(values: &[&str]) -> String {
    proxies(ForwardingHeader::Either).client(address(PROXY), NONE, values).to_string()
}

#[test]
fn a33_the_headers_of_an_untrusted_peer_mean_nothing() {
    for header in [ForwardingHeader::Either, ForwardingHeader::XForwardedFor, ForwardingHeader::Forwarded] {
        let client = proxies(header).client(address("198.51.100.7"), ["203.0.113.9"], ["for=203.0.113.9"]);
        assert_eq!(client, address("198.51.100.7"));
    }
    let nobody = TrustedProxies::default();
    assert_eq!(nobody.client(address("127.0.0.1"), ["203.0.113.9"], NONE), address("127.0.0.1"));
}

#[test]
fn a33_what_a_client_claims_before_the_trusted_proxy_adds_its_address_is_never_reached() {
    assert_eq!(by_simple(&["203.0.113.9, 198.51.100.7"]), "198.51.100.7");
    assert_eq!(by_simple(&["203.0.113.9", "198.51.100.7"]), "198.51.100.7");
    assert_eq!(by_simple(&["203.0.113.9, 10.9.9.9, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
    assert_eq!(by_standard(&["for=203.0.113.9, for=198.51.100.7"]), "198.51.100.7");
    assert_eq!(
        by_standard(&["for=203.0.113.9", "for=198.51.100.7;proto=https, for=10.0.0.2"]),
        "198.51.100.7"
    );
}

#[test]
fn the_chain_of_trusted_proxies_is_followed_to_the_first_address_outside() {
    assert_eq!(by_simple(&[]), PROXY);
    assert_eq!(by_simple(&["198.51.100.7"]), "198.51.100.7");
    assert_eq!(by_simple(&["198.51.100.7, 10.0.0.3,10.0.0.2 "]), "198.51.100.7");
    assert_eq!(by_simple(&["198.51.100.7, 2001:db8:ffff::2, ::ffff:10.0.0.3"]), "198.51.100.7");
    assert_eq!(by_simple(&["10.0.0.4, 10.0.0.3"]), "10.0.0.4", "a proxy may ask for itself");
}

#[test]
fn anything_unreadable_ends_the_way_at_the_last_good_address() {
    for unreadable in
        ["unknown", "", "198.51.100", "_hidden", "198.51.100.7:", "1.2.3.4.5", "[::1", "\"", "::1%eth0"]
    {
        let value = format!("203.0.113.9, {unreadable}, 10.0.0.2");
        assert_eq!(by_simple(&[&value]), "10.0.0.2", "{unreadable}");
        assert_eq!(by_simple(&["203.0.113.9", unreadable, "10.0.0.2"]), "10.0.0.2", "{unreadable}");
        assert_eq!(by_simple(&[unreadable]), PROXY, "{unreadable}");
    }
    let bytes: [&[u8]; 3] = [b"203.0.113.9", b"\xff", b"10.0.0.2"];
    let client = proxies(ForwardingHeader::Either).client(address(PROXY), bytes, NONE);
    assert_eq!(client, address("10.0.0.2"));
}

#[test]
fn ports_brackets_and_quotes_are_no_part_of_an_address() {
    for (text, client) in [
        ("1.2.3.4:80", "1.2.3.4"),
        ("\t1.2.3.4\t", "1.2.3.4"),
        ("\"1.2.3.4:80\"", "1.2.3.4"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[::1]:80", "::1"),
        ("\"[2001:db8::1]:4711\"", "2001:db8::1"),
        ("\"[2001:db8::1]:_port\"", "2001:db8::1"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("[::ffff:1.2.3.4]:80", "1.2.3.4"),
    ] {
        assert_eq!(by_simple(&[text]), client, "{text}");
        assert_eq!(by_standard(&[&format!("for={text}")]), client, "{text}");
    }
    for text in
        ["[1.2.3.4]:80", "[::1]80", "[::1]:x", "1.2.3.4:123456", "1.2.3.4:+80", "1.2.3.4:_", "\"1.2.3.4"]
    {
        assert_eq!(by_simple(&[text]), PROXY, "{text}");
        assert_eq!(by_standard(&[&format!("for={text}")]), PROXY, "{text}");
    }
}

#[test]
fn no_more_than_32_steps_are_followed() {
    let chain = |n_proxies: usize| format!("198.51.100.7{}", ", 10.0.0.2".repeat(n_proxies));
    assert_eq!(by_simple(&[&chain(31)]), "198.51.100.7");
    assert_eq!(by_simple(&[&chain(32)]), "10.0.0.2");
    let mut values = vec!["198.51.100.7"];
    values.extend(["10.0.0.2"; 31]);
    assert_eq!(by_simple(&values), "198.51.100.7");
    values.push("10.0.0.2");
    assert_eq!(by_simple(&values), "10.0.0.2");
}

#[test]
fn the_standard_header_is_read_by_its_grammar() {
    for (value, client) in [
        ("for=192.0.2.43", "192.0.2.43"),
        ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
        ("proto=http; FOR=192.0.2.60 ;by=203.0.113.43", "192.0.2.60"),
        ("for=192.0.2.43;", "192.0.2.43"),
        ("for=192.0.2.43;host=\"a, for=6.6.6.6\"", "192.0.2.43"),
        (r#"for=192.0.2.43;host="a\", for=6.6.6.6, \"""#, "192.0.2.43"),
        (r#"for=192.0.2.43;host="a\\""#, "192.0.2.43"),
        ("for=unknown", PROXY),
        ("for=_hidden", PROXY),
        ("for=192.0.2.43;for=192.0.2.44", PROXY),
        ("proto=https", PROXY),
        ("192.0.2.43", PROXY),
        ("for=192.0.2.43 secret", PROXY),
        ("", PROXY),
    ] {
        assert_eq!(by_standard(&[value]), client, "{value}");
    }
}

#[test]
fn a33_a_quote_that_the_client_left_open_does_not_swallow_what_the_proxy_adds() {
    for claim in ["for=\"203.0.113.9", "for=\"x\\", "\"", "for=203.0.113.9;host=\"", "\\"] {
        for added in
            ["for=198.51.100.7", "for=\"198.51.100.7:80\";by=\"_a\"", "host=\"a,b\";for=198.51.100.7"]
        {
            assert_eq!(by_standard(&[&format!("{claim}, {added}")]), "198.51.100.7", "{claim}, {added}");
        }
    }
}

#[test]
fn a33_when_both_headers_come_they_must_agree_or_one_of_them_is_chosen_by_the_settings() {
    let client = |header, simple: &'static str, standard: &'static str| {
        proxies(header).client(address(PROXY), [simple], [standard]).to_string()
    };
    assert_eq!(client(ForwardingHeader::Either, "198.51.100.7", "for=198.51.100.7"), "198.51.100.7");
    assert_eq!(client(ForwardingHeader::Either, "198.51.100.7", "for=203.0.113.9"), PROXY);
    assert_eq!(client(ForwardingHeader::Either, "198.51.100.7", ""), PROXY);
    assert_eq!(client(ForwardingHeader::XForwardedFor, "198.51.100.7", "for=203.0.113.9"), "198.51.100.7");
    assert_eq!(client(ForwardingHeader::Forwarded, "198.51.100.7", "for=203.0.113.9"), "203.0.113.9");
}

fn any_address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<std::net::Ipv4Addr>().prop_map(IpAddr::from),
        any::<std::net::Ipv6Addr>().prop_map(IpAddr::from),
        any::<[u8; 3]>().prop_map(|[a, b, c]| IpAddr::from([10, a, b, c])),
    ]
}

/// What a client might send: words of both headers, in any order, and bytes of any kind.
fn any_claims() -> impl Strategy<Value = Vec<String>> {
    let word = prop_oneof![
        any_address().prop_map(|address| address.to_string()),
        any_address().prop_map(|address| format!("for=\"[{address}]:80\"")),
        any_address().prop_map(|address| format!("for={address}")),
        Just("10.0.0.2".to_owned()),
        "[,;=\"\\\\ a_\\[\\]:]{0,4}",
        ".{0,6}",
    ];
    let value = prop::collection::vec(word, 0..5).prop_map(|words| words.join(", "));
    prop::collection::vec(value, 0..4)
}

proptest! {
    #[test]
    fn a33_no_headers_change_the_address_of_an_untrusted_peer(
        peer in any_address(), simple in any_claims(), standard in any_claims(),
    ) {
        let proxies = proxies(ForwardingHeader::Either);
        prop_assume!(!proxies.trusts(peer));
        prop_assert_eq!(proxies.client(peer, &simple, &standard), peer.to_canonical());
    }

    #[test]
    fn a33_no_claims_change_the_address_that_a_trusted_proxy_adds(
        client in any_address(), claims in any_claims(), on_a_line_of_its_own in any::<bool>(),
    ) {
        let simple = proxies(ForwardingHeader::XForwardedFor);
        let standard = proxies(ForwardingHeader::Forwarded);
        prop_assume!(!simple.trusts(client));
        let claimed = match claims.split_last() {
            Some((last, others)) if !on_a_line_of_its_own => (others.to_vec(), format!("{last}, ")),
            _ => (claims.clone(), String::new()),
        };
        let sent = |added: String| [claimed.0.clone(), vec![format!("{}{added}", claimed.1)]].concat();
        let for_client = if client.is_ipv4() { format!("for={client}") } else { format!("for=\"[{client}]\"") };
        let client_of_simple = simple.client(address(PROXY), sent(client.to_string()), &claims);
        prop_assert_eq!(client_of_simple, client.to_canonical());
        prop_assert_eq!(standard.client(address(PROXY), &claims, sent(for_client)), client.to_canonical());
    }

    #[test]
    fn with_both_headers_the_client_is_the_proxy_or_what_both_say(
        client in any_address(), claims in any_claims(),
    ) {
        let proxies = proxies(ForwardingHeader::Either);
        prop_assume!(!proxies.trusts(client));
        let found = proxies.client(address(PROXY), [client.to_string()], &claims);
        prop_assert!(found == client.to_canonical() || found == address(PROXY));
    }

    #[test]
    fn the_client_is_the_last_address_outside_or_else_the_first_of_all(
        hops in prop::collection::vec(any_address(), 0..32),
    ) {
        let proxies = proxies(ForwardingHeader::Either);
        let outside = hops.iter().rev().find(|hop| !proxies.trusts(**hop));
        let expected = outside.or(hops.first()).copied().unwrap_or(address(PROXY));
        let written: Vec<String> = hops.iter().map(ToString::to_string).collect();
        let line = written.join(", ");
        let client = proxies.client(address(PROXY), &written, NONE);
        prop_assert_eq!(client, expected.to_canonical());
        if !line.is_empty() {
            prop_assert_eq!(proxies.client(address(PROXY), [line], NONE), client, "on one line");
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        simple in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..4), standard in any_claims(),
    ) {
        proxies(ForwardingHeader::Either).client(address(PROXY), &simple, NONE);
        proxies(ForwardingHeader::Either).client(address(PROXY), NONE, &simple);
        proxies(ForwardingHeader::Forwarded).client(address(PROXY), simple, standard);
    }
}
