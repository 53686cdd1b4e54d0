//! What has the shape of a secret is masked, and what has not is left alone.

use agent_core::ports::Redactor;
use agent_secrets::SecretMasker;

/// Names of masks, and how a token is put together: `B36` stands for 36 letters and digits made by chance, `U` for those
/// of addresses, `H` for small hexadecimal digits, `A` for capital letters and digits, `L` for small ones, `D` for digits.
const TOKENS: &[(&str, &str)] = &[
    ("github_token", "ghp_ B36"),
    ("github_token", "gho_ B36"),
    ("github_token", "ghu_ B36"),
    ("github_token", "ghs_ B36"),
    ("github_token", "ghr_ B36"),
    ("github_token", "github_pat_ B22 _ B59"),
    ("gitlab_token", "glpat- U20"),
    ("gitlab_token", "gldt- U20"),
    ("gitlab_token", "glptt- H40"),
    ("gitlab_token", "glrt- U20"),
    ("gitlab_token", "glsoat- U20"),
    ("gitlab_token", "glagent- U50"),
    ("gitlab_token", "GR1348941 U20"),
    ("aws_access_key", "AKIA A16"),
    ("aws_access_key", "ASIA A16"),
    ("google_api_key", "AIza U35"),
    ("google_client_secret", "GOCSPX- U28"),
    ("google_access_token", "ya29. U120"),
    ("slack_token", "xoxb- D12 - D12 - B24"),
    ("slack_token", "xoxp- D12 - D12 - D12 - H32"),
    ("slack_token", "xapp-1- A11 - D13 - H64"),
    ("stripe_key", "sk_live_ B24"),
    ("stripe_key", "sk_test_ B24"),
    ("stripe_key", "rk_live_ B24"),
    ("stripe_webhook_secret", "whsec_ B32"),
    ("openai_key", "sk-proj- U120"),
    ("openai_key", "sk-svcacct- U60"),
    ("openai_key", "sk- B48"),
    ("anthropic_key", "sk-ant-api03- U90"),
    ("openrouter_key", "sk-or-v1- H64"),
    ("langsmith_key", "lsv2_pt_ H32 _ H10"),
    ("groq_key", "gsk_ B52"),
    ("xai_key", "xai- B80"),
    ("perplexity_key", "pplx- B48"),
    ("replicate_token", "r8_ B37"),
    ("huggingface_token", "hf_ B34"),
    ("together_key", "tgp_v1_ U43"),
    ("pinecone_key", "pcsk_ B6 _ B60"),
    ("elevenlabs_key", "sk_ H48"),
    ("npm_token", "npm_ B36"),
    ("pypi_token", "pypi-AgEIcHlwaS5vcmc U100"),
    ("rubygems_key", "rubygems_ H48"),
    ("crates_io_token", "cio B32"),
    ("clojars_token", "CLOJARS_ L60"),
    ("nuget_key", "oy2 L43"),
    ("docker_token", "dckr_pat_ U27"),
    ("jfrog_token", "AKCp B69"),
    ("bitbucket_token", "ATBB B32"),
    ("atlassian_token", "ATATT3xFfGF0 U180"),
    ("sendgrid_key", "SG. U22 . U43"),
    ("mailgun_key", "key- H32"),
    ("resend_key", "re_ B8 _ B24"),
    ("brevo_key", "xkeysib- H64 - B16"),
    ("digitalocean_token", "dop_v1_ H64"),
    ("fly_token", "fo1_ U43"),
    ("netlify_token", "nfp_ B36"),
    ("supabase_token", "sbp_ H40"),
    ("planetscale_token", "pscale_tkn_ U43"),
    ("databricks_token", "dapi H32"),
    ("shopify_token", "shpat_ H32"),
    ("shopify_secret", "shpss_ H32"),
    ("square_token", "sq0atp- U22"),
    ("square_secret", "sq0csp- U43"),
    ("linear_key", "lin_api_ B40"),
    ("notion_token", "ntn_ B46"),
    ("figma_token", "figd_ U40"),
    ("postman_key", "PMAK- H24 - H34"),
    ("grafana_token", "glsa_ B32 _ H8"),
    ("vault_token", "hvs. U90"),
    ("doppler_token", "dp.pt. B43"),
    ("pulumi_token", "pul- H40"),
    ("newrelic_key", "NRAK- A27"),
    ("sentry_token", "sntryu_ H64"),
    ("contentful_token", "CFPAT- U43"),
    ("alibaba_key", "LTAI B20"),
    ("adafruit_key", "aio_ B28"),
    ("easypost_key", "EZAK B54"),
    ("prefect_key", "pnu_ B36"),
    ("razorpay_key", "rzp_live_ B14"),
    ("shippo_token", "shippo_live_ H40"),
    ("age_key", "AGE-SECRET-KEY-1 A58"),
    ("tailscale_key", "tskey-auth- B12 - B32"),
    ("sonar_token", "sqp_ H40"),
    ("mapbox_token", "sk.eyJ U60 . U22"),
    ("jwt", "eyJ U30 .eyJ U60 . U43"),
    ("telegram_token", "D9 :AA U33"),
    ("twilio_key", "SK H32"),
    ("terraform_token", "B14 .atlasv1. U64"),
    ("mailchimp_key", "H32 -us12"),
    ("azure_client_secret", "U3 8Q~ U31"),
];

