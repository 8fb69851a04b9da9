//! Remembering pages by their hash, so that an unchanged answer is never decoded again.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap};

/// What was seen on each page of each feed: a keyed hash of the body, and what the next question needs
/// from it (a marker, a count of rows).
///
/// Write a page down with [`PageMemory::keep`] only after the sink took it: what the sink never saw must not
/// be called the same.
#[derive(Debug)]
pub struct PageMemory<N> {
    keys: DefaultHashBuilder,
    pages: HashMap<(&'static str, u32), (u64, usize, N)>,
}

impl<N> Default for PageMemory<N> {
    fn default() -> Self {
        Self {
            keys: DefaultHashBuilder::default(),
            pages: HashMap::new(),
        }
    }
}

impl<N: Clone> PageMemory<N> {
    /// What was kept with this page, when its body is byte for byte the one kept.
    #[must_use]
    pub fn same(&self, feed: &'static str, page: u32, body: &[u8]) -> Option<N> {
        let (hash, len, next) = self.pages.get(&(feed, page))?;
        (*len == body.len() && *hash == self.keys.hash_one(body)).then(|| next.clone())
    }

    /// Remembers a page that the sink took.
    pub fn keep(&mut self, feed: &'static str, page: u32, body: &[u8], next: N) {
        let hash = self.keys.hash_one(body);
        self.pages.insert((feed, page), (hash, body.len(), next));
    }

    /// Forgets one page of a feed.
    pub fn forget(&mut self, feed: &'static str, page: u32) {
        self.pages.remove(&(feed, page));
    }

    /// Forgets the pages of a feed from this number on.
    pub fn forget_from(&mut self, feed: &'static str, page: u32) {
        self.pages.retain(|(f, p), _| *f != feed || *p < page);
    }

    /// Forgets the pages of a feed from this number on, up to `limit`.
    pub fn forget_between(&mut self, feed: &'static str, page: u32, limit: u32) {
        self.pages
            .retain(|(f, p), _| *f != feed || *p < page || *p >= limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_the_same_only_byte_for_byte_and_in_its_place() {
        let mut memory = PageMemory::default();
        memory.keep("failed", 0, b"[1]", 7);
        assert_eq!(memory.same("failed", 0, b"[1]"), Some(7));
        assert_eq!(memory.same("failed", 0, b"[2]"), None);
        assert_eq!(memory.same("failed", 1, b"[1]"), None);
        assert_eq!(memory.same("running", 0, b"[1]"), None);
        memory.forget_from("failed", 0);
        assert_eq!(memory.same("failed", 0, b"[1]"), None);
    }
}
