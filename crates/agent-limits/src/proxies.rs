//! From which address a request really comes.

mod hops;
mod network;

use crate::error::Result;
use network::Network;
use std::net::IpAddr;

/// The most steps from proxy to proxy that are followed.
const MAX_HOPS: usize = 32;

/// Which header is believed, when a trusted proxy sends it.
///
/// A proxy adds to the one header that it knows and passes on the other as the client sent it, so the other one may say
/// anything. Whoever knows which one their proxies write should say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardingHeader {
    /// The one that comes. When both come they must name the same client; when they do not, one of them was made up,
    /// nobody knows which, and the request counts as the proxy's own.
    #[default]
    Either,
    /// `X-Forwarded-For` only.
    XForwardedFor,
    /// `Forwarded` (RFC 7239) only.
    Forwarded,
}

/// The proxies whose word about the client's address is taken. By default none, and headers mean nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    header: ForwardingHeader,
}

impl TrustedProxies {
    /// Reads addresses (`::1`) and networks (`10.0.0.0/8`). IPv4 written as IPv6 means IPv4.
    ///
    /// To name a network is to believe every machine in it: of `0.0.0.0/0` anybody chooses their address freely.
    ///
    /// # Errors
    /// [`Error::Proxy`](crate::Error::Proxy) with the first entry that is neither, or that has bits set behind its
    /// prefix.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let networks = entries.into_iter().map(str::parse).collect::<Result<_>>()?;
        Ok(Self { networks, header: ForwardingHeader::default() })
    }

    /// The same proxies, believed about this header.
    #[must_use]
    pub fn reading(self, header: ForwardingHeader) -> Self {
        Self { header, ..self }
    }

    /// Whether an address is a trusted proxy's.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(address))
    }

    /// The address of the client: the peer's, unless that is a trusted proxy; then the nearest one that a chain of
    /// trusted proxies named and that is no trusted proxy itself. IPv4 written as IPv6 becomes IPv4.
    ///
    /// Give all values of `X-Forwarded-For` and of `Forwarded` in the order in which they came, as bytes or text, none
    /// left out: one that cannot be read must end the way back, and leaving it out would lead past it. The way back
    /// ends at the last good address before anything unreadable, and after 32 steps.
    pub fn client(
        &self,
        peer: IpAddr,
        forwarded_for: impl IntoIterator<Item: AsRef<[u8]>>,
        forwarded: impl IntoIterator<Item: AsRef<[u8]>>,
    ) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let (simple, standard) = (hops::last_values(forwarded_for), hops::last_values(forwarded));
        let by_simple = || self.follow(peer, hops::of_x_forwarded_for(&simple));
        let by_standard = || self.follow(peer, hops::of_forwarded(&standard));
        match self.header {
            ForwardingHeader::XForwardedFor => by_simple(),
            ForwardingHeader::Forwarded => by_standard(),
            ForwardingHeader::Either if standard.is_empty() => by_simple(),
            ForwardingHeader::Either if simple.is_empty() => by_standard(),
            ForwardingHeader::Either => {
                let client = by_simple();
                if client == by_standard() { client } else { peer }
            }
        }
    }

    fn follow(&self, peer: IpAddr, hops: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
        let mut client = peer;
        for hop in hops.take(MAX_HOPS) {
            let Some(address) = hop else { break };
            client = address;
            if !self.trusts(address) {
                break;
            }
        }
        client
    }
}