/// Text made by chance, the same for each seed. The tokens are put together here, so that none stands in a file.
struct Chance(u64);

impl Chance {
    fn letters(&mut self, alphabet: &str, length: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        let mut next = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            alphabet[(self.0 >> 33) as usize % alphabet.len()]
        };
        (0..length).map(|_| next()).collect()
    }

    fn piece(&mut self, piece: &str) -> String {
        const CAPITALS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        const SMALL: &str = "abcdefghijklmnopqrstuvwxyz";
        const DIGITS: &str = "0123456789";
        let (kind, length) = piece.split_at(1);
        let Ok(length) = length.parse::<usize>() else { return piece.to_owned() };
        match kind {
            "B" => self.letters(&format!("{CAPITALS}{SMALL}{DIGITS}"), length),
            // A dash at an end is no part of a word.
            "U" => {
                self.letters(&format!("{CAPITALS}{SMALL}{DIGITS}{DIGITS}_-"), length - 1)
                    + &self.letters(DIGITS, 1)
            }
            "H" => self.letters(&format!("{DIGITS}abcdef"), length),
            "A" => self.letters(&format!("{CAPITALS}{DIGITS}"), length),
            "L" => self.letters(&format!("{SMALL}{DIGITS}"), length),
            "D" => self.letters(DIGITS, length),
            _ => piece.to_owned(),
        }
    }

    fn text(&mut self, template: &str) -> String {
        template.split(' ').map(|piece| self.piece(piece)).collect()
    }
}

fn masked(text: &str) -> String {
    SecretMasker::default().redact(text).into_owned()
}

