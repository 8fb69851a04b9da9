//! A second chance for JSON that breaks the letter of its own rules.

/// The body with broken UTF-8 replaced, a byte order mark removed, and control characters inside strings
/// written as escapes; `None` when there is nothing of that sort in it.
#[must_use]
pub fn mend(body: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(body);
    let mut changed = matches!(text, std::borrow::Cow::Owned(_));
    let mut rest: &str = &text;
    if let Some(after) = rest.strip_prefix('\u{feff}') {
        rest = after;
        changed = true;
    }
    let mut out = String::with_capacity(rest.len() + 16);
    let (mut inside, mut escaped) = (false, false);
    for c in rest.chars() {
        if inside && (c as u32) < 0x20 {
            out.push_str(&format!("\\u{:04x}", c as u32));
            changed = true;
            escaped = false;
            continue;
        }
        match c {
            '"' if !escaped => inside = !inside,
            _ => {}
        }
        escaped = inside && c == '\\' && !escaped;
        out.push(c);
    }
    changed.then(|| out.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::mend;

    #[test]
    fn control_characters_and_broken_utf8_are_mended() {
        let mended = mend(b"\xef\xbb\xbf{\"a\":\"x\x1b[2Jy\xff\\\"z\"}\n").unwrap();
        let value: serde_json::Value = serde_json::from_slice(&mended).unwrap();
        assert_eq!(value["a"], "x\u{1b}[2Jy\u{fffd}\"z");
        assert_eq!(mend(b"{\"a\": 1}\n"), None);
    }
}
