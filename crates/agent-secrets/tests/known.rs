//! Known values are masked in every spelling.

use agent_core::ports::Redactor;
use agent_secrets::{SecretMasker, values_of, values_of_env_file};
use proptest::prelude::*;
use serde_json::json;

/// Base64 of these bytes, without padding, as another program would write it.
fn base64(bytes: &[u8], for_urls: bool) -> String {
    let ends: [char; 2] = if for_urls { ['-', '_'] } else { ['+', '/'] };
    let letters: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(ends).collect();
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let all =
            group.iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        let digits = [18, 12, 6, 0].map(|shift| letters[(all >> shift & 63) as usize]);
        text.extend(&digits[..=group.len()]);
    }
    text
}

fn encoded(text: &str) -> String {
    let letter = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(letter).collect()
}

fn hexadecimal(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn masker(value: &str) -> SecretMasker {
    SecretMasker::builder().known("NAME", value).build()
}

#[test]
fn a_known_value_is_masked_in_every_spelling() {
    let value = "p\u{e4}ss/w0rd\"&+ ~x";
    let masker = masker(value);
    for spelled in [
        value.to_owned(),
        encoded(value),
        encoded(value).to_lowercase(),
        hexadecimal(value),
        hexadecimal(value).to_uppercase(),
        json!(value).as_str().unwrap_or_default().to_owned(),
    ] {
        assert_eq!(masker.redact(&format!("<{spelled}>")), "<[secret NAME]>", "{spelled}");
    }
    let printed = json!({"key": value}).to_string();
    assert_eq!(masker.redact(&printed), "{\"key\":\"[secret NAME]\"}");
    assert_eq!(masker.redact_json(json!([{"a": value}, 1])), json!([{"a": "[secret NAME]"}, 1]));
}

#[test]
fn trivial_values_are_never_masked() {
    let trivial = [
        "true",
        "12345",
        "localhost",
        "production",
        "Password",
        "123456789",
        "10.0.0.1",
        "aaaaaaaa",
        "short",
        "",
        "  ",
    ];
    let values = trivial.map(|value| ("X".to_owned(), value.to_owned()));
    let masker = SecretMasker::builder().all_known(values).build();
    for value in trivial {
        assert_eq!(masker.redact(value), value);
    }
}

#[test]
fn a_derived_masker_knows_more_and_the_first_one_does_not() {
    let first = masker("first-value-1");
    let second = first.and([("OTHER".to_owned(), "second-value-2".to_owned())]);
    assert_eq!(second.redact("first-value-1 second-value-2"), "[secret NAME] [secret OTHER]");
    assert_eq!(first.redact("second-value-2"), "second-value-2");
}

#[test]
fn values_that_overlap_are_masked_together() {
    let masker =
        SecretMasker::builder().known("A", "abcdef123").known("B", "123xyz999").known("C", "def12").build();
    assert_eq!(masker.redact("-abcdef123xyz999-"), "-[secret A]-");
    assert_eq!(masker.redact("abcdef123 123xyz999"), "[secret A] [secret B]");
}

#[test]
fn nobody_hides_a_secret_in_the_frame_of_a_mask() {
    let masker = masker("s3cr3t-value");
    assert_eq!(masker.redact("[secret s3cr3t-value]"), "[secret [secret NAME]]");
    let token = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0".repeat(2));
    assert!(!masker.redact(&format!("[secret {token}]")).contains(&token));
    // Its own masks stay, even where a value is part of one.
    let masker = SecretMasker::builder().known("SHOP_KEY", "secret SHOP").build();
    assert_eq!(masker.redact("[secret SHOP_KEY]"), "[secret SHOP_KEY]");
}

#[test]
fn names_are_told_as_plain_words() {
    let masker = SecretMasker::builder().known("a b]\n", "s3cr3t-value").build();
    assert_eq!(masker.redact("s3cr3t-value"), "[secret a_b__]");
    assert!(!format!("{masker:?}").contains("s3cr3t"));
}

fn pairs(values: &[(&str, &str)]) -> Vec<(String, String)> {
    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn env_files_are_read_with_quotes_comments_and_several_lines() {
    let text = "\u{feff}# first\nexport A=1\nB = \"two \\\"2\\\"\\n\" # c\nC='th#ree\nlines' \nD=four # five\nE=\nF=`six`\nG=\"open\nnot a line\nH=x=y\r\n";
    let expected = [
        ("A", "1"),
        ("B", "two \"2\"\n"),
        ("C", "th#ree\nlines"),
        ("D", "four"),
        ("E", ""),
        ("F", "six"),
        ("G", "\"open"),
        ("H", "x=y"),
    ];
    assert_eq!(values_of_env_file(text), pairs(&expected));
}

#[test]
fn files_of_credentials_are_read_in_their_own_formats() {
    let of = |name: &str, text: &str| values_of(name, text);
    assert_eq!(
        of("a/.npmrc", "registry=https://r.org/\n//r.org/:_authToken=tok-12345-abc\n"),
        pairs(&[("authToken", "tok-12345-abc")])
    );
    assert_eq!(
        of(".netrc", "machine a.org\n login me\n password sesame-1\n"),
        pairs(&[("a.org_password", "sesame-1")])
    );
    assert_eq!(
        of(".pypirc", "[pypi]\nusername = __token__\npassword = sesame-2\n"),
        pairs(&[("password", "sesame-2")])
    );
    assert_eq!(of(".pgpass", "db:5432:*:me:ses\\:ame-3\n"), pairs(&[("db_password", "ses:ame-3")]));
    assert_eq!(
        of(".git-credentials", "https://me:sesame-4@git.org\n"),
        pairs(&[("git.org_password", "sesame-4")])
    );
    let ini = "[default]\nregion = eu-west-1\naws_secret_access_key = sesame/5+abc\n";
    assert_eq!(of("credentials", ini), pairs(&[("aws_secret_access_key", "sesame/5+abc")]));
    let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq0001\n-----END PRIVATE KEY-----\n";
    let document = json!({"type": "service_account", "project_id": "shop", "private_key": key, "nested": [{"token": "sesame-6"}]});
    assert_eq!(
        of("key.json", &document.to_string()),
        pairs(&[("private_key", "MIIEvQIBADANBgkq0001"), ("token", "sesame-6")])
    );
    assert_eq!(of("id_rsa", key), pairs(&[("id_rsa", "MIIEvQIBADANBgkq0001")]));
    let in_env =
        of(".env", "K=\"-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkq0001\\n-----END PRIVATE KEY-----\"\n");
    assert!(in_env.contains(&("K".to_owned(), "MIIEvQIBADANBgkq0001".to_owned())), "{in_env:?}");
    let env = "APP_NAME=my-shop\nPORT=8080\nDEBUG=true\nDB_PASSWORD=swordfish\nURL=postgres://a:sesame-7@db/x\nX=zK3v9QpT8wLm\n";
    let expected = [("DB_PASSWORD", "swordfish"), ("X", "zK3v9QpT8wLm"), ("db_password", "sesame-7")];
    assert_eq!(of("/srv/app/.env.local", env), pairs(&expected));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_known_value_is_never_visible(value in "[!-~]{6,40}", before in ".{0,12}", after in ".{0,12}", for_urls in any::<bool>()) {
        prop_assume!(!value.chars().all(|letter| letter.is_ascii_digit() || "+-.,:_/".contains(letter)));
        let masker = masker(&value);
        prop_assume!(masker.redact(&value) != value.as_str());
        let raw = format!("{before}{value}{after}");
        prop_assert!(!masker.redact(&raw).replace("[secret NAME]", "").contains(&value));
        let url = format!("{before}{}{after}", encoded(&value));
        prop_assert!(!masker.redact(&url).replace("[secret NAME]", "").contains(&encoded(&value)));
        // However the value is aligned: what is left of its letters says less than two bytes of it.
        let inside = base64(raw.as_bytes(), for_urls);
        let at = before.len();
        let core = &inside[(at * 8).div_ceil(6)..(at + value.len()) * 8 / 6];
        let printed = masker.redact(&inside).into_owned();
        prop_assert!(printed.contains("[secret NAME]") && !printed.replace("[secret NAME]", "\n").contains(core), "{} {}", inside, printed);
    }

    #[test]
    fn masking_twice_is_masking_once(value in "[a-z0-9=\\[\\] -]{6,20}", text in "([a-z0-9=\\[\\] :\"-]|secret|password|NAME|bearer |://){0,60}", other in "[!-~]{6,20}") {
        let masker = SecretMasker::builder().known("NAME", value.clone()).known("OTHER", other.clone()).build();
        for text in [text.clone(), format!("{text}{value}{text}"), format!("password = \"{value}\" {other}{value}")] {
            let once = masker.redact(&text).into_owned();
            prop_assert_eq!(masker.redact(&once), once.as_str());
        }
    }

    #[test]
    fn lines_are_kept_unless_a_secret_spans_them(text in "([a-z0-9=: \n\"]|password = \"|token=){0,80}") {
        prop_assert_eq!(SecretMasker::default().redact(&text).lines().count(), text.lines().count());
    }

    #[test]
    fn any_text_is_masked_and_read_without_a_panic(text in ".{0,60}", name in ".{0,12}") {
        let masker = masker(&text).and(values_of(&name, &text));
        masker.redact(&text);
        values_of_env_file(&text);
        for name in [".env", ".netrc", ".pgpass", ".npmrc", "a.json", "a.pem"] {
            values_of(name, &text);
        }
    }

    #[test]
    fn any_pieces_of_secrets_are_masked_without_a_panic(text in "(-----BEGIN |PRIVATE KEY|-----|-----END |\n|://|:|@|password|=|\"|'|\\\\|eyJ|\\.|ghp_|bearer |[a-zA-Z0-9]{1,20}|\u{e9}|:AA|8Q~|-us|pat|SK|\u{1f600}){0,40}") {
        let once = SecretMasker::default().redact(&text).into_owned();
        prop_assert_eq!(SecretMasker::default().redact(&once), once.as_str());
        values_of(".env", &text);
        values_of("key.pem", &text);
    }
}
