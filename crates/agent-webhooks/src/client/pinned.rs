//! A client for one call, which can reach the checked addresses and nothing else.

use crate::destination::Destination;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::ClientConfig;

/// What a name means for the one call that it was looked up for. There is no other way from a name to an address.
struct Pinned {
    host: String,
    addresses: Vec<SocketAddr>,
}

impl Resolve for Pinned {
    fn resolve(&self, name: Name) -> Resolving {
        let answer: Result<Addrs, _> = if name.as_str() == self.host {
            Ok(Box::new(self.addresses.clone().into_iter()))
        } else {
            Err("only the host that was checked is called".into())
        };
        Box::pin(std::future::ready(answer))
    }
}

/// Makes the client. It keeps no connection, follows no redirect, asks no proxy and repeats nothing. Without
/// encryption it makes calls to `http` addresses only.
pub(super) fn client(
    destination: &Destination,
    addresses: &[IpAddr],
    connect: Duration,
    encryption: Option<ClientConfig>,
) -> reqwest::Result<reqwest::Client> {
    let addresses = addresses.iter().map(|address| SocketAddr::new(*address, destination.port())).collect();
    let builder = reqwest::Client::builder()
        .user_agent(concat!("agent-webhooks/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(Arc::new(Pinned { host: destination.host(), addresses }))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .pool_max_idle_per_host(0)
        .connect_timeout(connect);
    let builder = match encryption {
        Some(config) => builder.tls_backend_preconfigured(config),
        // Reading the certificates of the machine would take longer than the call.
        None => builder.tls_certs_only(std::iter::empty()),
    };
    builder.build()
}