#[test]
fn tokens_of_many_issuers_are_masked_wherever_they_stand() {
    let mut wrong = Vec::new();
    for (at, (name, template)) in TOKENS.iter().enumerate() {
        let token = Chance(at as u64 + 1).text(template);
        let frames = [
            ("", ""),
            ("key: ", ""),
            ("\"", "\","),
            ("export X=", "\nnext line"),
            ("https://example.org/?k=", "&b=1"),
            ("curl -H 'X-Key: ", "' https://example.org"),
            ("+    \"x\": \"", "\""),
            ("(", ")"),
            ("text\\n", "\\n"),
        ];
        for (before, after) in frames {
            let text = format!("{before}{token}{after}");
            let result = masked(&text);
            if result.contains(&token) || !result.contains("[secret ") {
                wrong.push(format!("{name}: {text} became {result}"));
            }
            if before.is_empty() && result != format!("[secret {name}]") {
                wrong.push(format!("{name}: {text} became {result}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(TOKENS.len() >= 80);
}

#[test]
fn assigned_values_are_masked_in_code_settings_and_on_command_lines() {
    let value = Chance(7).text("U24");
    for text in [
        "password = \"$\"",
        "PASSWORD=$",
        "db_password: '$'",
        "\"client_secret\": \"$\",",
        "const API_KEY = `$`;",
        "apiKey: \"$\"",
        "let token: &str; token = \"$\";",
        "AWS_SECRET_ACCESS_KEY=$",
        "config['secret'] = '$'",
        "--password=$ --user=a",
        "secret := \"$\"",
        "'token' => '$',",
        "{\\\"password\\\":\\\"$\\\"}",
        "AccountKey=$;EndpointSuffix=core",
        "export TOKEN=$",
        "password1 = \"$\"",
    ] {
        let result = masked(&text.replace('$', &value));
        assert_eq!(result, text.replace('$', "[secret assigned_value]"), "{text}");
    }
}

#[test]
fn secrets_are_known_by_what_surrounds_them() {
    let mut chance = Chance(3);
    let (bearer, password, hook) = (chance.text("U40"), chance.text("B14"), chance.text("B9 / B11 / B24"));
    let (id, secret) = (chance.text("B12"), chance.text("U43"));
    for (text, expected) in [
        (format!("Authorization: Bearer {bearer}"), "Authorization: Bearer [secret bearer_token]".to_owned()),
        (
            format!("authorization: bearer {bearer}\n"),
            "authorization: bearer [secret bearer_token]\n".to_owned(),
        ),
        (
            format!("Authorization: Basic dXNlcjpw{password}"),
            "Authorization: Basic [secret basic_credentials]".to_owned(),
        ),
        (
            format!("postgres://app:{password}@db:5432/x"),
            "postgres://app:[secret url_password]@db:5432/x".to_owned(),
        ),
        (format!("https://:{password}@example.org"), "https://:[secret url_password]@example.org".to_owned()),
        (
            format!("https://hooks.slack.com/services/{hook}"),
            "https://hooks.slack.com/[secret slack_webhook]".to_owned(),
        ),
        (format!("ak_live_{id}_{secret}"), format!("ak_live_{id}_[secret api_key]")),
    ] {
        assert_eq!(masked(&text), expected);
    }
}

#[test]
fn private_keys_are_masked_as_one_and_lines_around_them_stay() {
    let mut chance = Chance(5);
    let lines: Vec<String> = (0..5).map(|_| chance.text("B64")).collect();
    for label in [
        "RSA PRIVATE KEY",
        "PRIVATE KEY",
        "EC PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "PGP PRIVATE KEY BLOCK",
    ] {
        let key = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", lines.join("\n"));
        assert_eq!(masked(&format!("a\n{key}\nb\n")), "a\n[secret private_key]\nb\n");
        let escaped = key.replace('\n', "\\n");
        assert_eq!(masked(&format!("{{\"k\": \"{escaped}\\n\"}}")), "{\"k\": \"[secret private_key]\\n\"}");
        let added = key.replace('\n', "\n+");
        assert_eq!(masked(&format!("+{added}\n b")), "+[secret private_key]\n b");
        let cut = format!("-----BEGIN {label}-----\n{}\nand so on\n", lines.join("\n"));
        assert_eq!(masked(&cut), "[secret private_key]\nand so on\n");
    }
    for public in ["PUBLIC KEY", "CERTIFICATE"] {
        let text = format!("-----BEGIN {public}-----\n{}\n-----END {public}-----", lines.join("\n"));
        assert_eq!(masked(&text), text);
    }
}

#[test]
fn what_is_no_secret_is_left_alone() {
    let mut chance = Chance(11);
    let digest = chance.text("H64");
    let commit = chance.text("H40");
    let integrity = chance.text("B86");
    let made = [
        format!("integrity sha512-{integrity}=="),
        format!("\"integrity\": \"sha512-{integrity}==\""),
        format!("checksum = \"{digest}\""),
        format!("commit {commit}"),
        format!("index {}..{} 100644", &commit[..7], &commit[8..15]),
        format!("sha256:{digest}"),
        format!("rev = \"{commit}\""),
        format!("pip install a --hash=sha256:{digest}"),
        format!("\"resolved\": \"https://registry.npmjs.org/a/-/a-1.0.0.tgz#{commit}\""),
        format!("https://github.com/a/b/commit/{commit}"),
        format!("FROM debian@sha256:{digest}"),
        format!("ETag: \"{}\"", &digest[..32]),
    ];
    let table = include_str!("negatives.txt");
    let kept: Vec<&str> =
        table.lines().filter(|line| !line.is_empty()).chain(made.iter().map(String::as_str)).collect();
    let wrong: Vec<String> = kept
        .iter()
        .map(|text| masked(text))
        .zip(&kept)
        .filter(|(masked, text)| masked != *text)
        .map(|(masked, _)| masked)
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(kept.len() >= 80, "{}", kept.len());
}
