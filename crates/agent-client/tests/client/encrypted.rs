//! REST and WebSocket over TLS.

use crate::proxy::encrypted;
use crate::requests::{chain, log, to_the_end};
use agent_client::{Client, Error, Retries};
use agent_testkit::TestServer;
use futures_util::StreamExt;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;

/// An authority, as PEM, and a server with a certificate from it for this name.
fn certified(name: &str) -> (String, TlsAcceptor) {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = parameters.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(parameters, key);
    let key = KeyPair::generate().unwrap();
    let names = CertificateParams::new([name.to_owned()]).unwrap();
    let certificate = names.signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.serialize_der().try_into().unwrap());
    (authority, TlsAcceptor::from(Arc::new(config.unwrap())))
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_through_tls_with_an_authority_that_is_trusted() {
    let server = TestServer::start().await;
    let (authority, acceptor) = certified("127.0.0.1");
    let (_proxy, url) = encrypted(server.url(), acceptor).await;
    let client = Client::builder(url).trusting(authority).build().unwrap();
    client.log_in("demo", "demo123").await.unwrap();
    let plan = client.plans().create(&chain(2).execute()).await.unwrap().plan_id;
    assert_eq!(to_the_end(&client, plan).await, log(&client, plan).await);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_shown_to_a_server_that_cannot_prove_who_it_is() {
    let server = TestServer::start().await;
    let (authority, acceptor) = certified("other.test");
    let (proxy, url) = encrypted(server.url(), acceptor).await;
    let builder = Client::builder(url).trusting(authority).token("t");
    let client = builder.retries(Retries::none()).build().unwrap();
    assert!(matches!(client.validate().await, Err(Error::Unreachable { .. })));
    let outcome = client.events().follow().next().await.unwrap();
    assert!(matches!(outcome, Err(Error::Unreachable { .. })), "{outcome:?}");
    assert_eq!(proxy.lines(), 0, "no line got as far as the server");
    server.stop().await;
}
