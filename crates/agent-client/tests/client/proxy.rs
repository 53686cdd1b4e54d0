//! A line to a server that is encrypted towards the client.

use agent_testkit::{Proxy, Talk};
use tokio_rustls::TlsAcceptor;

/// Before the server at this address, encrypted towards the client; and where clients reach it.
pub(crate) async fn encrypted(url: &str, acceptor: TlsAcceptor) -> (Proxy, String) {
    let greet = move |client| {
        let acceptor = acceptor.clone();
        let greeted =
            async move { acceptor.accept(client).await.ok().map(|client| Box::new(client) as Box<dyn Talk>) };
        Box::pin(greeted) as agent_testkit::Greeted
    };
    let proxy = Proxy::speaking(url, greet).await;
    let address = proxy.url().replacen("http", "https", 1);
    (proxy, address)
}
