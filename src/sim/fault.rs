//! Faults that tests switch on: what a network, a gateway or a broken service does to an answer.
//!
//! `POST /_sim/faults` with `{"fault": NAME, …}` adds a rule to the service on whose port it is asked (or to the one
//! named by `"service"`):
//!
//! | name | what happens | settings |
//! | --- | --- | --- |
//! | `status` | that HTTP status in the service's own dialect, nothing is done | `status` (500), `retry_after` |
//! | `rate_limit` | 429 | `retry_after` (1) |
//! | `html` | a login page instead of JSON, nothing is done | `status` (200) |
//! | `garbage` | text that claims to be JSON and is none, nothing is done | |
//! | `bad_row` | the request is carried out; in the answer a number stands where the first row of the first list was | |
//! | `truncated` | the request is carried out, half the answer arrives | |
//! | `huge` | an answer of many bytes, nothing is done | `bytes` (50 MB) |
//! | `slow` | the request is carried out, the answer waits | `delay_ms` (real, 1000) |
//! | `reset_before` | the connection breaks, nothing is done | |
//! | `reset_after` | the request is carried out, the connection breaks before the answer | |
//! | `expired_token` | the token that was sent is revoked first | |
//! | `refused` | nobody listens on the port any more, until cleared | |
//!
//! Common to all but `refused`: `times` (1; 0 until cleared), `method`, `path` (a part of the path that must be
//! there). `DELETE /_sim/faults` clears those of a service (`?service=NAME`, or `?service=*` for all).

use serde_json::{Value, json};

use super::http::{Request, Response};

/// One kind of failure with its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// An HTTP status; nothing is done.
    Status {
        /// Which.
        status: u16,
        /// The `Retry-After` header, if any.
        retry_after: Option<String>,
    },
    /// An HTML page.
    Html {
        /// With which status.
        status: u16,
    },
    /// Not JSON, though it says so.
    Garbage,
    /// Carried out; the first row of the answer is none.
    BadRow,
    /// Carried out; half the answer arrives.
    Truncated,
    /// A very long answer.
    Huge {
        /// How long.
        bytes: u64,
    },
    /// Carried out; the answer comes late.
    Slow {
        /// By how many real milliseconds.
        delay_ms: u64,
    },
    /// The connection breaks first.
    ResetBefore,
    /// Carried out; the connection breaks before the answer.
    ResetAfter,
    /// The token that was sent is revoked first.
    ExpiredToken,
}

/// A fault with the requests that it hits.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What happens.
    pub fault: Fault,
    /// How many times more; `None` until cleared.
    pub left: Option<u64>,
    method: Option<String>,
    path: Option<String>,
    source: Value,
}

/// Everything that a rule may say.
const SETTINGS: [&str; 9] = [
    "fault",
    "service",
    "times",
    "method",
    "path",
    "status",
    "retry_after",
    "delay_ms",
    "bytes",
];

impl Rule {
    /// Reads a rule from the body of `POST /_sim/faults`.
    ///
    /// # Errors
    /// A sentence on what is wrong with it.
    pub fn from_json(body: &Value) -> Result<Self, String> {
        let settings = body.as_object().into_iter().flat_map(|all| all.keys());
        let mut odd = settings.filter(|s| !SETTINGS.contains(&s.as_str()));
        if let Some(odd) = odd.next() {
            return Err(format!(
                "a fault has no setting {odd:?}; known are {}",
                SETTINGS.join(", ")
            ));
        }
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str, default: u64| match body.get(name) {
            None => Ok(default),
            Some(value) => value
                .as_u64()
                .ok_or_else(|| format!("{name} must be a whole number, not {value}")),
        };
        let status = |default: u64| {
            number("status", default).and_then(|status| {
                u16::try_from(status)
                    .ok()
                    .filter(|status| (200..=599).contains(status))
                    .ok_or_else(|| format!("status must be 200 to 599, not {status}"))
            })
        };
        let retry_after = body.get("retry_after").map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let fault = match text("fault").as_deref().unwrap_or_default() {
            "status" => Fault::Status {
                status: status(500)?,
                retry_after,
            },
            "rate_limit" => Fault::Status {
                status: 429,
                retry_after: retry_after.or_else(|| Some("1".to_owned())),
            },
            "html" => Fault::Html {
                status: status(200)?,
            },
            "garbage" => Fault::Garbage,
            "bad_row" => Fault::BadRow,
            "truncated" => Fault::Truncated,
            "huge" => Fault::Huge {
                bytes: number("bytes", 50 * 1024 * 1024)?,
            },
            "slow" => Fault::Slow {
                delay_ms: number("delay_ms", 1000)?,
            },
            "reset_before" => Fault::ResetBefore,
            "reset_after" => Fault::ResetAfter,
            "expired_token" => Fault::ExpiredToken,
            other => {
                return Err(format!(
                    "there is no fault {other:?}; known are status, rate_limit, html, garbage, bad_row, truncated, \
                     huge, slow, reset_before, reset_after, expired_token, refused"
                ));
            }
        };
        let times = number("times", 1)?;
        Ok(Self {
            fault,
            left: (times > 0).then_some(times),
            method: text("method").map(|method| method.to_uppercase()),
            path: text("path"),
            source: body.clone(),
        })
    }

