//! DPOD's certificate is self-signed from the installation on: pinned, or refused, never simply accepted.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use sha2::{Digest, Sha256};

use super::{KIND, Kept, PLANS, settings};
use crate::connect::{PageSink, PollContext, TlsSettings};
use crate::model::{Fault, FaultKind};

const CERTIFICATE: &[u8] = include_bytes!("../../../../tests/fixtures/dpod/self-signed.cert.pem");
const KEY: &[u8] = include_bytes!("../../../../tests/fixtures/dpod/self-signed.key.pem");

/// A web console that lists no plans; it ends with the test's process.
fn console() -> String {
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(
        vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()],
        PrivateKeyDer::from_pem_slice(KEY).unwrap(),
    )
    .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            std::thread::spawn(move || {
                let connection = rustls::ServerConnection::new(config).unwrap();
                let mut tls = rustls::StreamOwned::new(connection, stream);
                let mut seen = Vec::new();
                let mut piece = [0; 1024];
                while !seen.ends_with(b"\r\n\r\n") {
                    match tls.read(&mut piece) {
                        Ok(n) if n > 0 => seen.extend_from_slice(&piece[..n]),
                        _ => return,
                    }
                }
                let body = r#"{"plans":[]}"#;
                let _ = write!(
                    tls,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                let _ = tls.flush();
            });
        }
    });
    url
}

async fn ask(tls: TlsSettings) -> Result<bool, Fault> {
    let dir = tempfile::tempdir().unwrap();
    let mut s = settings(KIND, Some(console()));
    s.options
        .insert("inbox".into(), dir.path().to_str().unwrap().into());
    s.tls = tls;
    let c = (super::DRIVER.open)(&s)?;
    let sink: &mut dyn PageSink = &mut Kept::default();
    let asked = c.poll(PLANS, PollContext::default(), sink).await;
    asked.map(|report| report.complete)
}

#[tokio::test]
async fn the_pinned_certificate_and_no_other() {
    let der = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
    let pin = |hex: String| TlsSettings {
        pin_sha256: Some(hex),
        ..TlsSettings::default()
    };
    assert_eq!(ask(pin(hex::encode(Sha256::digest(&der)))).await, Ok(true));
    let refused = ask(pin("00".repeat(32))).await.unwrap_err();
    assert_eq!(refused.kind, FaultKind::Tls);
    let refused = ask(TlsSettings::default()).await.unwrap_err();
    assert_eq!(
        refused.kind,
        FaultKind::Tls,
        "not trusted of its own accord"
    );
}

#[tokio::test]
async fn given_as_an_authority_it_is_refused_and_the_advice_is_to_pin_it() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/dpod/self-signed.cert.pem"
    );
    let as_authority = TlsSettings {
        ca_file: Some(file.into()),
        ..TlsSettings::default()
    };
    let refused = ask(as_authority).await.unwrap_err();
    assert_eq!(refused.kind, FaultKind::Tls, "{refused}");
    assert!(refused.advice.contains("pin_sha256"), "{refused}");
}
