//! One call, read and checked: which action, with which parameters, by whom.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::codes::{self, Refusal};
use super::sign::{self, Sent};
use crate::sim::http::{Request, pairs};
use crate::sim::signature;
use crate::sim::world::World;

/// Each action with its parameters, `*` for required: `s` text, `i32`, `i64`, `b` boolean (interface 2019-03-06).
const TABLE: &str = include_str!("actions.tsv");
/// The only version served.
const VERSION: &str = "2019-03-06";
/// How far a signature's clock may be off.
const SKEW: TimeDelta = TimeDelta::minutes(15);
/// So many nonces are remembered.
const NONCES: usize = 100_000;

/// A key of a user with read permissions only, for tests of what is forbidden; its secret is the account's.
pub const READER_KEY: &str = "KEEPWATCHDEMOREADER0";
/// A key that was disabled.
pub const CLOSED_KEY: &str = "KEEPWATCHDEMOCLOSED0";

/// What one action takes.
#[derive(Debug)]
pub(super) struct Spec {
    name: &'static str,
    params: Vec<Param>,
}

#[derive(Debug)]
struct Param {
    name: &'static str,
    sort: &'static str,
    required: bool,
}

/// All actions by name.
pub(super) fn specs() -> BTreeMap<&'static str, Spec> {
    TABLE
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.split_once('\t')?;
            let params = rest
                .split_whitespace()
                .filter_map(|word| {
                    let (name, sort) = word.split_once(':')?;
                    Some(Param {
                        name,
                        sort: sort.trim_end_matches('*'),
                        required: sort.ends_with('*'),
                    })
                })
                .collect();
            Some((name, Spec { name, params }))
        })
        .collect()
}

/// Upper-case UUID of a request.
pub(super) fn request_id(request: &Request) -> String {
    match uuid::Uuid::try_parse(&request.id) {
        Ok(id) => id.hyphenated().to_string().to_uppercase(),
        Err(_) => request.id.to_uppercase(),
    }
}

/// One call with its parameters.
#[derive(Debug)]
pub(super) struct Call {
    /// The action, one of the table.
    pub action: &'static str,
    params: Vec<(String, String)>,
    /// Whether the caller may only read.
    pub reader: bool,
}

impl Call {
    /// A parameter's text; an empty one counts as absent.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// A text that is there, or empty.
    pub fn word(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    /// A number; its form was checked before.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.trim().parse().ok()
    }

    /// A boolean in any case: clients write `True`.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.text(name)?.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// What makes two calls the same for a client token.
    pub fn fingerprint(&self) -> String {
        let mut params: Vec<String> = self
            .params
            .iter()
            .filter(|(name, _)| !COMMON.contains(&name.as_str()))
            .map(|(name, value)| format!("{name}={value}\n"))
            .collect();
        params.sort_unstable();
        params.concat()
    }

    fn check(&self, spec: &Spec) -> Result<(), Refusal> {
        for param in &spec.params {
            let Some(value) = self.text(param.name) else {
                if param.required {
                    return Err(codes::missing(param.name));
                }
                continue;
            };
            let fine = match param.sort {
                "i32" => value.trim().parse::<i32>().is_ok(),
                "i64" => value.trim().parse::<i64>().is_ok(),
                "b" => self.flag(param.name).is_some(),
                _ => true,
            };
            if !fine {
                return Err(codes::invalid(param.name, "it has the wrong type"));
            }
        }
        Ok(())
    }
}

/// Parameters that every call of the older shape carries.
const COMMON: [&str; 12] = [
    "Action",
    "Version",
    "Format",
    "AccessKeyId",
    "Timestamp",
    "SignatureNonce",
    "SignatureMethod",
    "SignatureVersion",
    "SignatureType",
    "Signature",
    "SecurityToken",
    "RegionId",
];

/// Reads and checks calls; remembers which nonces were used.
#[derive(Debug)]
pub(super) struct Door {
    specs: BTreeMap<&'static str, Spec>,
    nonces: HashMap<String, DateTime<Utc>>,
}

impl Door {
    pub fn new() -> Self {
        Self {
            specs: specs(),
            nonces: HashMap::new(),
        }
    }

    /// Whether the answer to a request is to be XML. Only the newer shape has JSON by itself.
    pub fn wants_xml(request: &Request) -> bool {
        !newer(request)
            && !all_params(request)
                .iter()
                .any(|(name, value)| name == "Format" && value.eq_ignore_ascii_case("json"))
    }

