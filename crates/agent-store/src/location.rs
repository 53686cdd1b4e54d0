//! Which database an address names.

use crate::error::Error;
use crate::postgres::address::Address;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

/// Where a database is.
#[derive(Debug)]
pub(crate) enum Location {
    /// An SQLite file, absolute.
    File(PathBuf),
    /// A PostgreSQL server.
    Server(Box<Address>),
}

/// The place that `sqlite://PATH` or `postgres://…` names.
pub(crate) fn of(url: &str) -> Result<Location, Error> {
    let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
    match scheme {
        "sqlite" => file_of(rest).map(Location::File),
        "postgres" | "postgresql" => Ok(Location::Server(Box::new(Address::parse(url)?))),
        other => Err(Error::UnknownScheme(other.chars().take(20).collect())),
    }
}

fn file_of(rest: &str) -> Result<PathBuf, Error> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.contains(":memory:") {
        return Err(Error::InMemory);
    }
    if path.contains('?') {
        return Err(Error::OptionsRefused);
    }
    std::path::absolute(path).map_err(|source| Error::File { path: path.into(), source })
}

/// Makes sure that the file exists, readable only for the account that runs the program.
pub(crate) fn create_private(path: &Path) -> Result<(), Error> {
    if let Some(folder) = path.parent()
        && !folder.is_dir()
    {
        return Err(Error::MissingFolder(folder.to_owned()));
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // SQLite gives its two companion files the mode of this one.
    options.open(path).map(drop).map_err(|source| Error::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_of(url: &str) -> Result<PathBuf, Error> {
        of(url).map(|location| match location {
            Location::File(path) => path,
            Location::Server(address) => panic!("{address:?}"),
        })
    }

    #[test]
    fn a_path_is_relative_with_two_slashes_and_absolute_with_three() {
        assert_eq!(path_of("sqlite:///var/lib/agent.db").unwrap(), Path::new("/var/lib/agent.db"));
        let relative = path_of("sqlite://agent.db").unwrap();
        assert!(relative.is_absolute() && relative.ends_with("agent.db"), "{relative:?}");
    }

    #[test]
    fn addresses_that_name_no_database_are_refused_with_the_reason() {
        for url in ["sqlite::memory:", "sqlite://:memory:", "sqlite://", "sqlite:"] {
            assert!(matches!(path_of(url), Err(Error::InMemory)), "{url}");
        }
        assert!(matches!(path_of("sqlite://a.db?mode=ro"), Err(Error::OptionsRefused)));
        let unknown = path_of("mysql://u:secret@host/db").unwrap_err().to_string();
        assert!(unknown.contains("mysql") && !unknown.contains("secret"), "{unknown}");
    }
}
