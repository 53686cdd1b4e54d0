//! From a host's name to its addresses.

use async_trait::async_trait;
use std::io;
use std::net::IpAddr;

/// Tells which addresses a name has at this moment.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// All addresses of a host, of which each may be connected to.
    ///
    /// # Errors
    /// Whatever keeps it from knowing; the call is then tried again later.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the system, as every other program on this machine does.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((host, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}
