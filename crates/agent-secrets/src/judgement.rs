//! Tells values that are secret from words, numbers and examples.

/// Values that stand in settings everywhere, and mean nothing by themselves.
const COMMON: &[&str] = &[
    "localhost",
    "development",
    "production",
    "staging",
    "testing",
    "default",
    "example",
    "password",
    "secret",
    "changeme",
    "postgres",
    "postgresql",
    "mysql",
    "mongodb",
    "sqlite",
    "sqlite3",
    "rabbitmq",
    "memory",
    "warning",
    "verbose",
    "enabled",
    "disabled",
    "utf-8",
    "undefined",
    "database",
    "username",
    "administrator",
    "public",
    "private",
    "master",
    "server",
    "client",
    "application",
    "json",
    "string",
    "number",
    "boolean",
    "object",
    "return",
    "import",
    "export",
    "function",
    "required",
    "optional",
    "prefer",
    "require",
    "disable",
    "enable",
    "console",
    "stdout",
    "stderr",
    "always",
    "never",
    "errors",
    "docker",
    "github",
    "gitlab",
    "bearer",
    "redis",
    "google",
    "amazon",
    "azure",
    "openai",
    "anthropic",
    "ollama",
    "global",
    "simple",
    "127.0.0.1",
    "0.0.0.0",
    "http://localhost",
    "us-east-1",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "europe",
    "tokens",
    "secrets",
    "passwords",
    "foobar",
    "testtest",
    "test1234",
    "password1",
    "password123",
    "123456",
    "qwerty",
    "letmein",
];

/// Parts that tell an example from a secret.
const EXAMPLES: &[&str] = &[
    "example",
    "changeme",
    "change-me",
    "change_me",
    "your",
    "xxxx",
    "****",
    "....",
    "dummy",
    "sample",
    "fake",
    "redacted",
    "insert",
    "replace",
    "todo",
    "fixme",
    "lorem",
    "foobar",
    "123456",
    "abcdef",
    "test",
    "mock",
    "secret",
    "passw",
    "hunter2",
    "correcthorse",
    "notreal",
    "invalid",
    "default",
    "my-",
    "my_",
    "some",
    "masked",
    "hidden",
    "token",
    "deadbeef",
];

/// Whether a value is too short or too common to be masked wherever it stands.
pub(crate) fn is_trivial(value: &str) -> bool {
    let lower = value.to_lowercase();
    let is_number = value.chars().all(|letter| letter.is_ascii_digit() || "+-.,:_/ ".contains(letter));
    value.chars().count() < 6
        || is_number && value.len() < 16
        || COMMON.contains(&lower.as_str())
        || distinct(value.as_bytes()) < 3
}

/// Whether a value is obviously an example.
pub(crate) fn is_example(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    EXAMPLES.iter().any(|part| lower.contains(part))
        || distinct(value.as_bytes()) < 5
        || counts_up(value.as_bytes())
}

/// Whether most letters follow upon the one before, as in an alphabet.
fn counts_up(value: &[u8]) -> bool {
    let steps =
        value.windows(2).filter(|pair| pair[1] == pair[0].wrapping_add(1) || pair[1] == pair[0]).count();
    steps * 2 > value.len()
}

fn distinct(value: &[u8]) -> usize {
    let mut seen = [false; 256];
    for byte in value {
        seen[usize::from(*byte)] = true;
    }
    seen.iter().filter(|is_seen| **is_seen).count()
}

/// Shannon's entropy in bits for each byte.
pub(crate) fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value {
        counts[usize::from(*byte)] += 1;
    }
    let total = value.len().max(1) as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}

/// Whether it is a UUID.
pub(crate) fn is_uuid(value: &str) -> bool {
    value.len() == 36
        && value.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Whether the name of a setting says that its value is secret.
pub(crate) fn names_a_secret(name: &str) -> bool {
    const PARTS: &[&str] = &[
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "apikey",
        "api_key",
        "api-key",
        "access_key",
        "accesskey",
        "private_key",
        "privatekey",
        "credential",
        "auth",
        "pwd",
        "_key",
        "-key",
        "_pass",
        "dsn",
        "webhook",
        "signing",
        "salt",
        "cookie",
        "session",
        "connection_string",
        "connectionstring",
        "jwt",
    ];
    let lower = name.to_lowercase();
    PARTS.iter().any(|part| lower.contains(part)) || lower == "key" || lower == "pass"
}

/// Whether a value looks made by chance: letters and digits mixed, no address, no path, no version.
pub(crate) fn looks_random(value: &str) -> bool {
    let has = |is: fn(&u8) -> bool| value.bytes().any(|byte| is(&byte));
    let is_plain = value.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>(){}[]\"'`".contains(&byte));
    value.len() >= 12
        && is_plain
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && !value.contains("://")
        && !value.starts_with(['/', '.', '~'])
        && !is_uuid(value)
        && !is_example(value)
        && entropy(value.as_bytes()) >= 3.0
}
