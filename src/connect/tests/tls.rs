//! Whom we trust, over real TLS on loopback.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sha2::{Digest, Sha256};

use super::{KIND, PLACE, get};
use crate::connect::scripted::settings;
use crate::connect::session::Session;
use crate::connect::{Settings, TlsSettings};
use crate::model::{Fault, FaultKind};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");

fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_file(format!("{FOLDER}/server.pem")).unwrap()
}

/// A server that answers every request over TLS with `[]`; gives its address.
fn serve() -> String {
    let key = PrivateKeyDer::from_pem_file(format!("{FOLDER}/server-key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = StreamOwned::new(connection, stream);
            let mut head = [0; 4096];
            if tls.read(&mut head).is_ok_and(|n| n > 0) {
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]";
                let _ = tls.write_all(answer);
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
        }
    });
    url
}

async fn ask(url: &str, tls: TlsSettings) -> Result<Vec<u8>, Fault> {
    let s = Settings {
        tls,
        ..settings(KIND, Some(url.to_owned()))
    };
    let reply = get(&Session::open(&s, PLACE)?).await?;
    reply.json()
}

fn pin(hex: &str) -> TlsSettings {
    TlsSettings {
        pin_sha256: Some(hex.to_owned()),
        ..TlsSettings::default()
    }
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_it_is_given() {
    let url = serve();
    let ca = TlsSettings {
        ca_file: Some(format!("{FOLDER}/ca.pem").into()),
        ..TlsSettings::default()
    };
    assert_eq!(ask(&url, ca).await, Ok(vec![]));
}

#[tokio::test]
async fn an_unknown_authority_is_refused_with_advice() {
    let other = TlsSettings {
        ca_file: Some(format!("{FOLDER}/unrelated.pem").into()),
        ..TlsSettings::default()
    };
    let fault = ask(&serve(), other).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Tls, "{fault}");
    assert!(fault.advice.contains("ca_file"), "{fault}");
    assert!(!fault.maybe_done);
}

#[tokio::test]
async fn a_pinned_certificate_and_no_other_is_accepted() {
    let url = serve();
    let digest = hex::encode_upper(Sha256::digest(certificate().as_ref()));
    assert_eq!(ask(&url, pin(&digest)).await, Ok(vec![]));
    let pairs: Vec<&str> = (0..32).map(|i| &digest[2 * i..2 * i + 2]).collect();
    let with_colons = format!("{}, {}", "00".repeat(32), pairs.join(":"));
    assert_eq!(
        ask(&url, pin(&with_colons)).await,
        Ok(vec![]),
        "one of several"
    );
    // The certificate is for localhost; a pin doesn't mind the name.
    let by_number = url.replace("localhost", "127.0.0.1");
    assert_eq!(ask(&by_number, pin(&digest)).await, Ok(vec![]));
    let fault = ask(&url, pin(&"ab".repeat(32))).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Tls, "{fault}");
    assert!(fault.advice.contains("pin_sha256"), "{fault}");
}

#[tokio::test]
async fn plain_http_on_a_tls_port_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            let _ = stream.read(&mut [0; 1024]);
        }
    });
    let url = format!("https://127.0.0.1:{port}");
    let fault = ask(&url, pin(&"ab".repeat(32))).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Tls, "{fault}");
    assert!(fault.advice.contains("speaks TLS"), "{fault}");
}
