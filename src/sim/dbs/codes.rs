//! The error codes that are known of this service, and its two ways to say one: an HTTP error with `Code` and
//! `Message`, or HTTP 200 with `Success` false and `ErrCode`, `ErrMessage`.
//!
//! The common codes are those of Alibaba's API gateway; the service's own list is in the vendor's error centre, which
//! nobody could read. So what a wrong call gets beyond these few is the nearest of them.

use serde_json::{Value, json};

use super::call::request_id;
use super::xml;
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// A code with its HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    /// HTTP status.
    pub http: u16,
    /// The code; for `Missing{Param}` and `Invalid{Param}` see [`missing`] and [`invalid`].
    pub code: &'static str,
    /// Whether the service itself says it, not the gateway before it.
    pub own: bool,
}

const fn gateway(http: u16, code: &'static str) -> Code {
    Code {
        http,
        code,
        own: false,
    }
}

/// The sources say "an HTTP error" and no number, for the service's own codes; [`Refusal::response`] chooses.
const fn own(code: &'static str) -> Code {
    Code {
        http: 400,
        code,
        own: true,
    }
}

/// Wrong action or version; names are case-sensitive.
pub(super) const NO_API: Code = gateway(404, "InvalidApi.NotFound");
/// Wrong key id.
pub(super) const NO_KEY: Code = gateway(404, "InvalidAccessKeyId.NotFound");
/// Key disabled.
pub(super) const KEY_INACTIVE: Code = gateway(400, "InvalidAccessKeyId.Inactive");
/// Wrong signature.
pub(super) const SIGNATURE: Code = gateway(400, "SignatureDoesNotMatch");
/// A nonce came twice.
pub(super) const NONCE_USED: Code = gateway(400, "SignatureNonceUsed");
/// Not the time format that is asked for.
pub(super) const TIME_FORMAT: Code = gateway(400, "InvalidTimeStamp.Format");
/// More than 15 minutes off.
pub(super) const TIME_EXPIRED: Code = gateway(400, "InvalidTimeStamp.Expired");
/// Neither JSON nor XML.
pub(super) const FORMAT: Code = gateway(400, "InvalidParameter.Format");
/// Not HMAC-SHA1, or not ACS3-HMAC-SHA256.
pub(super) const METHOD: Code = gateway(400, "InvalidSignatureMethod");
/// Neither GET nor POST.
pub(super) const HTTP_METHOD: Code = gateway(400, "UnsupportedHTTPMethod");
/// The RAM identity lacks the permission.
pub(super) const FORBIDDEN: Code = gateway(403, "Request.Forbidden");
/// Too many requests of this user.
pub(super) const THROTTLED: Code = gateway(400, "Throttling.User");
/// Something broke.
pub(super) const INTERNAL: Code = gateway(500, "InternalError");
/// Not now.
pub(super) const UNAVAILABLE: Code = gateway(503, "ServiceUnavailable");
/// A bad value, or an unknown plan in a list call.
pub(super) const BAD_VALUE: Code = own("InvalidParameterValid");
/// The plan does not exist or is already released.
pub(super) const NO_JOB: Code = own("InvalidJobId");
/// The plan's state or type does not allow the call.
pub(super) const CANNOT: Code = own("InvalidParameter");

/// A refused call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    http: u16,
    code: String,
    message: String,
    own: bool,
}

impl Code {
    /// The code with a message of its own.
    pub fn saying(self, message: impl Into<String>) -> Refusal {
        Refusal {
            http: self.http,
            code: self.code.to_owned(),
            message: message.into(),
            own: self.own,
        }
    }
}

/// The plan can't do that now, in the one wording that is known.
pub(super) fn cannot() -> Refusal {
    CANNOT.saying("This backupPlan can't support this action")
}

/// The plan, restore or download is not there.
pub(super) fn no_job(id: &str) -> Refusal {
    NO_JOB.saying(format!("The job {id} does not exist."))
}

/// `Missing{Param}`.
pub(super) fn missing(name: &str) -> Refusal {
    Refusal {
        http: 400,
        code: format!("Missing{name}"),
        message: format!("{name} is mandatory for this action."),
        own: false,
    }
}

/// `Invalid{Param}`.
pub(super) fn invalid(name: &str, why: &str) -> Refusal {
    Refusal {
        http: 400,
        code: format!("Invalid{name}"),
        message: format!("The parameter {name} is not valid: {why}."),
        own: false,
    }
}

impl Refusal {
    /// The answer, in the shape that the switches choose for the service's own codes.
    pub fn response(&self, world: &World, request: &Request, xml: bool) -> Response {
        let id = request_id(request);
        let envelope = json!({
            "RequestId": id, "HttpStatusCode": self.http, "Success": false,
            "ErrCode": self.code, "ErrMessage": self.message,
        });
        let style = if self.own {
            world.switches.get("dbs.own_errors")
        } else {
            "http"
        };
        if style == "envelope" {
            return xml::answer(200, "Error", &envelope, xml);
        }
        let mut body = json!({
            "RequestId": id,
            "HostId": request.header("host").unwrap_or("dbs-api.cn-hangzhou.aliyuncs.com"),
            "Code": self.code,
            "Message": self.message,
            "Recommend": format!("https://error-center.aliyun.com/status/search?Keyword={}&source=PopGw", self.code),
        });
        if style == "both"
            && let (Some(body), Value::Object(envelope)) = (body.as_object_mut(), envelope)
        {
            body.extend(envelope);
        }
        let http = match self.own {
            true => world.switches.number("dbs.own_error_status") as u16,
            false => self.http,
        };
        xml::answer(http.clamp(400, 599), "Error", &body, xml)
    }
}

/// What the service says to a failure that is switched on from outside.
pub(super) fn fault(world: &World, request: &Request, status: u16, xml: bool) -> Response {
    let refusal = match status {
        429 => {
            let mut refusal = THROTTLED.saying("Request was denied due to user flow control.");
            refusal.http = world.switches.number("dbs.throttle") as u16;
            refusal
        }
        503 => {
            UNAVAILABLE.saying("The request has failed due to a temporary failure of the server.")
        }
        403 => FORBIDDEN.saying("Have no Permissions"),
        status => Refusal {
            http: status,
            ..INTERNAL.saying("The request processing has failed due to some unknown error.")
        },
    };
    let response = refusal.response(world, request, xml);
    let wait = world.switches.number("dbs.throttle_retry_after_ms");
    if status == 429 && wait > 0.0 {
        return response.with("x-acs-retry-after", format!("{wait}"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sim and catalog were written apart from each other: they must tell the same story.
    #[test]
    fn every_code_is_in_the_catalog() {
        let catalog: toml::Table = include_str!("../../../assets/catalog/dbs.toml")
            .parse()
            .expect("TOML");
        let entries = catalog["entry"].as_array().expect("entries");
        for code in [
            NO_API,
            NO_KEY,
            KEY_INACTIVE,
            SIGNATURE,
            NONCE_USED,
            TIME_FORMAT,
            TIME_EXPIRED,
            FORMAT,
            METHOD,
            HTTP_METHOD,
            FORBIDDEN,
            THROTTLED,
            INTERNAL,
            UNAVAILABLE,
            BAD_VALUE,
            NO_JOB,
            CANNOT,
        ] {
            let known = entries.iter().any(|entry| {
                entry["code"].as_str() == Some(code.code)
                    && entry
                        .get("http_status")
                        .and_then(toml::Value::as_integer)
                        .is_none_or(|http| code.own || http == i64::from(code.http))
            });
            assert!(known, "{code:?}");
        }
    }
}