    /// As it was asked for, with how many times are left.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"rule": self.source, "left": self.left})
    }

    fn hits(&self, request: &Request) -> bool {
        self.method
            .as_ref()
            .is_none_or(|method| *method == request.method)
            && self
                .path
                .as_ref()
                .is_none_or(|part| request.raw_path.contains(part.as_str()))
    }
}

/// The answer with a number in the place of the first row of its first list that has rows; as it is where there is
/// none.
#[must_use]
pub fn spoil(response: Response) -> Response {
    let Ok(mut body) = serde_json::from_slice::<Value>(&response.body) else {
        return response;
    };
    let Some(row) = first_row(&mut body) else {
        return response;
    };
    *row = json!(7);
    Response {
        body: body.to_string().into(),
        ..response
    }
}

/// The first row of the list nearest to the top.
fn first_row(value: &mut Value) -> Option<&mut Value> {
    let is_list = |v: &Value| {
        v.as_array()
            .is_some_and(|rows| rows.first().is_some_and(Value::is_object))
    };
    if is_list(value) {
        return value.get_mut(0);
    }
    let fields = value.as_object_mut()?;
    if let Some(name) = fields
        .iter()
        .find(|(_, v)| is_list(v))
        .map(|(k, _)| k.clone())
    {
        return fields.get_mut(&name)?.get_mut(0);
    }
    fields.values_mut().find_map(first_row)
}

/// The first rule that hits, used up by one.
pub fn take(rules: &mut Vec<Rule>, request: &Request) -> Option<Fault> {
    let index = rules.iter().position(|rule| rule.hits(request))?;
    let rule = rules.get_mut(index)?;
    let fault = rule.fault.clone();
    if let Some(left) = &mut rule.left {
        *left = left.saturating_sub(1);
        if *left == 0 {
            rules.remove(index);
        }
    }
    Some(fault)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hyper::HeaderMap;

    use super::*;

    fn get(path: &str) -> Request {
        Request::new("GET", path, HeaderMap::new(), Bytes::new(), String::new())
    }

    #[test]
    fn a_rule_hits_what_it_names_as_often_as_it_says() {
        let mut rules = vec![
            Rule::from_json(&json!({"fault": "rate_limit", "path": "policies", "times": 2}))
                .expect("valid"),
            Rule::from_json(&json!({"fault": "reset_after", "method": "post", "times": 0}))
                .expect("valid"),
        ];
        assert_eq!(take(&mut rules, &get("/v1/x")), None);
        for _ in 0..2 {
            assert!(matches!(
                take(&mut rules, &get("/v1/policies")),
                Some(Fault::Status { status: 429, .. })
            ));
        }
        assert_eq!(take(&mut rules, &get("/v1/policies")), None);
        assert_eq!(rules.len(), 1);
    }

    #[test]
    fn a_setting_that_no_fault_has_is_named() {
        let refused = Rule::from_json(&json!({"fault": "status", "on": "/policies"}));
        let said = refused.expect_err("it would hit every request");
        assert!(said.contains("\"on\"") && said.contains("path"), "{said}");
    }

    #[test]
    fn a_spoilt_answer_has_one_row_that_is_none() {
        let spoilt = |body: Value| {
            let answer = spoil(Response::json(200, &body));
            serde_json::from_slice::<Value>(&answer.body).expect("JSON")
        };
        assert_eq!(
            spoilt(json!({"count": 2, "items": [{"id": 1}, {"id": 2}]})),
            json!({"count": 2, "items": [7, {"id": 2}]})
        );
        assert_eq!(
            spoilt(json!({"page": {"rows": [], "items": [{"tags": [{}]}]}})),
            json!({"page": {"rows": [], "items": [7]}})
        );
        assert_eq!(spoilt(json!({"id": 1})), json!({"id": 1}));
    }

    #[test]
    fn wrong_rules_are_refused() {
        for body in [
            json!({}),
            json!({"fault": "nosuch"}),
            json!({"fault": "status", "status": 99}),
            json!({"fault": "slow", "delay_ms": "x"}),
            json!([1]),
        ] {
            assert!(Rule::from_json(&body).is_err(), "{body}");
        }
    }
}
