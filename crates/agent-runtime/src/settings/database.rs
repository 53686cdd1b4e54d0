//! What the address of the database gives away: a file, and never the password.

use std::path::PathBuf;

/// The file, where the address names one.
pub(crate) fn file_of(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))?;
    Some(PathBuf::from(path))
}

/// The parts of the address of a database server.
struct ServerAddress<'a> {
    scheme: &'a str,
    user: &'a str,
    password: Option<&'a str>,
    /// Host, port and name.
    place: &'a str,
    options: &'a str,
}

impl<'a> ServerAddress<'a> {
    fn read(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://").filter(|(scheme, _)| *scheme != "sqlite")?;
        // Up to the first @, as whoever connects reads it: a password may hold anything else.
        let (login, place) = rest.split_once('@').unwrap_or(("", rest));
        let (user, password) =
            login.split_once(':').map_or((login, None), |(user, password)| (user, Some(password)));
        let (place, options) = place.split_once('?').unwrap_or((place, ""));
        Some(Self { scheme, user, password, place, options })
    }

    /// Names and values of the options.
    fn options(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let split = |option: &'a str| option.split_once('=').map(|(name, value)| (name, Some(value)));
        self.options.split('&').map(move |option| split(option).unwrap_or((option, None)))
    }
}

fn is_password(option: &str) -> bool {
    option.contains("password")
}

/// The passwords in the address.
pub(crate) fn passwords_in(url: &str) -> Vec<&str> {
    let Some(address) = ServerAddress::read(url) else { return Vec::new() };
    let options = address.options().filter(|(name, _)| is_password(name));
    address.password.into_iter().chain(options.filter_map(|(_, value)| value)).collect()
}

/// The address of a server without whom it is used as, and without options; none for a file.
pub(crate) fn without_login(url: &str) -> Option<String> {
    let ServerAddress { scheme, place, .. } = ServerAddress::read(url)?;
    Some(format!("{scheme}://{place}"))
}

/// The address as it may be shown.
pub(super) fn without_password(url: &str) -> String {
    let Some(address) = ServerAddress::read(url) else { return url.to_owned() };
    let ServerAddress { scheme, user, place, .. } = address;
    let login = match address.password {
        Some(_) => format!("{user}:***@"),
        None if user.is_empty() => String::new(),
        None => format!("{user}@"),
    };
    let shown = address.options().map(|(name, value)| match value {
        Some(_) if is_password(name) => format!("{name}=***"),
        Some(value) => format!("{name}={value}"),
        None => name.to_owned(),
    });
    let options = shown.collect::<Vec<_>>().join("&");
    let separator = if options.is_empty() { "" } else { "?" };
    format!("{scheme}://{login}{place}{separator}{options}")
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
    fn every_password_of_an_address_is_found() {
        let cases: [(&str, &[&str]); 4] = [
            ("postgres://ada:s3/?:cret@db/agent?sslmode=require", &["s3/?:cret"]),
            ("postgres://ada@db/agent?password=s3cret&sslpassword=other", &["s3cret", "other"]),
            ("postgres://db/agent", &[]),
            ("sqlite:///srv/a:b@c.db", &[]),
        ];
        for (url, passwords) in cases {
            assert_eq!(passwords_in(url), passwords, "{url}");
        }
    }

    #[test]
    fn a_server_is_named_without_whom_it_is_used_as() {
        let shown = without_login("postgres://ada:s3/cret@db:5433/agent?password=s3cret");
        assert_eq!(shown.as_deref(), Some("postgres://db:5433/agent"));
        assert_eq!(without_login("sqlite:///srv/a@b.db"), None);
    }

    #[test]
    fn only_sqlite_names_a_file() {
        assert_eq!(file_of("sqlite://agent.db"), Some(PathBuf::from("agent.db")));
        assert_eq!(file_of("postgres://ada@db/agent"), None);
    }
}
