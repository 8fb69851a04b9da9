//! Taking secrets out of what is kept. Connectors already hide their own; this is the second lock.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// What stands where a secret was.
pub const HIDDEN: &str = "***";

/// True for a name whose value is a secret. A token that only lets a service recognise a repeat is none.
fn is_secret(name: &str) -> bool {
    let name: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let harmless = ["clienttoken", "idempotencytoken", "tokentype"];
    let secret = [
        "password",
        "passwd",
        "adminpass",
        "secret",
        "token",
        "credential",
        "privatekey",
        "accesskey",
        "apikey",
        "authorization",
        "signature",
        "cookie",
        "passphrase",
    ];
    !harmless.contains(&name.as_str())
        && !matches!(
            name.as_str(),
            "signaturemethod" | "signatureversion" | "signaturenonce"
        )
        && secret.iter().any(|s| name.contains(s))
}

/// An operator's input, hidden where its name says that it is secret.
pub(super) fn input(name: &str, value: &str) -> String {
    if is_secret(name) {
        HIDDEN.to_owned()
    } else {
        value.to_owned()
    }
}

/// JSON with the values of secret names hidden.
#[must_use]
pub fn scrub_json(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| {
                    let value = match value {
                        Value::Null | Value::Bool(_) => value,
                        _ if is_secret(&name) => Value::String(HIDDEN.to_owned()),
                        // documents travel inside texts
                        other => scrub_json(other),
                    };
                    (name, value)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(scrub_json).collect()),
        Value::String(text) => Value::String(scrub_text(&text)),
        other => other,
    }
}

/// A text with secrets hidden: in JSON, in forms and queries, in XML elements, in header lines.
#[must_use]
pub fn scrub_text(text: &str) -> String {
    // name, then a value in quotes, between tags or up to the next separator
    static PAIRS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"(?x)
            (?P<name>[A-Za-z][A-Za-z0-9_.\-]*)
            (?P<mid>"\s*:\s*"|'\s*:\s*'|\s*=\s*"|\s*=\s*'|\s*=\s*|>|\s*:\s+)
            (?P<value>(?:Bearer\s+|Basic\s+)?[^\s"'&<,;}\]]+)"#,
        )
        .ok()
    });
    let trimmed = text.trim_start();
    if trimmed.starts_with(['{', '['])
        && let Ok(value) = serde_json::from_str::<Value>(trimmed)
    {
        let scrubbed = scrub_json(value.clone());
        if scrubbed == value {
            return text.to_owned();
        }
        return if trimmed.contains('\n') {
            serde_json::to_string_pretty(&scrubbed).unwrap_or_default()
        } else {
            scrubbed.to_string()
        };
    }
    let Some(pairs) = PAIRS.as_ref() else {
        return text.to_owned();
    };
    pairs
        .replace_all(text, |found: &regex::Captures<'_>| {
            let part = |name: &str| found.name(name).map_or("", |m| m.as_str());
            if is_secret(part("name")) {
                format!("{}{}{HIDDEN}", part("name"), part("mid"))
            } else {
                part_all(found)
            }
        })
        .into_owned()
}

fn part_all(found: &regex::Captures<'_>) -> String {
    found
        .get(0)
        .map_or_else(String::new, |m| m.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        for (text, hidden) in [
            (
                r#"{"auth":{"password":"pa55","user":"eve"},"n":[{"X-Auth-Token":"t"}]}"#,
                r#"{"auth":{"password":"***","user":"eve"},"n":[{"X-Auth-Token":"***"}]}"#,
            ),
            ("a=1&SecretAccessKey=abc&b=2", "a=1&SecretAccessKey=***&b=2"),
            (
                "<Password>pa55</Password><A>x</A>",
                "<Password>***</Password><A>x</A>",
            ),
            ("Authorization: Bearer abc.def", "Authorization: ***"),
            (r#"cut {"password":"pa55","#, r#"cut {"password":"***","#),
        ] {
            assert_eq!(scrub_text(text), hidden);
        }
    }

    #[test]
    fn what_is_no_secret_stays_letter_for_letter() {
        for text in [
            "{\n  \"ClientToken\": \"0a-1b\",\n  \"plan\": \"x\"\n}",
            "the token expired: log in again",
            "status=protecting; error=CSBS.6027",
            "",
        ] {
            assert_eq!(scrub_text(text), text);
        }
    }

    #[test]
    fn a_document_inside_a_text_is_scrubbed_too() {
        let text = r#"{"params":"{\"password\":\"pa55\"}"}"#;
        assert!(!scrub_text(text).contains("pa55"));
    }
}
