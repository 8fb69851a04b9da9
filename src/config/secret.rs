//! Where a secret comes from, and fetching it when it is needed.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::connect::Secret;
use crate::model::{Fault, FaultKind};
use crate::tomlread::Fields;

use super::paths;

/// The longest secret taken, in bytes; a token with a catalog inside may be long.
const LONGEST: u64 = 64 * 1024;

/// How secrets are written, for messages.
const FORMS: &str =
    "{ env = \"NAME\" }, { file = \"PATH\" } or { command = [\"program\", \"argument\"] }";

/// Where a secret comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file; its last line end does not count.
    File(PathBuf),
    /// A program's output; its last line end does not count. Not run by a shell.
    Command(Vec<String>),
    /// Written in the configuration: for the embedded demo services alone.
    Value(Secret),
}

impl SecretSource {
    /// Reads one from a table of the configuration; relative paths start at `base`. What is wrong is noted.
    pub(super) fn read(fields: &Fields<'_, '_>, key: &'static str, base: &Path) -> Option<Self> {
        if !fields.has(key) {
            return None;
        }
        if fields.is_text(key) {
            // nothing of the text itself may reach a message
            fields.asked(key);
            fields.wrong(
                key,
                format!("{} is written out", fields.name(key)),
                format!("Secrets don't belong in this file: write {key} = {FORMS}"),
            );
            return None;
        }
        let table = fields.table(key, &format!("{key} = {{ … }}"))?;
        let before = fields.mistakes();
        let mut found = Vec::new();
        if let Some(name) = table.filled_text("env", "\"NAME\"") {
            found.push(Self::Env(name));
        }
        if let Some(path) = table.filled_text("file", "\"PATH\"") {
            found.push(Self::File(paths::resolve(&path, base)));
        }
        if let Some(words) = table.texts("command") {
            if words.first().is_some_and(|w| !w.trim().is_empty()) {
                found.push(Self::Command(words));
            } else {
                table.wrong(
                    "command",
                    "\"command\" names no program",
                    "Write command = [\"program\", \"argument\"]",
                );
            }
        }
        if let Some(text) = table.text("value") {
            found.push(Self::Value(Secret::new(text)));
        }
        table.finish();
        match found.len() {
            1 => found.pop(),
            0 => {
                if fields.mistakes() == before {
                    fields.wrong(
                        key,
                        format!("{} says no source", fields.name(key)),
                        format!("Write {key} = {FORMS}"),
                    );
                }
                None
            }
            _ => {
                fields.wrong(
                    key,
                    format!("{} names several sources", fields.name(key)),
                    "Keep one of env, file and command",
                );
                None
            }
        }
    }

    /// Fetches the secret. `what` says whose it is, for messages: "password of service otc-eu".
    ///
    /// # Errors
    /// A [`FaultKind::Config`] fault that says what is missing; never with any part of the secret.
    pub fn fetch(&self, what: &str) -> Result<Secret, Fault> {
        let text = match self {
            Self::Value(secret) => return Ok(secret.clone()),
            Self::Env(name) => std::env::var(name).map_err(|_| {
                fault(
                    format!("the environment variable {name} is not set"),
                    what,
                    format!("Set {name} before you start keepwatch."),
                )
            })?,
            Self::File(path) => read_file(path, what)?,
            Self::Command(words) => run(words, what)?,
        };
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            return Err(fault(
                format!("{} is empty", self.place()),
                what,
                "Put the secret there.",
            ));
        }
        Ok(Secret::new(text))
    }

    /// Where it comes from, in words; nothing of the secret itself.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Env(name) => format!("the environment variable {name}"),
            Self::File(path) => format!("the file {}", path.display()),
            Self::Command(words) => format!(
                "the output of {}",
                words.first().map_or("the command", String::as_str)
            ),
            Self::Value(_) => "the configuration itself".to_owned(),
        }
    }
}

fn fault(sentence: String, what: &str, advice: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Config, sentence, what, advice)
}

fn read_file(path: &Path, what: &str) -> Result<String, Fault> {
    let mut text = String::new();
    fs::File::open(path)
        .and_then(|f| f.take(LONGEST).read_to_string(&mut text))
        .map_err(|e| {
            fault(
                format!("the file {} can't be read: {e}", path.display()),
                what,
                "Check the path and that you may read it.",
            )
        })?;
    Ok(text)
}

/// The program may ask the person (a key ring that wants to be unlocked): it keeps the terminal, and there is
/// no time limit.
fn run(words: &[String], what: &str) -> Result<String, Fault> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(fault("no program is named".to_owned(), what, ""));
    };
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::inherit())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| {
            fault(
                format!("{program} can't be run: {e}"),
                what,
                "Check that it is installed and on the PATH.",
            )
        })?;
    if !output.status.success() {
        return Err(fault(
            format!("{program} ended with {}", output.status),
            what,
            "Run it by hand to see what it says.",
        ));
    }
    String::from_utf8(output.stdout).map_err(|_| {
        fault(
            format!("{program} printed something that is not text"),
            what,
            "It has to print the secret and nothing else.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_commands_lose_their_last_line_end_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        fs::write(&path, "two\nlines \r\n").unwrap();
        assert_eq!(
            SecretSource::File(path).fetch("x").unwrap().expose(),
            "two\nlines "
        );
        let words = ["printf", "a b\\n"].map(str::to_owned).to_vec();
        assert_eq!(
            SecretSource::Command(words).fetch("x").unwrap().expose(),
            "a b"
        );
    }

    #[test]
    fn what_is_missing_is_named_and_nothing_secret_is_shown() {
        let say = |source: SecretSource| source.fetch("password of a").unwrap_err().to_string();
        let text = say(SecretSource::Env("KEEPWATCH_TEST_NOT_SET".into()));
        assert!(
            text.contains("KEEPWATCH_TEST_NOT_SET is not set (password of a)"),
            "{text}"
        );
        let text = say(SecretSource::File("/nowhere/at/all".into()));
        assert!(text.contains("/nowhere/at/all can't be read"), "{text}");
        let text = say(SecretSource::Command(vec!["false".into()]));
        assert!(text.contains("false ended with"), "{text}");
        let text = say(SecretSource::Command(vec!["true".into()]));
        assert!(text.contains("the output of true is empty"), "{text}");
        let debug = format!("{:?}", SecretSource::Value(Secret::new("hunter2")));
        assert!(!debug.contains("hunter2"));
    }
}
