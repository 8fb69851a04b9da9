//! What a certificate says of itself.

use sha2::{Digest, Sha256};
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::time::Time;

use crate::model::{Timestamp, clean};

/// The readable part of a certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// Whose it is.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The host names and addresses that it is for.
    pub names: Vec<String>,
    /// From when it is valid.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// Its SHA-256 as `pin_sha256` takes it: hex in upper case.
    pub sha256: String,
}

impl Certificate {
    /// Reads one from its DER form.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(der: &[u8]) -> Result<Self, String> {
        let certificate = x509_cert::Certificate::from_der(der).map_err(|e| e.to_string())?;
        let tbs = certificate.tbs_certificate();
        let names = tbs
            .get_extension::<SubjectAltName>()
            .map_err(|e| format!("its names can't be read: {e}"))?
            .map(|(_, names)| names.0.iter().filter_map(shown).collect())
            .unwrap_or_default();
        Ok(Self {
            subject: clean(&tbs.subject().to_string()).into_owned(),
            issuer: clean(&tbs.issuer().to_string()).into_owned(),
            names,
            not_before: instant(tbs.validity().not_before),
            not_after: instant(tbs.validity().not_after),
            sha256: hex::encode_upper(Sha256::digest(der)),
        })
    }

    /// True when nobody else has signed it.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }
}

fn shown(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(clean(name.as_str()).into_owned()),
        GeneralName::IpAddress(bytes) => {
            let bytes = bytes.as_bytes();
            let four = <[u8; 4]>::try_from(bytes).map(|b| std::net::IpAddr::from(b).to_string());
            four.or_else(|_| {
                <[u8; 16]>::try_from(bytes).map(|b| std::net::IpAddr::from(b).to_string())
            })
            .ok()
        }
        _ => None,
    }
}

fn instant(time: Time) -> Timestamp {
    let seconds = time.to_unix_duration().as_secs();
    Timestamp::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    use super::*;

    #[test]
    fn names_dates_and_fingerprint_are_read() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls/server.pem");
        let der = CertificateDer::from_pem_file(path).unwrap();
        let certificate = Certificate::read(&der).unwrap();
        assert_eq!(certificate.subject, "CN=localhost");
        assert_eq!(certificate.issuer, "CN=Keepwatch test authority");
        assert_eq!(certificate.names, ["localhost", "127.0.0.1"]);
        assert_eq!(
            (
                certificate.not_before.rfc3339().as_str(),
                certificate.not_after.rfc3339().as_str()
            ),
            ("2020-01-01T00:00:00.000Z", "2120-01-01T00:00:00.000Z")
        );
        assert_eq!(certificate.sha256.len(), 64);
        assert!(!certificate.is_self_signed());
        assert!(Certificate::read(b"no certificate").is_err());
    }
}
