//! A database for one test.

use std::future::Future;
use tokio_postgres::{Config, NoTls, SimpleQueryMessage};

/// A database that is dropped when the test is over.
pub struct TestDatabase {
    pub(crate) admin_url: String,
    pub(crate) url: String,
    pub(crate) name: String,
}

impl TestDatabase {
    /// Its address, with the password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs statements in it and yields the first column of what they return.
    ///
    /// # Panics
    /// When PostgreSQL refuses them.
    pub fn query(&self, sql: &str) -> Vec<String> {
        query(&self.url, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The same as somebody who says that they work for this tenant, or does not say for whom.
    ///
    /// # Errors
    /// What PostgreSQL said when it refused them.
    pub fn query_within(&self, tenant: Option<&str>, sql: &str) -> Result<Vec<String>, String> {
        let tenant = tenant.map(|tenant| format!("-c agent.tenant={tenant}"));
        query_with(&self.url, tenant.as_deref().unwrap_or_default(), sql)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let dropped = query(&self.admin_url, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        // A server that a test has killed for good has no databases either.
        drop(dropped);
    }
}

/// Runs statements over a connection of its own; works inside and outside of async code.
pub(crate) fn query(url: &str, sql: &str) -> Result<Vec<String>, String> {
    // As a tool of the operator does, who sees the rows of all tenants.
    query_with(url, "-c agent.tenant=*", sql)
}

fn query_with(url: &str, options: &str, sql: &str) -> Result<Vec<String>, String> {
    let (url, options, sql) = (url.to_owned(), options.to_owned(), sql.to_owned());
    blocking(async move {
        let mut config: Config = url.parse().map_err(|error| describe(&error))?;
        config.options(options);
        let connected = config.connect(NoTls).await;
        let (client, connection) = connected.map_err(|error| describe(&error))?;
        let driving = tokio::spawn(connection);
        let messages = client.simple_query(&sql).await.map_err(|error| describe(&error))?;
        drop(client);
        // The session has ended when this has, and keeps nobody from using the database as a template.
        let _ = driving.await;
        let first = |message: SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
            _ => None,
        };
        Ok(messages.into_iter().filter_map(first).collect())
    })
}

fn describe(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| format!("{error:?}"), ToString::to_string)
}

fn blocking<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(work)
    });
    thread.join().expect("the statements run")
}
