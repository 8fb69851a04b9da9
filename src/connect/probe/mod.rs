//! The way to an address, one step at a time: name, connection, TLS.
//!
//! Nothing is requested and nothing secret is sent; that is what the [`Http`](super::http::Http) client is for. The
//! certificate is judged by the same authorities and pins as in the client.

mod certificate;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, ProtocolVersion, SignatureScheme};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

pub use certificate::Certificate;

use super::http::fault;
use super::http::tls::{client, judge};
use super::settings::Settings;
use crate::model::{Fault, FaultKind, clean};

/// Where a connection goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// The host to connect to: the service's, or the proxy's.
    pub host: String,
    /// The port there.
    pub port: u16,
    /// The service's own host, which its certificate is for; `None` for plain HTTP.
    pub tls: Option<String>,
    /// The proxy that stands in between, as `http://host:port`.
    pub proxy: Option<String>,
}

impl Address {
    /// The address behind a URL; the proxies of the environment count, as they do for the client.
    ///
    /// # Errors
    /// A [`FaultKind::Config`] fault for a URL without a host.
    pub fn of(url: &Url) -> Result<Self, Fault> {
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(Fault::new(
                FaultKind::Config,
                "the address names no host",
                super::http::place_of("", url),
                "Give it as https://host.",
            ));
        };
        let host = bare(host);
        let tls = (url.scheme() == "https").then(|| host.clone());
        let own = Self {
            host,
            port,
            tls,
            proxy: None,
        };
        let destination = url.as_str().parse::<Uri>().ok();
        let proxy = destination.and_then(|uri| Matcher::from_system().intercept(&uri));
        let Some(proxy) = proxy else {
            return Ok(own);
        };
        let uri = proxy.uri();
        let Some(host) = uri.host() else {
            return Ok(own);
        };
        let scheme = uri.scheme_str().unwrap_or("http");
        let port = uri
            .port_u16()
            .unwrap_or(if scheme == "https" { 443 } else { 80 });
        Ok(Self {
            host: bare(host),
            port,
            proxy: Some(clean(&format!("{scheme}://{host}:{port}")).into_owned()),
            ..own
        })
    }

    /// `host:port`, for messages.
    #[must_use]
    pub fn place(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// True when the host is a number already.
    #[must_use]
    pub fn is_number(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok()
    }

    /// Looks the host up.
    ///
    /// # Errors
    /// [`FaultKind::Unreachable`]: nobody knows the name, or nobody answers; [`FaultKind::Timeout`].
    pub async fn resolve(&self, limit: Duration) -> Result<Vec<SocketAddr>, Fault> {
        let advice = "Check the host name in the endpoint, and this machine's name resolution.";
        let failed = |why: &str| {
            Fault::new(
                FaultKind::Unreachable,
                format!("the host name can't be resolved: {why}"),
                &self.host,
                advice,
            )
        };
        let looked = timeout(limit, lookup_host((self.host.as_str(), self.port))).await;
        let found: Vec<SocketAddr> = match looked {
            Ok(Ok(found)) => found.collect(),
            Ok(Err(e)) => return Err(failed(&clean(&e.to_string()))),
            Err(_) => return Err(fault::timeout(&self.host, limit, false)),
        };
        if found.is_empty() {
            return Err(failed("it has no address"));
        }
        Ok(found)
    }

    /// Connects to the first of `to` that takes the connection.
    ///
    /// # Errors
    /// [`FaultKind::Unreachable`] or [`FaultKind::Timeout`], with how the last one refused.
    pub async fn connect(&self, to: &[SocketAddr], limit: Duration) -> Result<Connected, Fault> {
        let mut last = None;
        for address in to {
            let begun = Instant::now();
            match timeout(limit, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    return Ok(Connected {
                        stream,
                        to: *address,
                        took: begun.elapsed(),
                    });
                }
                Ok(Err(e)) => {
                    last = Some(Fault::new(
                        FaultKind::Unreachable,
                        format!("no connection: {}", clean(&e.to_string())),
                        address.to_string(),
                        "Check that the service runs, and its address and port.",
                    ));
                }
                Err(_) => {
                    let mut fault = fault::timeout(&address.to_string(), limit, false);
                    fault.what = "no connection within the time allowed".into();
                    fault.advice =
                        "Check the address, the network and any firewall between here and there."
                            .into();
                    last = Some(fault);
                }
            }
        }
        Err(last.unwrap_or_else(|| {
            Fault::new(
                FaultKind::Unreachable,
                "there is no address to connect to",
                self.place(),
                "",
            )
        }))
    }

    /// Shakes hands as the service's settings say and gives what the certificate says, whether it is accepted or
    /// not. For an address without TLS nothing is done.
    pub async fn shake(&self, stream: TcpStream, settings: &Settings, limit: Duration) -> Shaken {
        let mut shaken = Shaken {
            certificate: None,
            chain: 0,
            outcome: Ok(""),
        };
        let Some(host) = &self.tls else {
            return shaken;
        };
        let set_up = judge(settings).and_then(|inner| {
            let witness = Arc::new(Witness {
                inner,
                seen: Mutex::default(),
            });
            let config = client(
                Arc::clone(&witness) as Arc<dyn ServerCertVerifier>,
                settings,
            )?;
            let name = ServerName::try_from(host.clone()).map_err(|e| {
                Fault::new(
                    FaultKind::Config,
                    format!("no certificate can be for this host: {e}"),
                    host,
                    "Check the host name in the endpoint.",
                )
            })?;
            Ok((witness, config, name))
        });
        let (witness, config, name) = match set_up {
            Ok(ready) => ready,
            Err(fault) => {
                shaken.outcome = Err(fault);
                return shaken;
            }
        };
        let connector = TlsConnector::from(Arc::new(config));
        let place = self.place();
        shaken.outcome = match timeout(limit, connector.connect(name, stream)).await {
            Ok(Ok(tls)) => Ok(match tls.get_ref().1.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
                Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
                _ => "TLS",
            }),
            Ok(Err(e)) => Err(match fault::find::<rustls::Error>(&e) {
                Some(tls) => fault::of_tls(tls, &place),
                None => Fault::new(
                    FaultKind::Tls,
                    format!("the TLS connection could not be made: {}", fault::chain(&e)),
                    &place,
                    "Check that the endpoint speaks TLS on this port and in a version that is still secure.",
                ),
            }),
            Err(_) => Err(fault::timeout(&place, limit, false)),
        };
        let seen = witness.seen.lock().map(|s| s.clone()).unwrap_or_default();
        shaken.chain = seen.len();
        shaken.certificate = seen.first().map(|der| Certificate::read(der));
        shaken
    }
}

