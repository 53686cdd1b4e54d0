//! I15: which addresses a user may give.

use agent_webhooks::AddressClass::{
    Broadcast, LinkLocal, Loopback, Metadata, Multicast, Private, Reserved, SharedByProvider, UniqueLocal,
    Unspecified,
};
use agent_webhooks::{AddressClass, Allowed, Destination, Refused};

/// Nothing within the house is allowed; http is, so that nothing is refused for that.
fn strict() -> Allowed {
    Allowed::default().with_plain_http(true)
}

/// Addresses within the house, in every form in which they can be written, and what they mean.
const WITHIN: &[(&str, AddressClass)] = &[
    ("https://localhost/", Loopback),
    ("https://LOCALHOST/", Loopback),
    ("https://localhost./", Loopback),
    ("https://localhost../", Loopback),
    ("https://hook.localhost/", Loopback),
    ("https://hook.localhost.:8443/", Loopback),
    ("https://127.0.0.1/", Loopback),
    ("https://127.0.0.1./", Loopback),
    ("https://127.0.0.1../", Loopback),
    ("https://127.1/", Loopback),
    ("https://127.255.255.254/", Loopback),
    ("https://0x7f000001/", Loopback),
    ("https://0x7f.0.0.1/", Loopback),
    ("https://0X7F.1/", Loopback),
    ("https://2130706433/", Loopback),
    ("https://017700000001/", Loopback),
    ("https://0177.0.0.1/", Loopback),
    ("https://%31%32%37.0.0.1/", Loopback),
    ("https://①②⑦.⓪.⓪.①/", Loopback),
    ("https://127。0。0。1/", Loopback),
    ("https://ｌｏｃａｌｈｏｓｔ/", Loopback),
    ("https:\\\\127.0.0.1\\", Loopback),
    ("https:127.0.0.1", Loopback),
    ("ht\ntps://127.0.\t0.1/", Loopback),
    ("https://[::1]/", Loopback),
    ("https://[0:0:0:0:0:0:0:1]/", Loopback),
    ("https://[::ffff:127.0.0.1]/", Loopback),
    ("https://[::ffff:7f00:1]/", Loopback),
    ("https://[::127.0.0.1]/", Loopback),
    ("https://[::ffff:0:127.0.0.1]/", Loopback),
    ("https://[64:ff9b::127.0.0.1]/", Loopback),
    ("https://[64:ff9b:1::127.0.0.1]/", Loopback),
    ("https://[2002:7f00:1::1]/", Loopback),
    ("https://[2001:0:808:808::80ff:fffe]/", Loopback),
    ("https://[2001:0:7f00:1::f7f7:f7f7]/", Loopback),
    ("https://[2606:4700::5efe:127.0.0.1]/", Loopback),
    ("https://0.0.0.0/", Unspecified),
    ("https://0/", Unspecified),
    ("https://0.1.2.3/", Unspecified),
    ("https://[::]/", Unspecified),
    ("https://[::ffff:0.0.0.0]/", Unspecified),
    ("https://169.254.169.254/latest/meta-data/", Metadata),
    ("https://0xa9fea9fe/", Metadata),
    ("https://2852039166/", Metadata),
    ("https://[::ffff:169.254.169.254]/", Metadata),
    ("https://[64:ff9b::a9fe:a9fe]/", Metadata),
    ("https://[fd00:ec2::254]/", Metadata),
    ("https://168.63.129.16/", Metadata),
    ("https://100.100.100.200/", Metadata),
    ("https://192.0.0.192/", Metadata),
    ("https://169.254.0.1/", LinkLocal),
    ("https://[fe80::1]/", LinkLocal),
    ("https://[febf::1]/", LinkLocal),
    ("https://10.0.0.1/", Private),
    ("https://10.1/", Private),
    ("https://172.16.0.1/", Private),
    ("https://172.31.255.255/", Private),
    ("https://192.168.1.1/", Private),
    ("https://0300.0250.1.1/", Private),
    ("https://[::ffff:10.0.0.1]/", Private),
    ("https://[2002:c0a8:101::]/", Private),
    ("https://[fec0::1]/", Private),
    ("https://100.64.0.1/", SharedByProvider),
    ("https://100.127.255.255/", SharedByProvider),
    ("https://[fc00::1]/", UniqueLocal),
    ("https://[fdff::1]/", UniqueLocal),
    ("https://224.0.0.1/", Multicast),
    ("https://239.255.255.250/", Multicast),
    ("https://[ff02::1]/", Multicast),
    ("https://255.255.255.255/", Broadcast),
    ("https://0xffffffff/", Broadcast),
    ("https://240.0.0.1/", Reserved),
    ("https://192.0.2.1/", Reserved),
    ("https://198.51.100.1/", Reserved),
    ("https://203.0.113.1/", Reserved),
    ("https://198.18.0.1/", Reserved),
    ("https://198.19.255.255/", Reserved),
    ("https://192.88.99.1/", Reserved),
    ("https://[2001:db8::1]/", Reserved),
    ("https://[3fff::1]/", Reserved),
    ("https://[2001:2::1]/", Reserved),
    ("https://[100::1]/", Reserved),
    ("https://[5f00::1]/", Reserved),
    ("https://[4000::1]/", Reserved),
    ("https://[::8.8.8.8]/", Reserved),
    ("https://[64:ff9b:1::8.8.8.8]/", Reserved),
    ("https://[2002:808:808::1]/", Reserved),
];

