//! Who vouches for receivers: the certificate authorities that this machine trusts, and more where told.

use super::CallError;
use std::sync::Arc;
use tokio::sync::OnceCell;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The authorities, read once, with the first encrypted call. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Trust {
    more: Vec<CertificateDer<'static>>,
    config: Arc<OnceCell<ClientConfig>>,
}

impl Trust {
    /// These authorities besides those of the machine.
    pub(super) fn with(pem: &str) -> Result<Self, CallError> {
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let more = read.map_err(|error| CallError::Unprepared(error.to_string()))?;
        Ok(Self { more, config: Arc::default() })
    }

    /// How to encrypt, and whom to believe.
    pub(super) async fn config(&self) -> Result<ClientConfig, CallError> {
        let made = self.config.get_or_try_init(|| async {
            let more = self.more.clone();
            let read = tokio::task::spawn_blocking(move || read(more));
            read.await.map_err(|error| CallError::Unprepared(error.to_string()))?
        });
        made.await.cloned()
    }
}

fn read(more: Vec<CertificateDer<'static>>) -> Result<ClientConfig, CallError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots.add_parsable_certificates(more);
    if roots.is_empty() {
        return Err(CallError::Unprepared("no certificate authorities were found".to_owned()));
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| CallError::Unprepared(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
