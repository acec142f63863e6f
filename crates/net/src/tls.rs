//! Whom a TLS connection trusts: the platform's certificates and those an administrator added.
//!
//! A machine without certificates of its own (a bare container) can still reach what an added
//! certificate vouches for; everything else is refused by the handshake.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::Verifier;

use crate::error::NetError;

/// Reads every certificate of a PEM text.
pub(crate) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, NetError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = read.map_err(|_| NetError::NoCertificate)?;
    if found.is_empty() {
        return Err(NetError::NoCertificate);
    }
    let mut probe = RootCertStore::empty();
    for certificate in &found {
        probe
            .add(certificate.clone())
            .map_err(NetError::Certificate)?;
    }
    Ok(found)
}

/// The TLS settings of a client that also trusts `extra`; ALPN is left to the caller.
pub(crate) fn client_config(extra: Vec<CertificateDer<'static>>) -> Result<ClientConfig, NetError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(NetError::Certificate)?;
    let config = match platform_verifier(extra.clone(), provider) {
        Some(verifier) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier)),
        None => builder.with_root_certificates(store(extra)?),
    };
    Ok(config.with_no_client_auth())
}

fn platform_verifier(
    extra: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Option<Verifier> {
    Verifier::new_with_extra_roots(extra, provider)
        .inspect_err(|error| {
            tracing::warn!(%error, "the platform has no ca certificates: only added ones are trusted");
        })
        .ok()
}

fn store(certificates: Vec<CertificateDer<'static>>) -> Result<RootCertStore, NetError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates {
        store.add(certificate).map_err(NetError::Certificate)?;
    }
    Ok(store)
}