    /// The call of a request, when everything about it is in order.
    ///
    /// # Errors
    /// The first thing that is not: action, key, time, signature, nonce, permission, parameters.
    pub fn open(&mut self, world: &World, request: &Request) -> Result<Call, Refusal> {
        if request.raw_path != "/" {
            return Err(codes::NO_API.saying("Specified api is not found, please check your url."));
        }
        if !matches!(request.method.as_str(), "GET" | "POST") {
            return Err(codes::HTTP_METHOD.saying("This http method is not supported."));
        }
        let params = all_params(request);
        let newer = newer(request);
        let find = |name: &str| {
            params
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
                .filter(|value| !value.is_empty())
        };
        let (action, version) = if newer {
            (
                request.header("x-acs-action"),
                request.header("x-acs-version"),
            )
        } else {
            (find("Action"), find("Version"))
        };
        let action = action.ok_or_else(|| codes::missing("Action"))?;
        let version = version.ok_or_else(|| codes::missing("Version"))?;
        let Some(spec) = self.specs.get(action).filter(|_| version == VERSION) else {
            return Err(codes::NO_API
                .saying("Specified api is not found, please check your url and method."));
        };
        if !newer
            && find("Format").is_some_and(|format| {
                !format.eq_ignore_ascii_case("json") && !format.eq_ignore_ascii_case("xml")
            })
        {
            return Err(codes::FORMAT.saying("Format must be JSON or XML."));
        }
        let (time, nonce, key) = if newer {
            let sent = Sent::parse(request.header("authorization").unwrap_or_default())?;
            let (secret, reader) = secret(
                world,
                &sent.access_key,
                request.header("x-acs-security-token"),
            )?;
            let time = request.header("x-acs-date").unwrap_or_default();
            in_time(world, time)?;
            sent.check(request, secret)?;
            let nonce = request.header("x-acs-signature-nonce");
            (time, nonce, reader)
        } else {
            let key = find("AccessKeyId").ok_or_else(|| codes::missing("AccessKeyId"))?;
            let (secret, reader) = secret(world, key, find("SecurityToken"))?;
            if find("SignatureMethod").is_none_or(|method| method != "HMAC-SHA1") {
                return Err(codes::METHOD.saying("The signature method is not supported."));
            }
            let time = find("Timestamp").unwrap_or_default();
            in_time(world, time)?;
            sign::check_v1(&request.method, &params, secret)?;
            (time, find("SignatureNonce"), reader)
        };
        let nonce = nonce.ok_or_else(|| codes::missing("SignatureNonce"))?;
        let at = parse_time(time).unwrap_or_else(|| world.now());
        if self.nonces.insert(nonce.to_owned(), at).is_some() {
            return Err(codes::NONCE_USED.saying("Specified signature nonce was used already."));
        }
        if self.nonces.len() > NONCES {
            // Older ones would be refused for their time anyhow.
            let newest = self.nonces.values().max().copied().unwrap_or(at);
            self.nonces.retain(|_, at| newest - *at < SKEW);
        }
        let call = Call {
            action: spec.name,
            params,
            reader: key,
        };
        if call.reader && !call.action.starts_with("Describe") && !call.action.starts_with("Get") {
            return Err(codes::FORBIDDEN.saying("Have no Permissions"));
        }
        call.check(spec)?;
        if call
            .text("ClientToken")
            .is_some_and(|token| token.len() > 64 || !token.is_ascii())
        {
            return Err(codes::invalid(
                "ClientToken",
                "it takes up to 64 ASCII characters",
            ));
        }
        Ok(call)
    }
}

fn newer(request: &Request) -> bool {
    request
        .header("authorization")
        .is_some_and(|text| text.starts_with("ACS3-"))
}

/// Query and form body together.
fn all_params(request: &Request) -> Vec<(String, String)> {
    let mut params = request.query.clone();
    let form = request
        .header("content-type")
        .is_some_and(|text| text.starts_with("application/x-www-form-urlencoded"));
    if form {
        params.extend(pairs(&String::from_utf8_lossy(&request.body)));
    }
    params
}

/// The secret of a key, and whether its user may only read.
fn secret<'a>(
    world: &'a World,
    key: &str,
    token: Option<&str>,
) -> Result<(&'a str, bool), Refusal> {
    let account = &world.account;
    if key == account.access_key {
        return Ok((&account.secret_key, false));
    }
    if key == account.temporary_access_key && token == Some(account.security_token.as_str()) {
        return Ok((&account.temporary_secret_key, false));
    }
    match key {
        READER_KEY => Ok((&account.secret_key, true)),
        CLOSED_KEY => Err(codes::KEY_INACTIVE.saying("Specified access key is disabled.")),
        _ => Err(codes::NO_KEY.saying("Specified access key is not found.")),
    }
}

fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%SZ").ok()?;
    Some(time.and_utc())
}

fn in_time(world: &World, text: &str) -> Result<(), Refusal> {
    let time = parse_time(text).ok_or_else(|| {
        codes::TIME_FORMAT.saying("The time must be written as yyyy-MM-ddTHH:mm:ssZ.")
    })?;
    let near = |clock: DateTime<Utc>| (clock - time).abs() <= SKEW;
    let fine = match world.switches.get(signature::SWITCH.name) {
        "off" => true,
        "virtual" => near(world.now()),
        // Whoever signs reads the machine's clock, which the virtual one may have left far behind.
        _ => near(world.now()) || near(Utc::now()),
    };
    if fine {
        Ok(())
    } else {
        Err(codes::TIME_EXPIRED.saying("The time is more than 15 minutes off."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_all_actions() {
        let specs = specs();
        assert_eq!(specs.len(), 36);
        let stop = &specs["StopBackupPlan"];
        assert!(
            stop.params
                .iter()
                .all(|param| param.required && param.sort == "s")
        );
        assert!(specs["InitializeDbsServiceLinkedRole"].params.is_empty());
        for absent in [
            "StartTask",
            "StopTask",
            "CancelTask",
            "RetryTask",
            "StopRestoreTask",
            "DescribeTask",
        ] {
            assert!(!specs.contains_key(absent));
        }
    }
}