fn class_of(text: &str) -> Option<AddressClass> {
    match Destination::parse(text, &strict()) {
        Err(Refused::Address { class, .. }) => Some(class),
        Err(other) => panic!("{text}: {other}"),
        Ok(_) => None,
    }
}

#[test]
fn i15_addresses_within_the_house_are_refused_in_every_form() {
    for &(text, class) in WITHIN {
        assert_eq!(class_of(text), Some(class), "{text}");
        let unencrypted = text.replacen("https", "http", 1);
        assert_eq!(class_of(&unencrypted), Some(class), "{unencrypted}");
    }
}

#[test]
fn i15_public_addresses_are_accepted_in_one_form() {
    let cases = [
        ("https://example.com", "https://example.com/"),
        ("https://Example.COM./Hook?key=A", "https://example.com/Hook?key=A"),
        ("https://example.com:443/", "https://example.com/"),
        ("https://example.com:8443/", "https://example.com:8443/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://0x08080808/", "https://8.8.8.8/"),
        ("https://134744072/", "https://8.8.8.8/"),
        ("https://126.255.255.255/", "https://126.255.255.255/"),
        ("https://128.0.0.1/", "https://128.0.0.1/"),
        ("https://172.15.255.255/", "https://172.15.255.255/"),
        ("https://172.32.0.0/", "https://172.32.0.0/"),
        ("https://100.63.255.255/", "https://100.63.255.255/"),
        ("https://100.128.0.0/", "https://100.128.0.0/"),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
        ("https://[::ffff:8.8.8.8]/", "https://[::ffff:808:808]/"),
        ("https://[64:ff9b::8.8.8.8]/", "https://[64:ff9b::808:808]/"),
        ("https://localhost.example.com/", "https://localhost.example.com/"),
        ("https://notlocalhost/", "https://notlocalhost/"),
    ];
    for (text, kept) in cases {
        let destination =
            Destination::parse(text, &Allowed::default()).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(destination.as_str(), kept, "{text}");
    }
}

