//! Whom we trust: the system's authorities, a private one beside them, or one pinned certificate.

use std::path::Path;
use std::sync::{Arc, Once};

use reqwest::{Certificate, ClientBuilder, Url};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_platform_verifier::Verifier;
use sha2::{Digest, Sha256};

use super::super::{AuthSettings, Settings};
use super::is_loopback;
use crate::model::{Fault, FaultKind};

/// Installs the one crypto provider of the process, once.
pub fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error only says that somebody installed one before us.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Sets up TLS as the service's settings say.
pub(super) fn apply(builder: ClientBuilder, settings: &Settings) -> Result<ClientBuilder, Fault> {
    install_provider();
    if settings.tls.pin_sha256.is_some() {
        return Ok(builder.tls_backend_preconfigured(client(judge(settings)?, settings)?));
    }
    if let Some(file) = &settings.tls.ca_file {
        let certificates = authorities(file)?
            .iter()
            .map(|der| Certificate::from_der(der))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| bad_ca(file, format!("no certificate: {}", super::fault::chain(&e))))?;
        return Ok(builder.tls_certs_merge(certificates));
    }
    if only_loopback(settings) {
        // No TLS will be spoken: reading the system's authorities would only cost start-up time, and
        // fail on machines that have none.
        return Ok(builder.tls_certs_only([]));
    }
    Ok(builder)
}

/// Who judges the service's certificate: the same authorities and pins as those of the client.
///
/// # Errors
/// A [`FaultKind::Config`] fault as [`apply`]; a [`FaultKind::Tls`] fault when the system has no authorities.
pub(in crate::connect) fn judge(settings: &Settings) -> Result<Arc<dyn ServerCertVerifier>, Fault> {
    install_provider();
    if let Some(pin) = &settings.tls.pin_sha256 {
        return Ok(Arc::new(Pinned {
            accepted: pins(pin, settings)?,
            provider: provider(),
        }));
    }
    let extra = match &settings.tls.ca_file {
        Some(file) => authorities(file)?,
        None => Vec::new(),
    };
    let verifier = if extra.is_empty() {
        Verifier::new(provider())
    } else {
        Verifier::new_with_extra_roots(extra, provider())
    };
    let verifier = verifier.map_err(|e| {
        Fault::new(
            FaultKind::Tls,
            format!("the authorities to trust can't be loaded: {e}"),
            settings.name.to_string(),
            "Install the system's CA certificates, or set ca_file or pin_sha256 for this service.",
        )
    })?;
    Ok(Arc::new(verifier))
}

/// The process's crypto provider.
pub(in crate::connect) fn provider() -> Arc<CryptoProvider> {
    CryptoProvider::get_default().map_or_else(
        || Arc::new(rustls::crypto::ring::default_provider()),
        Arc::clone,
    )
}

/// The certificates of a private authority.
fn authorities(file: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let pem = std::fs::read(file).map_err(|e| bad_ca(file, format!("can't be read: {e}")))?;
    let certificates = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| bad_ca(file, format!("is not PEM: {e}")))?;
    if certificates.is_empty() {
        return Err(bad_ca(file, "holds no certificate".into()));
    }
    Ok(certificates)
}

fn bad_ca(file: &Path, what: String) -> Fault {
    Fault::new(
        FaultKind::Config,
        format!("the CA file {what}"),
        file.display().to_string(),
        "Give a PEM file with the certificate of the authority as ca_file.",
    )
}

/// True when every address of the service is plain HTTP on this machine.
fn only_loopback(settings: &Settings) -> bool {
    let local = |text: &str| {
        Url::parse(&text.replace("{project_id}", "p"))
            .is_ok_and(|u| u.scheme() == "http" && is_loopback(&u))
    };
    let auth = match &settings.auth {
        AuthSettings::KeystonePassword { url, .. } | AuthSettings::KeystoneToken { url, .. } => {
            Some(url.as_str())
        }
        _ => None,
    };
    match (settings.endpoint.as_deref(), auth) {
        (Some(endpoint), Some(auth)) => local(endpoint) && local(auth),
        (Some(only), None) => local(only),
        _ => false,
    }
}

/// The accepted digests.
fn pins(text: &str, settings: &Settings) -> Result<Vec<[u8; 32]>, Fault> {
    let bad = |what: &str| {
        Fault::new(
            FaultKind::Config,
            what,
            settings.name.to_string(),
            "pin_sha256 is the SHA-256 of the certificate: 64 hex digits, colons allowed, several separated by commas.",
        )
    };
    let mut accepted = Vec::new();
    for pin in text.split([',', ' ']).filter(|p| !p.is_empty()) {
        let mut digest = [0u8; 32];
        hex::decode_to_slice(pin.replace(':', ""), &mut digest)
            .map_err(|_| bad("the pinned certificate is not a SHA-256"))?;
        accepted.push(digest);
    }
    if accepted.is_empty() {
        return Err(bad("the pin is empty"));
    }
    Ok(accepted)
}

/// A client configuration in which `verifier` has the word.
///
/// # Errors
/// A [`FaultKind::Tls`] fault when the crypto provider has no usable version of TLS.
pub(in crate::connect) fn client(
    verifier: Arc<dyn ServerCertVerifier>,
    settings: &Settings,
) -> Result<ClientConfig, Fault> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| {
            Fault::new(
                FaultKind::Tls,
                format!("TLS can't be set up: {e}"),
                settings.name.to_string(),
                "This is a mistake in keepwatch: please report it.",
            )
        })?;
    Ok(builder
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

/// Accepts the pinned certificates and no other; names and dates don't matter, the handshake's
/// signature does.
#[derive(Debug)]
struct Pinned {
    accepted: Vec<[u8; 32]>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let digest: [u8; 32] = Sha256::digest(end_entity.as_ref()).into();
        if self.accepted.contains(&digest) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            ))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
