//! What has the shape of a secret.

mod assignments;
mod contexts;
mod tokens;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::sync::LazyLock;
use tokens::TOKENS;

/// A secret in a text.
#[derive(Debug, Clone)]
pub(crate) struct Span<'n> {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// What it is called in its mask.
    pub(crate) name: &'n str,
    /// Whether it is a value that was told, and not a shape.
    pub(crate) is_known: bool,
}

/// Looks at the place of an anchor, which begins and ends there, and says where the secret is.
type Look = fn(&str, usize, usize) -> Option<(usize, usize)>;

/// Anchors that need more than a look at the letters behind them.
const CONTEXTS: &[(&str, &str, Look)] = &[
    ("private_key", "-----BEGIN ", contexts::private_key),
    ("jwt", "eyJ", contexts::json_web_token),
    ("url_password", "://", contexts::password_in_address),
    ("bearer_token", "bearer ", contexts::bearer),
    ("basic_credentials", "basic ", contexts::basic),
    ("telegram_token", ":AA", contexts::telegram),
    ("slack_webhook", "hooks.slack.com/", contexts::webhook),
    ("discord_webhook", "/api/webhooks/", contexts::webhook),
    ("teams_webhook", ".webhook.office.com/", contexts::webhook),
    ("api_key", "ak_live_", contexts::own_key),
    ("terraform_token", ".atlasv1.", contexts::terraform),
    ("azure_client_secret", "8Q~", contexts::azure),
    ("mailchimp_key", "-us", contexts::mailchimp),
    ("azure_signature", "&sig=", contexts::signature),
    ("amazon_signature", "X-Amz-Signature=", contexts::signature),
];

/// What an anchor is for.
#[derive(Clone, Copy)]
enum Anchor {
    Token(usize),
    Context(usize),
    Twilio,
    Assignment,
}

/// `SK` alone stands in many words.
const TWILIO: &[&str] = &[
    "SK0", "SK1", "SK2", "SK3", "SK4", "SK5", "SK6", "SK7", "SK8", "SK9", "SKa", "SKb", "SKc", "SKd", "SKe",
    "SKf",
];

struct Anchors {
    automaton: Option<AhoCorasick>,
    meanings: Vec<Anchor>,
}

/// One automaton for all anchors, so that a text is gone through once. Without it nothing is found, which its test
/// excludes: the anchors are constants.
static ANCHORS: LazyLock<Anchors> = LazyLock::new(|| {
    let mut texts: Vec<&str> = Vec::new();
    let mut meanings = Vec::new();
    for (at, token) in TOKENS.iter().enumerate() {
        texts.push(token.prefix);
        meanings.push(Anchor::Token(at));
    }
    for (at, (_, anchor, _)) in CONTEXTS.iter().enumerate() {
        texts.push(anchor);
        meanings.push(Anchor::Context(at));
    }
    for anchor in TWILIO {
        texts.push(anchor);
        meanings.push(Anchor::Twilio);
    }
    for keyword in assignments::KEYWORDS {
        texts.push(keyword);
        meanings.push(Anchor::Assignment);
    }
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .match_kind(MatchKind::LeftmostLongest)
        .build(texts)
        .ok();
    Anchors { automaton, meanings }
});

/// Finds what has the shape of a secret.
pub(crate) fn find<'n>(text: &str, found: &mut Vec<Span<'n>>) {
    let Some(automaton) = &ANCHORS.automaton else { return };
    let mut private_key_until = 0;
    for hit in automaton.find_iter(text) {
        let (start, end) = (hit.start(), hit.end());
        let span = match ANCHORS.meanings[hit.pattern().as_usize()] {
            Anchor::Token(at) => TOKENS[at].find(text, start).map(|span| (TOKENS[at].name, span)),
            Anchor::Context(at) => {
                let (name, anchor, look) = CONTEXTS[at];
                let exact = text[start..end] == *anchor || anchor.ends_with(' ');
                let fresh = start >= private_key_until;
                let span = (exact && fresh).then(|| look(text, start, end)).flatten();
                if let (Some((_, until)), "private_key") = (span, name) {
                    private_key_until = until;
                }
                span.map(|span| (name, span))
            }
            Anchor::Twilio => contexts::twilio(text, start).map(|span| ("twilio_key", span)),
            Anchor::Assignment => assignments::find(text, start, end).map(|span| ("assigned_value", span)),
        };
        if let Some((name, (start, end))) = span {
            found.push(Span { start, end, name, is_known: false });
        }
    }
}

/// Whether a rule masks under this name.
pub(crate) fn is_name(name: &str) -> bool {
    matches!(name, "assigned_value" | "twilio_key")
        || CONTEXTS.iter().any(|(context, _, _)| *context == name)
        || TOKENS.iter().any(|token| token.name == name)
}
