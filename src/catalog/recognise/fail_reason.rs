//! The `fail_reason` text of the disaster recovery service.
//!
//! Seen forms (SDRS API reference, failure jobs; a client's fixtures): `<TaskName>-fail:<text>` and
//! `<TaskName>-fail:<code>:Client error : {"badRequest": {"message": "…", "code": 400}}`, the inner JSON
//! being the answer of another service.

use serde_json::Value;

/// The parts of a `fail_reason`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FailReason {
    /// The internal step that failed (`SdrsGenerateNativeServerParamsTask`); may be empty.
    pub step: String,
    /// A code inside the text; may be empty.
    pub code: String,
    /// The HTTP status that the inner service answered.
    pub inner_http: Option<u16>,
    /// The readable rest.
    pub message: String,
}

/// Takes a `fail_reason` apart. A text of another form is all message.
#[must_use]
pub fn fail_reason(text: &str) -> FailReason {
    let mut out = FailReason::default();
    let mut rest = text.trim();
    if let Some((step, after)) = rest.split_once("-fail:")
        && !step.is_empty()
        && step.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    {
        out.step = step.to_owned();
        rest = after.trim();
    }
    if let Some((code, after)) = rest.split_once(':')
        && looks_like_code(code.trim())
    {
        out.code = code.trim().to_owned();
        rest = after.trim();
    } else if looks_like_code(rest) {
        out.code = rest.to_owned();
    }
    out.message = rest.to_owned();
    if let Some(at) = rest.find('{')
        && let Some(tail) = rest.get(at..)
        && let Some(Ok(Value::Object(object))) = serde_json::Deserializer::from_str(tail)
            .into_iter::<Value>()
            .next()
    {
        let inner = object
            .values()
            .find_map(Value::as_object)
            .unwrap_or(&object);
        if let Some(message) = inner.get("message").and_then(Value::as_str) {
            out.message = message.to_owned();
        }
        match inner.get("code") {
            Some(Value::Number(n)) => {
                out.inner_http = n.as_u64().and_then(|n| u16::try_from(n).ok());
            }
            Some(Value::String(s)) if out.code.is_empty() && looks_like_code(s) => {
                out.code.clone_from(s);
            }
            _ => {}
        }
    }
    out
}

/// `EVS.2024`, `SDRS.1013`: a product's letters, a dot, digits.
pub(super) fn looks_like_code(word: &str) -> bool {
    word.split_once('.').is_some_and(|(product, number)| {
        product.len() >= 2
            && product.chars().all(|c| c.is_ascii_alphanumeric())
            && product.starts_with(|c: char| c.is_ascii_alphabetic())
            && number.len() >= 3
            && number.len() <= 8
            && number.bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_come_apart() {
        let plain = fail_reason("SdrsGenerateNativeServerParamsTask-fail:volume is error!");
        assert_eq!(plain.step, "SdrsGenerateNativeServerParamsTask");
        assert_eq!(plain.code, "");
        assert_eq!(plain.message, "volume is error!");

        let nested = fail_reason(
            "SdrsCreateGroupTask-fail:SDRS.1013:Client error : {\"badRequest\": {\"message\": \"no such group\", \"code\": 400}}",
        );
        assert_eq!(nested.code, "SDRS.1013");
        assert_eq!(nested.inner_http, Some(400));
        assert_eq!(nested.message, "no such group");
    }

    #[test]
    fn another_form_is_all_message_and_a_broken_one_is_kept() {
        assert_eq!(
            fail_reason("Failed to expand the capacity").message,
            "Failed to expand the capacity"
        );
        let cut = fail_reason("X-fail:EVS.2024:Client error : {\"badRequest\": {\"mess");
        assert_eq!(cut.code, "EVS.2024");
        assert!(cut.message.starts_with("Client error"));
        assert_eq!(fail_reason(""), FailReason::default());
    }
}
