//! Whom to believe over TLS: the certificate authorities that this machine trusts, and more where told.

use crate::error::{Error, Result};
use std::fmt;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How to encrypt, and whom to believe; `authorities` are certificates as PEM beside those of the machine.
///
/// # Errors
/// `InvalidSetting` when the authorities cannot be read, or there are none at all.
pub(crate) fn config(authorities: Option<&str>) -> Result<ClientConfig> {
    let refuse =
        |reason: &dyn fmt::Display| Error::setting("the certificate authorities", reason.to_string());
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in CertificateDer::pem_slice_iter(authorities.unwrap_or_default().as_bytes()) {
        let certificate =
            certificate.map_err(|error| refuse(&format_args!("must be certificates as PEM: {error}")))?;
        roots.add(certificate).map_err(|error| refuse(&format_args!("hold one that is none: {error}")))?;
    }
    if roots.is_empty() {
        return Err(refuse(&"were not found; install those of the system, or name one with `trusting`"));
    }
    let builder = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| refuse(&format_args!("cannot be used: {error}")))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
