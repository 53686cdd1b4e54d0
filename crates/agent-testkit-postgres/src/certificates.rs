//! Certificates for a server that encrypts.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// An authority and the certificate it made out to `localhost`, as PEM.
pub(crate) struct Certificates {
    pub(crate) authority: String,
    pub(crate) server: String,
    pub(crate) key: String,
    /// Another authority, with the same name, that has signed nothing.
    pub(crate) stranger: String,
}

impl Certificates {
    pub(crate) fn generate() -> Self {
        let (authority, issuer) = authority();
        let key = KeyPair::generate().expect("a key");
        let names = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        let server = names.signed_by(&key, &issuer).expect("a certificate");
        Self { authority, server: server.pem(), key: key.serialize_pem(), stranger: self::authority().0 }
    }
}

fn authority() -> (String, Issuer<'static, KeyPair>) {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.distinguished_name.push(DnType::CommonName, "authority of a test");
    let key = KeyPair::generate().expect("a key");
    let certificate = parameters.self_signed(&key).expect("a certificate").pem();
    (certificate, Issuer::new(parameters, key))
}
