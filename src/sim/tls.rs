//! TLS for services that speak it: a certificate that signed itself, as products make one at installation.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

use super::error::SimError;

/// A certificate with its key, both as PEM.
#[derive(Debug, PartialEq, Eq)]
pub struct Certificate {
    cert: &'static str,
    key: &'static str,
}

/// The demo's own, for 127.0.0.1 and localhost. Its key lies open in the sources: it protects nothing.
pub static SELF_SIGNED: Certificate = Certificate {
    cert: include_str!("../../assets/sim/self-signed.cert.pem"),
    key: include_str!("../../assets/sim/self-signed.key.pem"),
};

fn broken(error: impl std::fmt::Display) -> SimError {
    SimError::Tls(error.to_string())
}

impl Certificate {
    fn der(&self) -> Result<CertificateDer<'static>, SimError> {
        CertificateDer::from_pem_slice(self.cert.as_bytes()).map_err(broken)
    }

    /// SHA-256 of the certificate, in hexadecimal with colons, as `openssl x509 -fingerprint` writes it; empty for one
    /// that can't be read.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let Ok(der) = self.der() else {
            return String::new();
        };
        let digits: Vec<String> = Sha256::digest(&der)
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        digits.join(":")
    }

    /// What takes connections with this certificate.
    ///
    /// # Errors
    /// The certificate or its key is no good.
    pub(super) fn acceptor(&self) -> Result<TlsAcceptor, SimError> {
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(broken)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(broken)?
            .with_no_client_auth()
            .with_single_cert(vec![self.der()?], key)
            .map_err(broken)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_certificate_is_good() {
        assert!(SELF_SIGNED.acceptor().is_ok());
        assert_eq!(SELF_SIGNED.fingerprint().len(), 32 * 3 - 1);
    }
}
