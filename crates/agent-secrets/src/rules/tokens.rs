//! Tokens that begin with a prefix of their issuer: public facts about their shape.

use crate::judgement::{entropy, is_example};
use Letters::{Base62, Base64, Dotted, Hex, Lower, Upper, UrlSafe, Word};

/// Which letters a token consists of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Letters {
    /// Letters and digits.
    Base62,
    /// The same and `_`.
    Word,
    /// The same and `_`, `-`.
    UrlSafe,
    /// The same and `_`, `-`, `.`, `=`.
    Dotted,
    /// Those of base64.
    Base64,
    /// Capital letters and digits.
    Upper,
    /// Small letters and digits.
    Lower,
    /// Digits to the base 16, small.
    Hex,
}

impl Letters {
    fn has(self, byte: u8) -> bool {
        match self {
            Base62 => byte.is_ascii_alphanumeric(),
            Word => byte.is_ascii_alphanumeric() || byte == b'_',
            UrlSafe => byte.is_ascii_alphanumeric() || b"_-".contains(&byte),
            Dotted => byte.is_ascii_alphanumeric() || b"_-.=".contains(&byte),
            Base64 => byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte),
            Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Lower => byte.is_ascii_lowercase() || byte.is_ascii_digit(),
            Hex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        }
    }
}

/// A token with a prefix.
pub(super) struct Token {
    pub(super) name: &'static str,
    pub(super) prefix: &'static str,
    letters: Letters,
    /// The fewest and the most letters behind the prefix.
    length: (usize, usize),
}

const fn token(
    name: &'static str,
    prefix: &'static str,
    letters: Letters,
    least: usize,
    most: usize,
) -> Token {
    Token { name, prefix, letters, length: (least, most) }
}

impl Token {
    /// Where the token ends, if one begins here.
    pub(super) fn find(&self, text: &str, start: usize) -> Option<(usize, usize)> {
        let bytes = text.as_bytes();
        let body = start + self.prefix.len();
        // The automaton ignores case, the prefix does not.
        if &bytes[start..body] != self.prefix.as_bytes() || continues_a_word(bytes, start) {
            return None;
        }
        let all =
            bytes[body..].iter().take(self.length.1 + 1).take_while(|byte| self.letters.has(**byte)).count();
        // A dot at the end is that of a sentence.
        let length = text[body..body + all].trim_end_matches('.').len();
        let end = body + length;
        let is_cut = length > self.length.1
            || bytes.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        let value = &text[body..end];
        let is_long = length >= self.length.0 && !is_cut;
        (is_long && is_random(value)).then_some((start, end))
    }
}

/// Whether the letter in front belongs to the same word.
pub(super) fn continues_a_word(bytes: &[u8], start: usize) -> bool {
    let Some(before) = start.checked_sub(1).map(|at| bytes[at]) else { return false };
    // `\n` and `%20` in front are what other programs make of ends of lines and spaces.
    let is_escape = before.is_ascii_alphanumeric()
        && (start >= 2 && bytes[start - 2] == b'\\' || start >= 3 && bytes[start - 3] == b'%');
    (before.is_ascii_alphanumeric() || before == b'_') && !is_escape
}

/// Whether the letters behind a prefix are made by chance.
pub(super) fn is_random(value: &str) -> bool {
    value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
        && entropy(value.as_bytes()) >= 2.6
        && !is_example(value)
}

