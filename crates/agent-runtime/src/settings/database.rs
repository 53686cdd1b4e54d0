//! What the address of the database gives away: a file, and never the password.

use std::path::PathBuf;

/// The file, where the address names one.
pub(crate) fn file_of(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))?;
    Some(PathBuf::from(path))
}

/// The address as it may be shown.
pub(super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| *scheme != "sqlite") else {
        return url.to_owned();
    };
    // Up to the first @, as whoever connects reads it: a password may hold anything else.
    let (user, place) = rest.split_once('@').unwrap_or(("", rest));
    let user = match user.split_once(':') {
        Some((name, _password)) => format!("{name}:***@"),
        None if user.is_empty() => String::new(),
        None => format!("{user}@"),
    };
    let (place, options) = place.split_once('?').unwrap_or((place, ""));
    let shown = options.split('&').map(|option| match option.split_once('=') {
        Some((name, _)) if name.contains("password") => format!("{name}=***"),
        _ => option.to_owned(),
    });
    let options = shown.collect::<Vec<_>>().join("&");
    let separator = if options.is_empty() { "" } else { "?" };
    format!("{scheme}://{user}{place}{separator}{options}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let cases = [
            ("postgres://ada:s3cret@db:5433/agent", "postgres://ada:***@db:5433/agent"),
            (
                "postgresql://ada:s3/?:cret@db/agent?sslmode=require",
                "postgresql://ada:***@db/agent?sslmode=require",
            ),
            (
                "postgres://ada@db/agent?password=s3cret&sslmode=require",
                "postgres://ada@db/agent?password=***&sslmode=require",
            ),
            ("postgres://db/agent", "postgres://db/agent"),
            ("sqlite:///srv/a@b.db", "sqlite:///srv/a@b.db"),
        ];
        for (url, shown) in cases {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn only_sqlite_names_a_file() {
        assert_eq!(file_of("sqlite://agent.db"), Some(PathBuf::from("agent.db")));
        assert_eq!(file_of("postgres://ada@db/agent"), None);
    }
}
