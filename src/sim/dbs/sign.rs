//! Both signatures: `ACS3-HMAC-SHA256` in headers (what current SDKs send) and `HMAC-SHA1` in the query (older ones).
//!
//! Which headers the newer one covers is the client's choice, so the list is read from `SignedHeaders`; six must be in
//! it (Alibaba Cloud, V3 request signature). The older one covers all parameters, also those of a form body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::codes::{self, Refusal};
use crate::sim::http::Request;

/// RFC 3986 leaves letters, digits and these four as they are.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Headers that the newer signature must cover.
const COVERED: [&str; 6] = [
    "host",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
];

/// The `Authorization` header of the newer signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub access_key: String,
    /// As sent: names joined with `;`.
    headers: String,
    signature: String,
}

impl Sent {
    /// Reads the header.
    ///
    /// # Errors
    /// Another algorithm, or a part that is missing.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let fields = text
            .strip_prefix("ACS3-HMAC-SHA256")
            .ok_or_else(|| codes::METHOD.saying("The signature method is not supported."))?;
        let field = |name: &str| {
            fields
                .split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
                .filter(|value| !value.is_empty())
                .map(str::to_owned)
        };
        let part = |name: &str| field(name).ok_or_else(|| codes::missing(name));
        Ok(Self {
            access_key: part("Credential")?,
            headers: part("SignedHeaders")?,
            signature: part("Signature")?,
        })
    }

    /// Checks the signature and the body's hash.
    ///
    /// # Errors
    /// `SignatureDoesNotMatch` with the text that was to be signed.
    pub fn check(&self, request: &Request, secret: &str) -> Result<(), Refusal> {
        let names: Vec<String> = self.headers.split(';').map(str::to_lowercase).collect();
        if let Some(name) = COVERED
            .iter()
            .find(|name| !names.iter().any(|n| n == *name))
        {
            return Err(codes::SIGNATURE.saying(format!("The header {name} is not signed.")));
        }
        let hash = hex::encode(Sha256::digest(&request.body));
        if request.header("x-acs-content-sha256") != Some(hash.as_str()) {
            return Err(codes::SIGNATURE.saying("The body is not the one that was signed."));
        }
        let text = string_to_sign(&canonical(request, &names, &hash));
        if hex::encode(sha256(secret.as_bytes(), &text)) == self.signature {
            Ok(())
        } else {
            Err(mismatch(&text))
        }
    }
}

fn mismatch(text: &str) -> Refusal {
    // Clients compare what follows the first colon with their own text, to tell a wrong secret from a wrong text.
    codes::SIGNATURE.saying(format!(
        "The signature is not the expected one. The string to sign is:{text}"
    ))
}

/// The text that stands for the request.
fn canonical(request: &Request, names: &[String], hash: &str) -> String {
    let mut query: Vec<&(String, String)> = request.query.iter().collect();
    query.sort();
    let query: Vec<String> = query
        .into_iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    let lines: String = names
        .iter()
        .map(|name| {
            format!(
                "{name}:{}\n",
                request.header(name).unwrap_or_default().trim()
            )
        })
        .collect();
    format!(
        "{}\n/\n{}\n{lines}\n{}\n{hash}",
        request.method,
        query.join("&"),
        names.join(";"),
    )
}

fn string_to_sign(canonical: &str) -> String {
    let hash = hex::encode(Sha256::digest(canonical.as_bytes()));
    format!("ACS3-HMAC-SHA256\n{hash}")
}

/// Checks the older signature over all parameters.
///
/// # Errors
/// `SignatureDoesNotMatch` with the text that was to be signed.
pub(super) fn check_v1(
    method: &str,
    params: &[(String, String)],
    secret: &str,
) -> Result<(), Refusal> {
    let sent = params
        .iter()
        .find(|(name, _)| name == "Signature")
        .map(|(_, value)| value.as_str())
        .ok_or_else(|| codes::missing("Signature"))?;
    let text = string_to_sign_v1(method, params);
    if signature_v1(secret, &text) == sent {
        Ok(())
    } else {
        Err(mismatch(&text))
    }
}