#[test]
fn i15_other_schemes_user_names_fragments_and_port_0_are_refused() {
    let refused = |text: &str| Destination::parse(text, &Allowed::default()).expect_err(text);
    for scheme in ["file", "gopher", "ftp", "ws", "wss", "data", "javascript", "unix", "dict", "ldap"] {
        assert_eq!(refused(&format!("{scheme}://example.com/x")), Refused::Scheme(scheme.to_owned()));
    }
    assert_eq!(refused("file:///etc/passwd"), Refused::Scheme("file".to_owned()));
    assert_eq!(refused("http://example.com/"), Refused::PlainHttp);
    for text in ["https://user@example.com/", "https://user:password@example.com/", "https://:p@example.com/"]
    {
        assert_eq!(refused(text), Refused::UserInfo, "{text}");
    }
    assert_eq!(refused("https://example.com@127.0.0.1/"), Refused::UserInfo);
    assert_eq!(refused("https://example.com/#part"), Refused::Fragment);
    assert_eq!(refused("https://example.com/#"), Refused::Fragment);
    assert_eq!(refused("https://example.com:0/"), Refused::Port);
    assert_eq!(refused("https://./"), Refused::NoHost);
    for text in
        ["", "example.com", "https://", "https://exa mple.com/", "https://1.2.3.4.5/", "https://a:99999/"]
    {
        assert!(matches!(refused(text), Refused::Unreadable(_)), "{text}");
    }
    for text in ["https://[fe80::1%25eth0]/", "https://256.0.0.1/", "https://[::1", "https://0x100000000/"] {
        assert!(matches!(refused(text), Refused::Unreadable(_)), "{text}");
    }
    let long = format!("https://example.com/{}", "x".repeat(2_048));
    assert_eq!(refused(&long), Refused::TooLong(long.len()));
}

#[test]
fn i15_an_entry_of_the_operator_lifts_the_refusal_for_this_host_and_port_alone() {
    let entries = ["localhost:9000", "10.0.0.5:8443", "[::1]:9000", "Hooks.Internal.:443"];
    let allowed = Allowed::hosts(entries).unwrap();
    for text in [
        "https://localhost:9000/hook",
        "https://LOCALHOST.:9000/",
        "https://10.0.0.5:8443/",
        "https://0x0a000005:8443/",
        "https://[0::1]:9000/",
        "https://hooks.internal/",
    ] {
        assert!(Destination::parse(text, &allowed).is_ok(), "{text}");
    }
    for text in [
        "https://localhost/",
        "https://localhost:9001/",
        "https://a.localhost:9000/",
        "https://127.0.0.1:9000/",
        "https://10.0.0.5/",
        "https://10.0.0.6:8443/",
        "https://[::ffff:10.0.0.5]:8443/",
    ] {
        assert!(matches!(Destination::parse(text, &allowed), Err(Refused::Address { .. })), "{text}");
    }
    assert_eq!(Destination::parse("http://localhost:9000/", &allowed), Err(Refused::PlainHttp));
    assert!(Destination::parse("http://localhost:9000/", &allowed.with_plain_http(true)).is_ok());
}

#[test]
fn i15_an_entry_names_one_host_and_one_port() {
    for text in [
        "",
        "localhost",
        "localhost:",
        ":9000",
        "localhost:0",
        "localhost:70000",
        "http://localhost:9000",
        "localhost:9000/path",
        "user@localhost:9000",
        "*:9000",
        "10.0.0.0/8:80",
        "::1:9000",
        "a b:1",
    ] {
        let error = Allowed::hosts([text]).expect_err(text);
        assert!(error.to_string().contains("write host:port"), "{text}");
    }
}

#[test]
fn i15_a_refusal_says_what_may_be_done() {
    let refused = |text: &str| Destination::parse(text, &Allowed::default()).unwrap_err().to_string();
    assert_eq!(
        refused("https://0x7f000001:9000/x"),
        "127.0.0.1 leads to a loopback address, which is not called; give a public address, or ask the operator of \
         the server to allow 127.0.0.1:9000"
    );
    assert!(refused("https://[::1]/").contains("allow [::1]:443"));
    assert!(refused("http://example.com/").contains("give an https address"));
    assert!(refused("gopher://example.com/").contains("give one that begins with https://"));
    assert!(refused("https://token@example.com/").contains("leave out what is before the @"));
    assert!(!refused("https://token@example.com/").contains("token"));
}
