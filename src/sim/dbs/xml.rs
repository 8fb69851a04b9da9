//! Answers as JSON or as XML: calls with the older signature get XML when they don't ask for JSON.

use serde_json::Value;

use crate::sim::http::Response;

/// An answer in the wanted format; `root` is the outermost element of XML.
pub(super) fn answer(status: u16, root: &str, body: &Value, xml: bool) -> Response {
    if !xml {
        return Response::json(status, body);
    }
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    element(&mut text, root, body);
    // Exactly this text: the vendor's clients compare it letter for letter.
    Response::raw(status, "text/xml;charset=utf-8", text)
}

fn element(out: &mut String, name: &str, value: &Value) {
    match value {
        // A list is its element, repeated.
        Value::Array(list) => {
            for value in list {
                element(out, name, value);
            }
        }
        Value::Object(map) => {
            out.push_str(&format!("<{name}>"));
            for (name, value) in map {
                element(out, name, value);
            }
            out.push_str(&format!("</{name}>"));
        }
        Value::Null => out.push_str(&format!("<{name}/>")),
        Value::String(text) => leaf(out, name, text),
        other => leaf(out, name, &other.to_string()),
    }
}

fn leaf(out: &mut String, name: &str, text: &str) {
    out.push_str(&format!("<{name}>"));
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // Not allowed in XML at all.
            c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out.push_str(&format!("</{name}>"));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_repeat_their_element_and_text_is_escaped() {
        let body = json!({"A": {"B": ["x<", "y&"]}, "N": 1, "E": null});
        let answer = answer(200, "R", &body, true);
        assert!(
            answer
                .body
                .ends_with(b"<R><A><B>x&lt;</B><B>y&amp;</B></A><E/><N>1</N></R>")
        );
    }
}
