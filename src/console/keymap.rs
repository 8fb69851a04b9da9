//! Which key says which word, where. Keymaps are data: ours is compiled in, a site's own file lies over it.

use std::collections::BTreeMap;
use std::fmt;

use super::key::Key;
use super::word::Word;

/// Our own keys.
pub const DEFAULT: &str = include_str!("../../assets/keymaps/default.toml");

/// A place in which keys have a meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Place {
    /// Lists, the detail and the feed.
    Anywhere,
    /// A pane with rows.
    List,
    /// An opened row.
    Detail,
    /// A line in which text is typed.
    Prompt,
    /// A list to choose from, with a line to narrow it.
    Pick,
    /// A question that wants yes or no, and pages to read.
    Dialog,
}

impl Place {
    /// Every place.
    pub const ALL: [Self; 6] = [
        Self::Anywhere,
        Self::List,
        Self::Detail,
        Self::Prompt,
        Self::Pick,
        Self::Dialog,
    ];

    /// The name of its section in a keymap file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anywhere => "anywhere",
            Self::List => "list",
            Self::Detail => "detail",
            Self::Prompt => "prompt",
            Self::Pick => "pick",
            Self::Dialog => "dialog",
        }
    }

    /// The place to look in when this one has no such key.
    const fn beyond(self) -> Option<Self> {
        match self {
            Self::List | Self::Detail => Some(Self::Anywhere),
            _ => None,
        }
    }
}

/// Something wrong in a keymap file. The rest of the file holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file's name.
    pub file: String,
    /// Section and word, where it is known.
    pub at: String,
    /// What is wrong and what would be right.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if !self.at.is_empty() {
            write!(f, ", {}", self.at)?;
        }
        write!(f, ": {}", self.what)
    }
}

/// What a sequence of keys leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// A word.
    Word(Word),
    /// The beginning of longer sequences: the next key and the word each leads to.
    Prefix(Vec<(Key, Word)>),
    /// Nothing.
    Nothing,
}

/// Keys and words of all places.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Keymap {
    keys: BTreeMap<Place, BTreeMap<Vec<Key>, Word>>,
}

impl Keymap {
    /// Our own keys with the site's laid over them, and everything that was wrong in the site's file.
    #[must_use]
    pub fn load(site: Option<(&str, &str)>) -> (Self, Vec<Problem>) {
        let mut map = Self::default();
        let mut problems = Vec::new();
        map.lay_over("the built-in keymap", DEFAULT, &mut problems);
        if let Some((file, text)) = site {
            map.lay_over(file, text, &mut problems);
        }
        (map, problems)
    }

