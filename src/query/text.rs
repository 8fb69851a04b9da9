//! Comparing texts without regard to case.

use std::borrow::Cow;

use memchr::memmem;

/// The text in lower case: what needles and haystacks are compared as.
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        }
    } else {
        Cow::Owned(text.to_lowercase())
    }
}

/// A text to look for, kept in lower case with its searcher.
#[derive(Clone, Debug)]
pub struct Needle {
    low: Box<str>,
    finder: Box<memmem::Finder<'static>>,
}

impl PartialEq for Needle {
    fn eq(&self, other: &Self) -> bool {
        self.low == other.low
    }
}

impl Eq for Needle {}

impl Needle {
    /// A needle for this text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let low = fold(text);
        Self {
            finder: Box::new(memmem::Finder::new(low.as_bytes()).into_owned()),
            low: low.into(),
        }
    }

    /// The text in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.low
    }

    /// The searcher, for arenas of folded text.
    #[must_use]
    pub fn finder(&self) -> &memmem::Finder<'static> {
        &self.finder
    }

    /// True when it stands somewhere in this folded text.
    #[must_use]
    pub fn is_in_folded(&self, low: &str) -> bool {
        self.finder.find(low.as_bytes()).is_some()
    }

    /// True when it stands somewhere in this text, in any case.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        self.is_in_folded(&fold(text))
    }
}

/// How far apart the letters of a fuzzy match may stand: a stretch of four times the needle and four more.
const fn widest(needle: usize) -> usize {
    needle * 4 + 4
}

/// True when the letters of `needle` stand in `low` in this order, close enough together to be meant.
/// Both are folded; `needle` holds no blanks.
#[must_use]
pub fn is_fuzzy_in(needle: &str, low: &str) -> bool {
    let (n, h) = (needle.as_bytes(), low.as_bytes());
    let Some((&first, rest)) = n.split_first() else {
        return true;
    };
    let widest = widest(n.len());
    let mut from = 0;
    // Bytes instead of characters: every byte of a character of the needle has to be found in order,
    // which for the widths in question is as strict, and much quicker.
    while let Some(at) = h.get(from..).and_then(|h| memchr::memchr(first, h)) {
        let start = from + at;
        let end = h.len().min(start + widest);
        let mut place = start + 1;
        let mut missing = false;
        for &b in rest {
            match h.get(place..end).and_then(|h| memchr::memchr(b, h)) {
                Some(at) => place += at + 1,
                None => {
                    missing = true;
                    break;
                }
            }
        }
        if !missing {
            return true;
        }
        from = start + 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter() {
        assert!(Needle::new("GRÖSSE").is_in("eine größe? nein: Grösse"));
        assert!(Needle::new("Ecs").is_in("my-ECS-42"));
        assert!(!Needle::new("ecs").is_in("ec-s"));
        assert!(matches!(fold("ecs-42"), Cow::Borrowed(_)));
    }

    #[test]
    fn fuzzy_wants_the_order_and_some_closeness() {
        assert!(is_fuzzy_in("ngtexp", "nightly-export"));
        assert!(!is_fuzzy_in("expngt", "nightly-export"));
        assert!(is_fuzzy_in("", "x"));
        let far = format!("a{}b", "x".repeat(40));
        assert!(!is_fuzzy_in("ab", &far));
        assert!(is_fuzzy_in("ab", &format!("{far} a-b")));
    }
}