/// A host without the brackets of an IPv6 address.
fn bare(host: &str) -> String {
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned()
}

/// A connection.
#[derive(Debug)]
pub struct Connected {
    /// It.
    pub stream: TcpStream,
    /// With whom.
    pub to: SocketAddr,
    /// How long it took.
    pub took: Duration,
}

/// How a handshake ended.
#[derive(Debug)]
pub struct Shaken {
    /// What the server's own certificate says; `None` when it sent none, `Err` when it can't be read.
    pub certificate: Option<Result<Certificate, String>>,
    /// How many certificates it sent.
    pub chain: usize,
    /// The version of TLS (empty without TLS), or why there is no connection.
    pub outcome: Result<&'static str, Fault>,
}

/// Writes down what the server sent and lets another judge it.
#[derive(Debug)]
struct Witness {
    inner: Arc<dyn ServerCertVerifier>,
    seen: Mutex<Vec<CertificateDer<'static>>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Ok(mut seen) = self.seen.lock() {
            *seen = std::iter::once(end_entity)
                .chain(intermediates)
                .map(|c| c.clone().into_owned())
                .collect();
        }
        self.inner
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Address {
        Address::of(&Url::parse(url).unwrap()).unwrap()
    }

    #[test]
    fn an_address_is_read_off_a_url() {
        let plain = of("http://[::1]:8080/v1");
        assert_eq!(plain.place(), "[::1]:8080");
        assert!(plain.is_number() && plain.tls.is_none());
        let secure = of("https://csbs.example/v1");
        // a proxy of the machine that runs the test may stand in between
        assert_eq!(secure.tls.as_deref(), Some("csbs.example"));
    }

    #[tokio::test]
    async fn a_name_that_nobody_has_is_told() {
        let fault = of("https://no-such-host.invalid")
            .resolve(Duration::from_secs(30))
            .await
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unreachable, "{fault}");
        assert!(
            fault.to_string().contains("no-such-host.invalid"),
            "{fault}"
        );
    }
}