    fn lay_over(&mut self, file: &str, text: &str, problems: &mut Vec<Problem>) {
        let mut say = |at: String, what: String| {
            problems.push(Problem {
                file: file.into(),
                at,
                what,
            });
        };
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                let line = error
                    .span()
                    .and_then(|s| text.get(..s.start))
                    .map_or(0, |before| before.matches('\n').count() + 1);
                say(format!("line {line}"), error.message().trim().to_owned());
                return;
            }
        };
        for (section, words) in &table {
            let Some(place) = Place::ALL.into_iter().find(|p| p.name() == section) else {
                say(
                    format!("[{section}]"),
                    format!(
                        "no such place; places are {}",
                        Place::ALL.map(Place::name).join(", ")
                    ),
                );
                continue;
            };
            let Some(words) = words.as_table() else {
                say(
                    section.clone(),
                    "expected a section of word = [keys]".into(),
                );
                continue;
            };
            let mut given: BTreeMap<Vec<Key>, Word> = BTreeMap::new();
            let mut named = Vec::new();
            for (name, keys) in words {
                let at = format!("[{section}] {name}");
                let word: Word = match name.parse() {
                    Ok(word) => word,
                    Err(why) => {
                        say(at, why);
                        continue;
                    }
                };
                let sequences = match sequences(keys) {
                    Ok(sequences) => sequences,
                    Err(why) => {
                        say(at, why);
                        continue;
                    }
                };
                named.push(word);
                for keys in sequences {
                    let clash = given
                        .iter()
                        .find(|(other, _)| overlap(other, &keys))
                        .map(|(other, word)| (spell(other), *word));
                    if let Some((other, holder)) = clash {
                        say(
                            at.clone(),
                            format!(
                                "{} clashes with {other} of {}; it is left out",
                                spell(&keys),
                                holder.name()
                            ),
                        );
                    } else {
                        given.insert(keys, word);
                    }
                }
            }
            let map = self.keys.entry(place).or_default();
            let before: Vec<Word> = map.values().copied().collect();
            map.retain(|keys, word| {
                !named.contains(word) && !given.keys().any(|k| overlap(k, keys))
            });
            map.extend(given);
            for word in before {
                if !named.contains(&word) && !map.values().any(|w| *w == word) {
                    say(
                        format!("[{section}]"),
                        format!(
                            "{} has no key left here; the palette still has it",
                            word.name()
                        ),
                    );
                }
            }
        }
    }

    /// What `keys`, pressed one after another in `place`, lead to.
    #[must_use]
    pub fn find(&self, place: Place, keys: &[Key]) -> Found {
        let mut place = Some(place);
        while let Some(p) = place {
            if let Some(map) = self.keys.get(&p) {
                if let Some(word) = map.get(keys) {
                    return Found::Word(*word);
                }
                let next: Vec<(Key, Word)> = map
                    .iter()
                    .filter(|(k, _)| k.len() > keys.len() && k.starts_with(keys))
                    .filter_map(|(k, w)| Some((*k.get(keys.len())?, *w)))
                    .collect();
                if !next.is_empty() {
                    return Found::Prefix(next);
                }
            }
            place = p.beyond();
        }
        Found::Nothing
    }

    /// The keys that say `word` in `place`, shortest first.
    #[must_use]
    pub fn keys_of(&self, place: Place, word: Word) -> Vec<&[Key]> {
        let mut out: Vec<&[Key]> = Vec::new();
        let mut at = Some(place);
        while let Some(p) = at {
            if let Some(map) = self.keys.get(&p) {
                out.extend(
                    map.iter()
                        .filter(|(_, w)| **w == word)
                        .map(|(k, _)| k.as_slice()),
                );
            }
            at = p.beyond();
        }
        out.sort_by_key(|k| (k.len(), rank(k)));
        out
    }

    /// The first key that says `word` in `place`, as shown to the operator; empty when there is none.
    #[must_use]
    pub fn label(&self, place: Place, word: Word, ascii: bool) -> String {
        let keys = self.keys_of(place, word);
        // leaving has many keys; everybody knows this one
        let esc = [Key::plain(super::KeyCode::Esc)];
        let known = keys.iter().find(|k| word == Word::Close && ***k == esc);
        known
            .or(keys.first())
            .map_or_else(String::new, |keys| label(keys, ascii))
    }
}

/// Plain letters before keys with a name, those before chords with control.
fn rank(keys: &[Key]) -> (bool, bool) {
    keys.first().map_or((true, true), |k| {
        (k.ctrl || k.alt, !matches!(k.code, super::KeyCode::Char(_)))
    })
}

/// A sequence as shown to the operator.
#[must_use]
pub fn label(keys: &[Key], ascii: bool) -> String {
    let labels: Vec<String> = keys.iter().map(|k| k.label(ascii)).collect();
    labels.join(" ")
}

fn spell(keys: &[Key]) -> String {
    let words: Vec<String> = keys.iter().map(Key::to_string).collect();
    format!("{:?}", words.join(" "))
}

/// One is the beginning of the other, or they are the same.
fn overlap(a: &[Key], b: &[Key]) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

