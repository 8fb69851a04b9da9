//! Words that live as long as the program.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// So many different words are held at most; they are labels and sorts that connectors wrote once.
const MOST: usize = 4_096;
/// The longest of them, in bytes.
const LONGEST: usize = 64;

/// The same word for the rest of the run: labels and sorts of devices are constants of the connectors, and
/// come back from a file as text. Empty when a file holds more or longer ones than any connector has.
#[must_use]
pub fn lasting(word: &str) -> &'static str {
    static HELD: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    if word.is_empty() || word.len() > LONGEST {
        return "";
    }
    let mut guard = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let held = guard.get_or_insert_with(HashSet::new);
    if let Some(same) = held.get(word) {
        return same;
    }
    if held.len() >= MOST {
        return "";
    }
    let same: &'static str = Box::leak(word.to_owned().into_boxed_str());
    held.insert(same);
    same
}

/// Facts as they came back from a file; those whose label no connector has are left out.
pub(super) fn lasting_facts(facts: Vec<(String, String)>) -> Vec<(&'static str, String)> {
    facts
        .into_iter()
        .map(|(label, value)| (lasting(&label), value))
        .filter(|(label, _)| !label.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::lasting;

    #[test]
    fn a_word_is_held_once_and_a_flood_is_not() {
        let a = lasting("size of the backup");
        let again = String::from("size of the ") + "backup";
        assert!(std::ptr::eq(a, lasting(&again)));
        assert_eq!(lasting(&"x".repeat(65)), "");
    }
}