/// The tokens.
pub(super) const TOKENS: &[Token] = &[
    token("github_token", "ghp_", Base62, 36, 255),
    token("github_token", "gho_", Base62, 36, 255),
    token("github_token", "ghu_", Base62, 36, 255),
    token("github_token", "ghs_", Base62, 36, 255),
    token("github_token", "ghr_", Base62, 36, 255),
    token("github_token", "github_pat_", Word, 40, 255),
    token("gitlab_token", "glpat-", Dotted, 20, 300),
    token("gitlab_token", "gldt-", UrlSafe, 20, 100),
    token("gitlab_token", "glptt-", UrlSafe, 20, 100),
    token("gitlab_token", "glrt-", UrlSafe, 20, 100),
    token("gitlab_token", "glcbt-", UrlSafe, 20, 100),
    token("gitlab_token", "glsoat-", UrlSafe, 20, 100),
    token("gitlab_token", "glft-", UrlSafe, 20, 100),
    token("gitlab_token", "glimt-", UrlSafe, 20, 100),
    token("gitlab_token", "glagent-", UrlSafe, 40, 100),
    token("gitlab_token", "gloas-", UrlSafe, 40, 100),
    token("gitlab_token", "GR1348941", UrlSafe, 20, 40),
    token("aws_access_key", "AKIA", Upper, 16, 16),
    token("aws_access_key", "ASIA", Upper, 16, 16),
    token("aws_access_key", "ABIA", Upper, 16, 16),
    token("aws_access_key", "ACCA", Upper, 16, 16),
    token("google_api_key", "AIza", UrlSafe, 35, 35),
    token("google_client_secret", "GOCSPX-", UrlSafe, 28, 28),
    token("google_access_token", "ya29.", UrlSafe, 30, 1000),
    token("slack_token", "xoxb-", UrlSafe, 20, 255),
    token("slack_token", "xoxa-", UrlSafe, 20, 255),
    token("slack_token", "xoxp-", UrlSafe, 20, 255),
    token("slack_token", "xoxr-", UrlSafe, 20, 255),
    token("slack_token", "xoxs-", UrlSafe, 20, 255),
    token("slack_token", "xoxc-", UrlSafe, 20, 255),
    token("slack_token", "xoxd-", UrlSafe, 20, 255),
    token("slack_token", "xoxe.", UrlSafe, 20, 255),
    token("slack_token", "xapp-", UrlSafe, 20, 255),
    token("stripe_key", "sk_live_", Base62, 16, 255),
    token("stripe_key", "sk_test_", Base62, 16, 255),
    token("stripe_key", "rk_live_", Base62, 16, 255),
    token("stripe_key", "rk_test_", Base62, 16, 255),
    token("stripe_webhook_secret", "whsec_", Base64, 24, 100),
    token("openai_key", "sk-proj-", UrlSafe, 40, 255),
    token("openai_key", "sk-svcacct-", UrlSafe, 40, 255),
    token("openai_key", "sk-admin-", UrlSafe, 40, 255),
    token("openai_key", "sk-", Base62, 32, 100),
    token("anthropic_key", "sk-ant-", UrlSafe, 24, 255),
    token("openrouter_key", "sk-or-v1-", Hex, 64, 64),
    token("langfuse_key", "sk-lf-", UrlSafe, 36, 36),
    token("langsmith_key", "lsv2_pt_", Word, 32, 80),
    token("langsmith_key", "lsv2_sk_", Word, 32, 80),
    token("groq_key", "gsk_", Base62, 40, 80),
    token("xai_key", "xai-", Base62, 60, 120),
    token("perplexity_key", "pplx-", Base62, 40, 80),
    token("replicate_token", "r8_", Base62, 37, 37),
    token("huggingface_token", "hf_", Base62, 30, 60),
    token("huggingface_token", "api_org_", Base62, 34, 34),
    token("together_key", "tgp_v1_", UrlSafe, 40, 60),
    token("pinecone_key", "pcsk_", Word, 40, 100),
    token("elevenlabs_key", "sk_", Hex, 48, 48),
    token("npm_token", "npm_", Base62, 36, 36),
    token("pypi_token", "pypi-AgE", UrlSafe, 50, 1000),
    token("rubygems_key", "rubygems_", Hex, 48, 48),
    token("crates_io_token", "cio", Base62, 32, 32),
    token("clojars_token", "CLOJARS_", Lower, 60, 60),
    token("nuget_key", "oy2", Lower, 43, 43),
    token("docker_token", "dckr_pat_", UrlSafe, 24, 60),
    token("docker_token", "dckr_oat_", UrlSafe, 24, 60),
    token("jfrog_token", "AKCp", Base62, 65, 75),
    token("bitbucket_token", "ATBB", Base62, 24, 60),
    token("bitbucket_token", "ATCTT3", Dotted, 60, 400),
    token("atlassian_token", "ATATT3", Dotted, 60, 400),
    token("sendgrid_key", "SG.", Dotted, 60, 75),
    token("mailgun_key", "key-", Hex, 32, 32),
    token("resend_key", "re_", Word, 28, 50),
    token("brevo_key", "xkeysib-", UrlSafe, 64, 100),
    token("digitalocean_token", "dop_v1_", Hex, 64, 64),
    token("digitalocean_token", "doo_v1_", Hex, 64, 64),
    token("digitalocean_token", "dor_v1_", Hex, 64, 64),
    token("heroku_key", "HRKU-", UrlSafe, 30, 80),
    token("fly_token", "fo1_", UrlSafe, 40, 60),
    token("fly_token", "fm2_", Base64, 60, 2000),
    token("netlify_token", "nfp_", Base62, 36, 60),
    token("render_key", "rnd_", Base62, 28, 40),
    token("supabase_token", "sbp_", Hex, 40, 60),
    token("supabase_key", "sb_secret_", UrlSafe, 20, 60),
    token("planetscale_token", "pscale_tkn_", Dotted, 32, 80),
    token("planetscale_password", "pscale_pw_", Dotted, 32, 80),
    token("planetscale_token", "pscale_oauth_", Dotted, 32, 80),
    token("databricks_token", "dapi", Hex, 32, 32),
    token("shopify_token", "shpat_", Hex, 32, 32),
    token("shopify_token", "shpca_", Hex, 32, 32),
    token("shopify_token", "shppa_", Hex, 32, 32),
    token("shopify_secret", "shpss_", Hex, 32, 32),
    token("square_token", "sq0atp-", UrlSafe, 22, 22),
    token("square_secret", "sq0csp-", UrlSafe, 43, 43),
    token("facebook_token", "EAACEdEose0cBA", Base62, 20, 300),
    token("linear_key", "lin_api_", Base62, 32, 60),
    token("linear_key", "lin_oauth_", Base62, 32, 80),
    token("notion_token", "ntn_", Base62, 40, 60),
    token("figma_token", "figd_", UrlSafe, 36, 60),
    token("postman_key", "PMAK-", UrlSafe, 50, 70),
    token("grafana_token", "glsa_", Word, 40, 50),
    token("grafana_token", "glc_", Base64, 32, 400),
    token("vault_token", "hvs.", UrlSafe, 24, 300),
    token("vault_token", "hvb.", UrlSafe, 60, 300),
    token("doppler_token", "dp.pt.", Base62, 40, 50),
    token("doppler_token", "dp.st.", Dotted, 40, 70),
    token("doppler_token", "dp.sa.", Base62, 40, 50),
    token("pulumi_token", "pul-", Hex, 40, 40),
    token("dynatrace_token", "dt0c01.", Dotted, 80, 100),
    token("newrelic_key", "NRAK-", Upper, 27, 27),
    token("newrelic_key", "NRIQ-", Upper, 27, 32),
    token("sentry_token", "sntrys_", Base64, 60, 400),
    token("sentry_token", "sntryu_", Hex, 64, 64),
    token("contentful_token", "CFPAT-", UrlSafe, 43, 43),
    token("alibaba_key", "LTAI", Base62, 20, 24),
    token("tencent_key", "AKID", Base62, 32, 32),
    token("adafruit_key", "aio_", Base62, 28, 28),
    token("buildkite_token", "bkua_", Hex, 40, 40),
    token("circleci_token", "CCIPAT_", Word, 40, 80),
    token("duffel_token", "duffel_live_", UrlSafe, 43, 43),
    token("duffel_token", "duffel_test_", UrlSafe, 43, 43),
    token("easypost_key", "EZAK", Base62, 54, 54),
    token("flutterwave_key", "FLWSECK-", UrlSafe, 32, 60),
    token("frameio_token", "fio-u-", UrlSafe, 64, 64),
    token("mapbox_token", "sk.eyJ", Dotted, 60, 300),
    token("prefect_key", "pnu_", Base62, 36, 36),
    token("razorpay_key", "rzp_live_", Base62, 14, 20),
    token("readme_key", "rdme_", Lower, 70, 70),
    token("shippo_token", "shippo_live_", Hex, 40, 40),
    token("typeform_token", "tfp_", Dotted, 40, 80),
    token("onepassword_token", "ops_eyJ", Base64, 200, 2000),
    token("age_key", "AGE-SECRET-KEY-1", Upper, 58, 58),
    token("tailscale_key", "tskey-", UrlSafe, 20, 80),
    token("sonar_token", "sqp_", Hex, 40, 40),
    token("sonar_token", "squ_", Hex, 40, 40),
    token("sonar_token", "sqa_", Hex, 40, 40),
    token("yandex_key", "AQVN", UrlSafe, 35, 40),
];