fn sequences(value: &toml::Value) -> Result<Vec<Vec<Key>>, String> {
    const SHAPE: &str = "expected a list of keys, as in [\"x\", \"ctrl-x\", \"o x\"]";
    let list = match value {
        toml::Value::Array(list) => list.as_slice(),
        one @ toml::Value::String(_) => std::slice::from_ref(one),
        _ => return Err(SHAPE.into()),
    };
    list.iter()
        .map(|item| {
            let text = item.as_str().ok_or_else(|| SHAPE.to_owned())?;
            let keys = text
                .split_whitespace()
                .map(str::parse)
                .collect::<Result<Vec<Key>, String>>()?;
            if keys.is_empty() {
                return Err(SHAPE.into());
            }
            Ok(keys)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<Key> {
        text.split(' ').map(|k| k.parse().unwrap()).collect()
    }

    #[test]
    fn the_built_in_keymap_is_clean() {
        let (_, problems) = Keymap::load(None);
        assert_eq!(problems, []);
    }

    #[test]
    fn every_word_that_lists_need_has_a_key_or_is_in_the_palette_only_on_purpose() {
        let (map, _) = Keymap::load(None);
        let without: Vec<&str> = Word::ALL
            .iter()
            .filter(|w| Place::ALL.iter().all(|p| map.keys_of(*p, **w).is_empty()))
            .map(|w| w.name())
            .collect();
        // these two change data at the service for good: the menu and the palette are near enough
        assert_eq!(without, ["restore", "delete"]);
    }

    #[test]
    fn places_lie_over_anywhere_and_sequences_have_prefixes() {
        let (map, _) = Keymap::load(None);
        assert_eq!(map.find(Place::List, &keys("/")), Found::Word(Word::Filter));
        assert_eq!(map.find(Place::List, &keys("q")), Found::Word(Word::Quit));
        assert_eq!(map.find(Place::Prompt, &keys("q")), Found::Nothing);
        assert_eq!(
            map.find(Place::List, &keys("o d")),
            Found::Word(Word::GoDevice)
        );
        match map.find(Place::List, &keys("o")) {
            Found::Prefix(next) => assert!(next.contains(&(Key::char('p'), Word::GoPolicy))),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_site_replaces_keys_and_is_told_what_it_broke() {
        let site = "[list]\nfilter = [\"f\"]\nmark = []\n[anywhere]\nretry = [\"g\"]\n";
        let (map, problems) = Keymap::load(Some(("keys.toml", site)));
        assert_eq!(map.find(Place::List, &keys("f")), Found::Word(Word::Filter));
        assert_eq!(map.find(Place::List, &keys("/")), Found::Nothing);
        assert_eq!(map.find(Place::List, &keys("space")), Found::Nothing);
        assert_eq!(map.find(Place::List, &keys("g")), Found::Word(Word::Retry));
        assert_eq!(map.find(Place::List, &keys("home")), Found::Word(Word::Top));
        assert_eq!(problems, []);
        let (_, problems) = Keymap::load(Some(("k.toml", "[list]\nfilter = [\"space\"]")));
        assert!(
            problems[0].to_string().contains("mark has no key left"),
            "{problems:?}"
        );
    }

    #[test]
    fn clashes_and_mistakes_are_named_and_the_rest_holds() {
        let site = "[list]\nfilter = [\"p\"]\nsort = [\"p x\"]\nfilterr = [\"u\"]\nrow = 3\n[lost]\na = []\n";
        let (map, problems) = Keymap::load(Some(("keys.toml", site)));
        let said: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert_eq!(said.len(), 4, "{said:#?}");
        assert!(said.iter().any(|s| s.contains("clashes")), "{said:#?}");
        assert!(
            said.iter().any(|s| s.contains("did you mean \"filter\"")),
            "{said:#?}"
        );
        assert!(
            said.iter().any(|s| s.contains("expected a list")),
            "{said:#?}"
        );
        assert!(
            said.iter().any(|s| s.contains("no such place")),
            "{said:#?}"
        );
        assert_eq!(map.find(Place::List, &keys("p")), Found::Word(Word::Filter));
        let (map, problems) = Keymap::load(Some(("keys.toml", "[list]\nx = [\n[")));
        assert!(problems[0].at.starts_with("line "), "{problems:?}");
        assert_eq!(map.find(Place::List, &keys("/")), Found::Word(Word::Filter));
    }
}
