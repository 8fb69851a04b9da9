//! Alibaba Cloud's two request signatures.
//!
//! Sources: the vendor's request structure and signature pages (V3, `ACS3-HMAC-SHA256`; the older RPC one,
//! HMAC-SHA1), with the examples published there and what its SDKs send. The vendor calls the older one "V2"
//! in its documents while `SignatureVersion` on the wire says 1.0.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// RFC 3986: everything but letters, digits and `-_.~` is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The header form's algorithm name.
pub const ACS3: &str = "ACS3-HMAC-SHA256";

/// Percent-encodes a name or a value.
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Query pairs, sorted by name and encoded, joined as both signatures want them; this is also what is sent.
#[must_use]
pub fn canonical_query(pairs: &[(String, String)]) -> String {
    let mut sorted: Vec<&(String, String)> = pairs.iter().collect();
    sorted.sort();
    let parts: Vec<String> = sorted
        .iter()
        .map(|(k, v)| format!("{}={}", encode(k), encode(v)))
        .collect();
    parts.join("&")
}

/// Hex SHA-256 of a body; the empty one has a hash too.
#[must_use]
pub fn body_hash(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// What the V3 signature came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acs3 {
    /// Hex SHA-256 of the canonical request.
    pub canonical_sha256: String,
    /// Hex signature.
    pub signature: String,
    /// The names of the signed headers, joined.
    pub signed_headers: String,
}

/// Signs with `ACS3-HMAC-SHA256`. `headers` are lower-case names with their values; all of them are signed.
#[must_use]
pub fn acs3(
    method: &str,
    query: &str,
    headers: &[(String, String)],
    body_hash: &str,
    secret: &str,
) -> Acs3 {
    let mut sorted: Vec<(&str, &str)> = headers
        .iter()
        .map(|(k, v)| (k.as_str(), v.trim()))
        .collect();
    sorted.sort_unstable();
    let block: String = sorted.iter().map(|(k, v)| format!("{k}:{v}\n")).collect();
    let names: Vec<&str> = sorted.iter().map(|(k, _)| *k).collect();
    let signed_headers = names.join(";");
    let canonical = format!("{method}\n/\n{query}\n{block}\n{signed_headers}\n{body_hash}");
    let canonical_sha256 = hex::encode(Sha256::digest(canonical));
    let to_sign = format!("{ACS3}\n{canonical_sha256}");
    let signature = hex::encode(sha256_mac(secret.as_bytes(), to_sign.as_bytes()));
    Acs3 {
        canonical_sha256,
        signature,
        signed_headers,
    }
}

/// Signs with the older RPC signature: Base64 of HMAC-SHA1 over every query pair but `Signature`.
#[must_use]
pub fn rpc(method: &str, pairs: &[(String, String)], secret: &str) -> String {
    let to_sign = format!("{method}&%2F&{}", encode(&canonical_query(pairs)));
    let key = format!("{secret}&");
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    mac.update(to_sign.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn sha256_mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const ODD: &str = "a b*c~d+e/f=g&h 中文";

    fn ours(query: &[(&str, &str)], action: &str) -> Acs3 {
        let headers = pairs(&[
            ("host", "127.0.0.1:18080"),
            ("x-acs-action", action),
            ("x-acs-version", "2019-03-06"),
            ("x-acs-date", "2026-01-02T03:04:05Z"),
            ("x-acs-signature-nonce", "0123456789abcdef0123456789abcdef"),
            ("x-acs-content-sha256", EMPTY),
        ]);
        acs3(
            "POST",
            &canonical_query(&pairs(query)),
            &headers,
            EMPTY,
            "testAccessKeySecret",
        )
    }

    #[test]
    fn the_vendors_published_v3_example() {
        let query = canonical_query(&pairs(&[
            (
                "ImageId",
                "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
            ),
            ("RegionId", "cn-shanghai"),
        ]));
        let headers = pairs(&[
            ("host", "ecs.cn-shanghai.aliyuncs.com"),
            ("x-acs-action", "RunInstances"),
            ("x-acs-version", "2014-05-26"),
            ("x-acs-date", "2023-10-26T10:22:32Z"),
            ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
            ("x-acs-content-sha256", EMPTY),
        ]);
        assert_eq!(body_hash(b""), EMPTY);
        let signed = acs3("POST", &query, &headers, EMPTY, "YourAccessKeySecret");
        assert_eq!(
            signed.signature,
            "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        );
    }

    #[test]
    fn v3_for_our_own_actions() {
        let plain = ours(
            &[("Language", "en"), ("TaskId", "r1iv62ud0001")],
            "DescribeJobErrorCode",
        );
        assert_eq!(
            plain.canonical_sha256,
            "6ea1c6b66d6ed3a78fe31c1ef09e29cff71e83faee6a8a1be0ecf5a127db211b"
        );
        assert_eq!(
            plain.signature,
            "cdc01276cd1b60d7197309e360f63c7f8df2545798cc8f56b09c031a967c2ad6"
        );
        let odd = ours(
            &[
                ("BackupPlanName", ODD),
                ("PageNum", "0"),
                ("PageSize", "30"),
            ],
            "DescribeBackupPlanList",
        );
        assert_eq!(
            odd.canonical_sha256,
            "a404de2c721f12929197e4b9a9d386ce2d099c531feeeccc4376ad51a64206e2"
        );
        assert_eq!(
            odd.signature,
            "ecbd727e9e5cd9a465990bae55882f63318ea7190b96070df77dfa928d87ef6f"
        );
    }

    #[test]
    fn the_older_signature() {
        let published = pairs(&[
            ("Action", "DescribeRegions"),
            ("Version", "2014-05-26"),
            ("Format", "XML"),
            ("AccessKeyId", "testid"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"),
            ("Timestamp", "2016-02-23T12:46:24Z"),
        ]);
        assert_eq!(
            rpc("GET", &published, "testsecret"),
            "OLeaidS1JvxuMvnyHOwuJ+uX5qY="
        );
        let common = [
            ("Version", "2019-03-06"),
            ("Format", "JSON"),
            ("AccessKeyId", "LTAItestAccessKeyId"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("SignatureNonce", "0123456789abcdef0123456789abcdef"),
            ("Timestamp", "2026-01-02T03:04:05Z"),
        ];
        let mut why = pairs(&common);
        why.extend(pairs(&[
            ("Action", "DescribeJobErrorCode"),
            ("Language", "en"),
            ("TaskId", "r1iv62ud0001"),
        ]));
        assert_eq!(
            rpc("POST", &why, "testAccessKeySecret"),
            "zP+Xc7M4nPgA3On2zMvjBDjdOdc="
        );
        assert_eq!(
            rpc("GET", &why, "testAccessKeySecret"),
            "G7Kdms1nGcNhvjeDJBp8THtRbps="
        );
        let mut odd = pairs(&common);
        odd.extend(pairs(&[
            ("Action", "DescribeBackupPlanList"),
            ("BackupPlanName", ODD),
        ]));
        assert_eq!(
            rpc("POST", &odd, "testAccessKeySecret"),
            "hVqVtn+sd5SH5l/RXBGqqk7Lk5o="
        );
    }
}
