//! Reads the values out of files of credentials.

mod env;
mod formats;

pub use env::values_of_env_file;

use crate::judgement::{is_trivial, looks_random, names_a_secret};

/// The secret values in a file with this name, each with a name for its mask: of `.env` files, `.npmrc`, `.netrc`, `.pypirc`,
/// `.pgpass`, `.git-credentials`, `credentials` and other files of settings, keys in JSON and in armour. Values whose name
/// does not say that they are secret count only if they look made by chance.
///
/// ```
/// let values = agent_secrets::values_of("config/.env.local", "APP_NAME=shop\nexport DB_PASSWORD='swordfish'\n");
/// assert_eq!(values, [("DB_PASSWORD".to_owned(), "swordfish".to_owned())]);
/// ```
pub fn values_of(file_name: &str, text: &str) -> Vec<(String, String)> {
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name).to_lowercase();
    let trimmed = text.trim_start();
    let mut values =
        if name.starts_with(".env") || name.ends_with(".env") || name.starts_with("env.") || name == ".envrc"
        {
            secret(values_of_env_file(text))
        } else if name.contains("netrc") {
            formats::netrc(text)
        } else if name == ".pgpass" || name == "pgpass.conf" {
            formats::pgpass(text)
        } else if name.contains("git-credentials") {
            // Nothing but addresses, which are looked for in every file.
            Vec::new()
        } else if trimmed.starts_with("-----BEGIN ") {
            formats::armour(&name, text)
        } else if let Some(values) = trimmed.starts_with(['{', '[']).then(|| formats::json(text)).flatten() {
            secret(values)
        } else {
            secret(formats::settings(text))
        };
    values.extend(formats::addresses(text));
    let keys = values.iter().filter(|(_, value)| value.contains("-----BEGIN "));
    let lines: Vec<_> =
        keys.flat_map(|(name, value)| formats::armour(name, &value.replace("\\n", "\n"))).collect();
    values.extend(lines);
    values.retain(|(_, value)| !is_trivial(value));
    values.sort();
    values.dedup();
    values
}

/// Those whose name or look says that they are secret.
fn secret(values: Vec<(String, String)>) -> Vec<(String, String)> {
    let is_secret = |(name, value): &(String, String)| {
        names_a_secret(name) || looks_random(value) || value.contains("PRIVATE KEY-----")
    };
    values.into_iter().filter(is_secret).collect()
}
