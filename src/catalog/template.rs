//! Comparing a service's text with the template that its document prints.
//!
//! Templates have holes: `%s`, `%d`, `%(resource_id)s`, `{}`, `{exportId}`, `<ref>`. Documents space unevenly
//! ("`backupId : {}`", "`org:{}`"), so white space and letter case do not count.

/// How well a text fits a template.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fit {
    /// It does not.
    No,
    /// The template's words stand in the text, in order, among others.
    Inside,
    /// The text is the template with its holes filled.
    Whole,
}

/// The fewest letters of literal text that make finding a template inside a longer text mean anything.
const MEANINGFUL: usize = 8;

/// How well `message` fits `template`.
#[must_use]
pub fn fit(template: &str, message: &str) -> Fit {
    let (parts, open_start, open_end) = split(template);
    let literal: usize = parts.iter().map(|p| p.chars().count()).sum();
    if literal == 0 {
        return Fit::No;
    }
    let text = squeeze(message);
    if whole(&parts, open_start, open_end, &text) {
        return Fit::Whole;
    }
    if literal >= MEANINGFUL && whole(&parts, true, true, &text) {
        return Fit::Inside;
    }
    Fit::No
}

/// How many letters of literal text a template has: its weight as evidence.
#[must_use]
pub fn weight(template: &str) -> usize {
    split(template).0.iter().map(|p| p.chars().count()).sum()
}

/// Literal parts of a template, and whether it begins and ends with a hole.
fn split(template: &str) -> (Vec<String>, bool, bool) {
    let mut parts = Vec::new();
    let mut current = String::new();
    let mut open_start = false;
    let mut open_end = false;
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = hole(rest) {
            open_end = true;
            let part = squeeze(&current);
            if part.is_empty() && parts.is_empty() {
                open_start = true;
            }
            if !part.is_empty() {
                parts.push(part);
            }
            current.clear();
            rest = after;
        } else {
            current.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or("");
        }
    }
    let part = squeeze(&current);
    if !part.is_empty() {
        open_end = false;
        parts.push(part);
    }
    (parts, open_start, open_end)
}

/// What follows the hole that `text` begins with; `None` when it begins with none.
fn hole(text: &str) -> Option<&str> {
    if let Some(after) = text.strip_prefix('%') {
        if let Some(named) = after.strip_prefix('(') {
            let (_, after) = named.split_once(')')?;
            return after.strip_prefix(['s', 'd', 'i', 'r']);
        }
        return after.strip_prefix(['s', 'd', 'i']);
    }
    let (name, after) = match text.strip_prefix('<') {
        Some(named) => named.split_once('>').filter(|(n, _)| !n.is_empty())?,
        None => text.strip_prefix('{')?.split_once('}')?,
    };
    let is_name = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    is_name.then_some(after)
}

/// Without white space and a full stop at the end, in lower case.
fn squeeze(text: &str) -> String {
    let mut out: String = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect();
    while out.ends_with('.') {
        out.pop();
    }
    out
}

fn whole(parts: &[String], open_start: bool, open_end: bool, text: &str) -> bool {
    let mut rest = text;
    let last = parts.len().saturating_sub(1);
    for (n, part) in parts.iter().enumerate() {
        if n == last && !open_end {
            // the end is fixed: the part has to close the text
            let Some(before) = rest.strip_suffix(part.as_str()) else {
                return false;
            };
            return n > 0 || open_start || before.is_empty();
        }
        if n == 0 && !open_start {
            let Some(after) = rest.strip_prefix(part.as_str()) else {
                return false;
            };
            rest = after;
            continue;
        }
        let Some(at) = rest.find(part.as_str()) else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or("");
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_take_anything_and_spacing_does_not_count() {
        assert_eq!(
            fit(
                "Brie job=EXPORT with externalId={exportId} is not present",
                "Brie job=EXPORT with externalId=42 is not present"
            ),
            Fit::Whole
        );
        assert_eq!(
            fit(
                "Resource (%s) type (%s) is not support protection.",
                "Resource (8f3) type (OS::Cinder::Volume) is not support protection"
            ),
            Fit::Whole
        );
        assert_eq!(
            fit(
                "Plan with API Ref <ref> was not found",
                "Plan with API Ref a/b was not found"
            ),
            Fit::Whole
        );
        assert_eq!(
            fit("org:{} and cloud: {}", "org: 1 and cloud:2"),
            Fit::Whole
        );
        assert_eq!(
            fit(
                "Resource %(resource_id)s is restoring.",
                "Resource a-b is restoring."
            ),
            Fit::Whole
        );
    }

    #[test]
    fn another_text_does_not_fit() {
        assert_eq!(
            fit(
                "Brie job=EXPORT with externalId={exportId} is not present",
                "Brie job=IMPORT with externalId=42 is not present"
            ),
            Fit::No
        );
        assert_eq!(fit("copy executing", "copy executed"), Fit::No);
        assert_eq!(fit("", "anything"), Fit::No);
        assert_eq!(fit("%s", "anything"), Fit::No);
        assert_eq!(fit("a b", "xa b"), Fit::No);
        assert_eq!(fit("{not a hole} stays", "x stays"), Fit::No);
    }

    #[test]
    fn a_template_inside_a_longer_text_counts_less() {
        assert_eq!(
            fit("copy executing", "Error: copy executing, wait"),
            Fit::Inside
        );
        assert_eq!(fit("%s failed", "disk failed"), Fit::Whole);
        // too little literal text to mean anything among other words
        assert_eq!(fit("%s failed", "it failed because of the disk"), Fit::No);
        assert!(Fit::Whole > Fit::Inside);
    }

    #[test]
    fn a_literal_template_must_be_the_whole_text() {
        assert_eq!(fit("abc", "abc"), Fit::Whole);
        assert_eq!(fit("abc", "abcabc"), Fit::No);
        assert_eq!(fit("ab%sab", "ab"), Fit::No);
    }
}
