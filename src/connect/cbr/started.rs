//! What a requested backup became at once: CBR may take the request and start nothing.

use serde::Deserialize;

use crate::connect::decode::{Loose, Text};
use crate::connect::http::Reply;
use crate::model::{CodeRef, clean};

/// What a requested backup became at once.
#[derive(Default)]
pub(super) struct Started {
    pub id: String,
    /// Resources that are backed up.
    taken: usize,
    skipped: Vec<(String, CodeRef)>,
}

impl Started {
    /// The answer names the resources of the run and those that were passed over (CBR API reference, creating a
    /// restore point).
    pub(super) fn read(reply: &Reply) -> Self {
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(borrow)]
            checkpoint: Checkpoint<'a>,
        }
        #[derive(Deserialize)]
        struct Checkpoint<'a> {
            #[serde(borrow, default)]
            id: Text<'a>,
            #[serde(borrow, default)]
            vault: Loose<Vault<'a>>,
        }
        #[derive(Deserialize)]
        struct Vault<'a> {
            #[serde(borrow, default)]
            resources: Loose<Vec<Loose<Row<'a>>>>,
            #[serde(borrow, default)]
            skipped_resources: Loose<Vec<Loose<Row<'a>>>>,
        }
        #[derive(Deserialize)]
        struct Row<'a> {
            #[serde(borrow, default)]
            id: Text<'a>,
            #[serde(borrow, default)]
            name: Text<'a>,
            #[serde(borrow, default)]
            code: Text<'a>,
            #[serde(borrow, default)]
            reason: Text<'a>,
        }
        let Ok(answer) = reply.json::<Answer<'_>>() else {
            return Self::default();
        };
        let vault = answer.checkpoint.vault.0;
        let rows = |list: Option<&Loose<Vec<Loose<Row<'_>>>>>| -> Vec<(String, String, CodeRef)> {
            list.and_then(|l| l.0.as_ref())
                .into_iter()
                .flatten()
                .filter_map(|r| r.0.as_ref())
                .map(|r| {
                    let mut code = CodeRef::new(r.code.owned(), r.reason.owned());
                    code.operation = "backup".into();
                    (r.id.owned(), r.name.or(r.id.as_str()).to_owned(), code)
                })
                .collect()
        };
        let skipped = rows(vault.as_ref().map(|v| &v.skipped_resources));
        // Whether the first list leaves out what the second names is not documented.
        let taken = rows(vault.as_ref().map(|v| &v.resources))
            .into_iter()
            .filter(|(id, ..)| !skipped.iter().any(|(s, ..)| s == id))
            .count();
        Self {
            id: answer.checkpoint.id.owned(),
            taken,
            skipped: skipped.into_iter().map(|(_, name, c)| (name, c)).collect(),
        }
    }

    /// The reason when the service took the request and started nothing.
    pub(super) fn refusal(&self) -> Option<CodeRef> {
        let (_, code) = self.skipped.first().filter(|_| self.taken == 0)?;
        Some(code.clone().with_http(200))
    }

    pub(super) fn skipped_words(&self, vault: &str) -> Option<String> {
        let names: Vec<String> = self
            .skipped
            .iter()
            .take(5)
            .map(|(name, c)| format!("{name} ({} {})", c.code, c.message))
            .collect();
        (!names.is_empty()).then(|| {
            let text = format!(
                "vault {vault}: {} resources were skipped, {} are backed up: {}",
                self.skipped.len(),
                self.taken,
                names.join("; ")
            );
            clean(&text).into_owned()
        })
    }
}
