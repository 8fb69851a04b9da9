//! The API gateway that stands before the cloud services: it checks the login and answers in its own dialect,
//! `{"error_msg","error_code","request_id"}`.

use serde_json::json;

use super::http::{Request, Response};
use super::signature;
use super::tokens::TokenError;
use super::world::World;

/// Checks `X-Auth-Token` (project-scoped) or the request's signature, as every cloud service does first.
///
/// # Errors
/// The gateway's 401 (`APIGW.0301`), ready to be sent.
pub fn authorize(world: &World, request: &Request) -> Result<(), Response> {
    if request.header("x-auth-token").is_none() && signature::is_signed(request) {
        return signature::check(world, request).map_err(|why| unauthorized(request, &why));
    }
    let token = world
        .tokens
        .check(request.header("x-auth-token"), world.now());
    match token {
        Ok(token) if token.project_id.is_some() => Ok(()),
        Ok(_) => Err(unauthorized(request, "the token has no project scope")),
        Err(TokenError::Missing) => Err(unauthorized(
            request,
            "Get secToken information failed, token is empty",
        )),
        Err(TokenError::Unknown) => Err(unauthorized(request, "decrypt token fail")),
        Err(TokenError::Expired) => Err(unauthorized(request, "token expires")),
    }
}

/// The gateway's 401.
#[must_use]
pub fn unauthorized(request: &Request, why: &str) -> Response {
    error(
        request,
        401,
        "APIGW.0301",
        &format!("Incorrect IAM authentication information: {why}"),
    )
}

/// The gateway's answer to a path or method that nobody published.
#[must_use]
pub fn not_published(request: &Request) -> Response {
    error(
        request,
        404,
        "APIGW.0101",
        "The API does not exist or has not been published in the environment",
    )
}

/// An error in the gateway's shape.
#[must_use]
pub fn error(request: &Request, status: u16, code: &str, message: &str) -> Response {
    Response::json(
        status,
        &json!({"error_msg": message, "error_code": code, "request_id": request.id}),
    )
}

/// The gateway's words for a failure that was switched on.
#[must_use]
pub fn fault(request: &Request, status: u16) -> Response {
    match status {
        429 => error(
            request,
            429,
            "APIGW.0308",
            "The throttling threshold has been reached: policy user over ratelimit,limit:20,time:1 second",
        ),
        _ => Response::json(
            status,
            &json!({"error_msg": format!("injected HTTP {status}"), "request_id": request.id}),
        ),
    }
}
