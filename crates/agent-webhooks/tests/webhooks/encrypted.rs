//! I16 over TLS: a call to a checked address still has to meet the host it was meant for.

use crate::guarded::{Script, allow, patient};
use crate::receiver::Receiver;
use agent_webhooks::{Answer, CallError, Destination, GuardedClient};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;

/// An authority, as PEM, and a server's certificate from it for this name.
fn certified(name: &str) -> (String, ServerConfig) {
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
    (authority, config.unwrap())
}

async fn call(receiver: &Receiver, authorities: &str) -> Result<Answer, CallError> {
    let port = receiver.address.port();
    let allowed = allow(&[format!("hook.test:{port}")]);
    let destination = Destination::parse(&format!("https://Hook.Test.:{port}/"), &allowed).unwrap();
    let client = GuardedClient::new(Script::new(&[&[Ipv4Addr::LOCALHOST]]), patient());
    client.trusting(authorities).unwrap().post(&destination, Default::default(), b"{}".to_vec()).await
}

#[tokio::test]
async fn i16_a_receiver_proves_that_it_is_the_host_which_was_meant() {
    let (authority, config) = certified("hook.test");
    let receiver = Receiver::encrypted(config).await;
    assert_eq!(call(&receiver, &authority).await.unwrap().status, 200);
    let request = receiver.arrival().await;
    assert_eq!(request.header("host"), format!("hook.test:{}", receiver.address.port()));
}

#[tokio::test]
async fn i16_nothing_is_sent_to_a_receiver_that_cannot_prove_it() {
    let (authority, config) = certified("other.test");
    let other_name = Receiver::encrypted(config).await;
    let (_, config) = certified("hook.test");
    let other_authority = Receiver::encrypted(config).await;
    for receiver in [other_name, other_authority] {
        let error = call(&receiver, &authority).await.unwrap_err();
        assert!(matches!(error, CallError::Broken(_)), "{error:?}");
        assert_eq!((receiver.connections(), receiver.requests().len()), (1, 0), "{error}");
    }
}

#[test]
fn authorities_that_cannot_be_read_are_refused_at_once() {
    let client = GuardedClient::new(Script::new(&[&[]]), patient());
    let broken = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
    assert!(matches!(client.trusting(broken), Err(CallError::Unprepared(_))));
}