fn string_to_sign_v1(method: &str, params: &[(String, String)]) -> String {
    let mut params: Vec<&(String, String)> = params
        .iter()
        .filter(|(name, _)| name != "Signature")
        .collect();
    params.sort();
    let joined: Vec<String> = params
        .into_iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    format!("{method}&%2F&{}", encode(&joined.join("&")))
}

fn signature_v1(secret: &str, text: &str) -> String {
    // HMAC takes keys of any length, so there is no failure to tell of.
    Hmac::<Sha1>::new_from_slice(format!("{secret}&").as_bytes()).map_or_else(
        |_| String::new(),
        |mut mac| {
            mac.update(text.as_bytes());
            BASE64.encode(mac.finalize().into_bytes())
        },
    )
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

fn sha256(key: &[u8], text: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        },
    )
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hyper::HeaderMap;

    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn request(method: &str, query: &str, headers: &[(&'static str, &str)]) -> Request {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().expect("a header"));
        }
        Request::new(
            method,
            &format!("/?{query}"),
            map,
            Bytes::new(),
            String::new(),
        )
    }

    fn ours(action: &'static str, query: &str) -> Request {
        request(
            "POST",
            query,
            &[
                ("host", "127.0.0.1:18080"),
                ("x-acs-action", action),
                ("x-acs-version", "2019-03-06"),
                ("x-acs-date", "2026-01-02T03:04:05Z"),
                ("x-acs-signature-nonce", "0123456789abcdef0123456789abcdef"),
                ("x-acs-content-sha256", EMPTY),
            ],
        )
    }

    fn sent(headers: &str, signature: &str) -> Sent {
        Sent::parse(&format!(
            "ACS3-HMAC-SHA256 Credential=id,SignedHeaders={headers},Signature={signature}"
        ))
        .expect("complete")
    }

    const SIX: &str =
        "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version";
    const SECRET: &str = "testAccessKeySecret";

    #[test]
    fn the_published_vector_of_the_newer_signature() {
        let request = request(
            "POST",
            "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai",
            &[
                ("host", "ecs.cn-shanghai.aliyuncs.com"),
                ("x-acs-action", "RunInstances"),
                ("x-acs-version", "2014-05-26"),
                ("x-acs-date", "2023-10-26T10:22:32Z"),
                ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
                ("x-acs-content-sha256", EMPTY),
            ],
        );
        let right = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0";
        assert_eq!(
            sent(SIX, right).check(&request, "YourAccessKeySecret"),
            Ok(())
        );
        assert!(sent(SIX, right).check(&request, "another").is_err());
    }

    /// Made with the vendor's own client (alibabacloud-tea-openapi 0.4.6) and again by hand.
    #[test]
    fn the_vectors_of_the_vendors_own_client() {
        for (request, hash, signature) in [
            (
                ours("DescribeJobErrorCode", "Language=en&TaskId=r1iv62ud0001"),
                "6ea1c6b66d6ed3a78fe31c1ef09e29cff71e83faee6a8a1be0ecf5a127db211b",
                "cdc01276cd1b60d7197309e360f63c7f8df2545798cc8f56b09c031a967c2ad6",
            ),
            (
                ours(
                    "DescribeBackupPlanList",
                    "BackupPlanName=a+b%2Ac~d%2Be%2Ff%3Dg%26h+%E4%B8%AD%E6%96%87&PageNum=0&PageSize=30",
                ),
                "a404de2c721f12929197e4b9a9d386ce2d099c531feeeccc4376ad51a64206e2",
                "ecbd727e9e5cd9a465990bae55882f63318ea7190b96070df77dfa928d87ef6f",
            ),
        ] {
            let names: Vec<String> = SIX.split(';').map(str::to_owned).collect();
            let text = string_to_sign(&canonical(&request, &names, EMPTY));
            assert_eq!(text, format!("ACS3-HMAC-SHA256\n{hash}"));
            assert_eq!(sent(SIX, signature).check(&request, SECRET), Ok(()));
        }
    }

    /// As recorded from the vendor's Python client: it signs every header that it sets.
    #[test]
    fn a_recorded_call_that_signs_more_headers() {
        let mut request = request(
            "POST",
            "Language=en&TaskId=r1iv62udxxxx",
            &[
                ("host", "127.0.0.1:40251"),
                ("x-acs-version", "2019-03-06"),
                ("x-acs-action", "DescribeJobErrorCode"),
                (
                    "user-agent",
                    "AlibabaCloud (Linux; x86_64) Python/3.11.7 Core/0.4.3 TeaDSL/2",
                ),
                ("x-acs-date", "2026-11-21T01:20:56Z"),
                ("x-acs-signature-nonce", "7a4f98c3360b1836931dad6a51e8ef1d"),
                ("accept", "application/json"),
                ("x-acs-content-sha256", EMPTY),
                ("x-acs-credentials-provider", "static_ak"),
            ],
        );
        let recorded = Sent::parse(
            "ACS3-HMAC-SHA256 Credential=LTAItestAccessKeyId,SignedHeaders=accept;host;user-agent;x-acs-action;\
             x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;x-acs-signature-nonce;x-acs-version,\
             Signature=c4995dd4cb7b8f6bd7178d530b6a8f33a64780f82a06bf6d5f7e5627a5fc16b3",
        )
        .expect("complete");
        assert_eq!(recorded.access_key, "LTAItestAccessKeyId");
        assert_eq!(recorded.check(&request, SECRET), Ok(()));
        request
            .headers
            .insert("accept", "text/html".parse().expect("a header"));
        assert!(recorded.check(&request, SECRET).is_err());
    }

    #[test]
    fn the_body_and_the_six_headers_must_be_covered() {
        let mut request = ours("DescribeJobErrorCode", "Language=en&TaskId=r1iv62ud0001");
        let right = "cdc01276cd1b60d7197309e360f63c7f8df2545798cc8f56b09c031a967c2ad6";
        let without = SIX.replace("host;", "");
        assert!(sent(&without, right).check(&request, SECRET).is_err());
        request.body = Bytes::from_static(b"TaskId=other");
        assert!(sent(SIX, right).check(&request, SECRET).is_err());
        for text in [
            "ACS3-HMAC-SM3 Credential=a,SignedHeaders=b,Signature=c",
            "ACS3-HMAC-SHA256 Credential=a,SignedHeaders=b",
            "ACS3-HMAC-SHA256",
            "Basic eA==",
        ] {
            assert!(Sent::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_vectors_of_the_older_signature() {
        let common = |format: &str, id: &str, nonce: &str, time: &str, version: &str| {
            [
                ("Format", format),
                ("AccessKeyId", id),
                ("SignatureMethod", "HMAC-SHA1"),
                ("SignatureVersion", "1.0"),
                ("SignatureNonce", nonce),
                ("Timestamp", time),
                ("Version", version),
            ]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .to_vec()
        };
        let mut published = common(
            "XML",
            "testid",
            "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
            "2016-02-23T12:46:24Z",
            "2014-05-26",
        );
        published.push(("Action".into(), "DescribeRegions".into()));
        published.push(("Signature".into(), "OLeaidS1JvxuMvnyHOwuJ+uX5qY=".into()));
        assert_eq!(check_v1("GET", &published, "testsecret"), Ok(()));
        assert!(check_v1("POST", &published, "testsecret").is_err());

        let call = |action: &str, more: &[(&str, &str)]| {
            let mut params = common(
                "JSON",
                "LTAItestAccessKeyId",
                "0123456789abcdef0123456789abcdef",
                "2026-01-02T03:04:05Z",
                "2019-03-06",
            );
            params.push(("Action".into(), action.into()));
            params.extend(more.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())));
            params
        };
        let error_code = call(
            "DescribeJobErrorCode",
            &[("Language", "en"), ("TaskId", "r1iv62ud0001")],
        );
        let list = call(
            "DescribeBackupPlanList",
            &[("BackupPlanName", "a b*c~d+e/f=g&h 中文")],
        );
        for (method, params, signature) in [
            ("POST", &error_code, "zP+Xc7M4nPgA3On2zMvjBDjdOdc="),
            ("GET", &error_code, "G7Kdms1nGcNhvjeDJBp8THtRbps="),
            ("POST", &list, "hVqVtn+sd5SH5l/RXBGqqk7Lk5o="),
        ] {
            let text = string_to_sign_v1(method, params);
            assert_eq!(signature_v1(SECRET, &text), signature, "{method}");
        }
    }
}
