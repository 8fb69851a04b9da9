//! The one table of calls: which the vendor documents, which were inferred, and which were set by hand.
//!
//! The REST reference that could be read shows two calls whole: "get policy" and "activate policy". All others are
//! published by name, method and rate limit only, so that their paths are inferred from those two and from what is
//! left of the first version's guide. Each such path can be set in `[service.options]`; an empty path switches the
//! call off.

use std::collections::BTreeMap;

use crate::connect::http::Call;
use crate::connect::{Endpoint, Provenance};
use crate::model::{Fault, FaultKind, clean};

/// A call of the API, by the vendor's own name for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Op {
    Policies,
    Policy,
    Activate,
    Backups,
    Backup,
    Restores,
    Restore,
    Revalidate,
    Report,
    Storages,
    ImportDetails,
}

/// What is known of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    op: Op,
    /// The vendor's name for it (rate limiting page).
    pub name: &'static str,
    /// The word under which its errors are told apart.
    pub operation: &'static str,
    pub method: &'static str,
    /// Below `/public/backup-management/v2/orgs/{orgId}`; empty where no document gives it.
    path: &'static str,
    /// The ids that the path may hold; the first one has to be there.
    holes: &'static [&'static str],
    provenance: Provenance,
    /// The option that changes it; empty for documented paths.
    pub option: &'static str,
    pub remark: &'static str,
}

static TABLE: [Named; 11] = [
    Named {
        op: Op::Policies,
        name: "Get all backup policies",
        operation: "list policies",
        method: "GET",
        path: "policies",
        holes: &[],
        provenance: Provenance::Inferred,
        option: "path_policies",
        remark: "The parent of a documented path. With the option policy_ids it is not needed.",
    },
    Named {
        op: Op::Policy,
        name: "Get backup policy details",
        operation: "get policy",
        method: "GET",
        path: "policies/{policyId}",
        holes: &["policyId"],
        provenance: Provenance::Documented,
        option: "",
        remark: "",
    },
    Named {
        op: Op::Activate,
        name: "Activate the backup policy",
        operation: "activate policy",
        method: "PUT",
        path: "policies/{policyId}/activate",
        holes: &["policyId"],
        provenance: Provenance::Documented,
        option: "",
        remark: "Needs X-Atl-Account-Id: the option account_id.",
    },
    Named {
        op: Op::Backups,
        name: "Get backups part of backup policy",
        operation: "list backups",
        method: "GET",
        path: "policies/{policyId}/backups",
        holes: &["policyId"],
        provenance: Provenance::Inferred,
        option: "path_backups",
        remark: "Without it no backup is seen; a policy still tells its last one.",
    },
    Named {
        op: Op::Backup,
        name: "Get backup details",
        operation: "get backup",
        method: "GET",
        path: "backups/{backupId}",
        holes: &["backupId", "policyId"],
        provenance: Provenance::Inferred,
        option: "path_backup",
        remark: "A weak guess: it may stand below the policy. Without it a backup is looked up in its policy's list.",
    },
    Named {
        op: Op::Restores,
        name: "Get all restores",
        operation: "list restores",
        method: "GET",
        path: "restores",
        holes: &[],
        provenance: Provenance::Inferred,
        option: "path_restores",
        remark: "Without it no restore is seen.",
    },
    Named {
        op: Op::Restore,
        name: "Get restore details",
        operation: "get restore",
        method: "GET",
        path: "restores/{restoreId}",
        holes: &["restoreId"],
        provenance: Provenance::Inferred,
        option: "path_restore",
        remark: "Without it a restore is looked up in the list of restores.",
    },
    Named {
        op: Op::Revalidate,
        name: "Revalidate restore",
        operation: "revalidate restore",
        method: "POST",
        path: "",
        holes: &["restoreId"],
        provenance: Provenance::Unknown,
        option: "path_revalidate",
        remark: "A write: sent only where the configuration gives its path, perhaps restores/{restoreId}/revalidate.",
    },
    Named {
        op: Op::Report,
        name: "Get post operation report",
        operation: "get report",
        method: "GET",
        path: "",
        holes: &["restoreId"],
        provenance: Provenance::Unknown,
        option: "path_report",
        remark: "Error 143 speaks of a migration id, which nothing else names.",
    },
    Named {
        op: Op::Storages,
        name: "Get all storages",
        operation: "list storages",
        method: "GET",
        path: "storages",
        holes: &[],
        provenance: Provenance::Inferred,
        option: "path_storages",
        remark: "Documented for the first version of the API. It gives the storages of policies their names.",
    },
    Named {
        op: Op::ImportDetails,
        name: "Get import details",
        operation: "import",
        method: "GET",
        path: "",
        holes: &[],
        provenance: Provenance::Unknown,
        option: "",
        remark: "Not asked: imports are read by id only, and no list gives the ids.",
    },
];

impl Op {
    /// What is known of it.
    pub(super) fn known(self) -> &'static Named {
        // every call has its row: the tests go through them
        TABLE.iter().find(|k| k.op == self).unwrap_or(&TABLE[0])
    }
}

/// The paths of one service: the table with what its configuration changes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Paths {
    set: BTreeMap<Op, String>,
}

impl Paths {
    /// Takes the options that set paths.
    ///
    /// # Errors
    /// What is wrong with one of them, and how it should look.
    pub(super) fn read(options: &BTreeMap<String, String>, place: &str) -> Result<Self, Fault> {
        let mut paths = Self::default();
        for known in TABLE.iter().filter(|k| !k.option.is_empty()) {
            let Some(text) = options.get(known.option) else {
                continue;
            };
            let path = text.trim().trim_matches('/').to_owned();
            check(known, &path).map_err(|(what, advice)| {
                Fault::new(
                    FaultKind::Config,
                    format!("the option {} is no path: {what}", known.option),
                    place,
                    advice,
                )
            })?;
            // an empty path for a call that has none switches nothing off
            if !path.is_empty() || !known.path.is_empty() {
                paths.set.insert(known.op, path);
            }
        }
        Ok(paths)
    }

    /// The path of a call and where it comes from; the path is empty for a call that can't be made.
    pub(super) fn of(&self, op: Op) -> (&str, Provenance) {
        let known = op.known();
        self.set
            .get(&op)
            .map_or((known.path, known.provenance), |path| {
                (path, Provenance::Configured)
            })
    }

    /// Whether the call can be made at all.
    pub(super) fn has(&self, op: Op) -> bool {
        !self.of(op).0.is_empty()
    }

    /// True for a path that no document and nobody vouches for.
    pub(super) fn is_guess(&self, op: Op) -> bool {
        self.of(op).1 == Provenance::Inferred
    }

    /// The call with its ids, given in the order of the names in the path's table; `None` when it can't be made.
    pub(super) fn call(&self, op: Op, ids: &[&str]) -> Option<Call> {
        let (path, _) = self.of(op);
        if path.is_empty() {
            return None;
        }
        let segments: Option<Vec<&str>> = path
            .split('/')
            .map(|segment| match hole(segment) {
                None => Some(segment),
                Some(name) => {
                    let at = op.known().holes.iter().position(|h| *h == name)?;
                    ids.get(at).copied()
                }
            })
            .collect();
        Some(Call::new(op.known().method, &segments?))
    }

    /// Every call with its provenance, for the self-test.
    pub(super) fn endpoints(&self) -> Vec<Endpoint> {
        TABLE
            .iter()
            .map(|known| {
                let (path, provenance) = self.of(known.op);
                Endpoint {
                    capability: known.name,
                    method: known.method,
                    path: path.to_owned(),
                    provenance,
                    option: known.option,
                    remark: if path.is_empty() && provenance == Provenance::Configured {
                        "Switched off."
                    } else {
                        known.remark
                    },
                }
            })
            .collect()
    }
}

fn hole(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// What is wrong with a path, and what is expected.
fn check(known: &Named, path: &str) -> Result<(), (String, String)> {
    let holes = known.holes;
    let example = match holes.first() {
        Some(first) => format!("such as \"things/{{{first}}}\""),
        None => "such as \"things\"".to_owned(),
    };
    let expected = format!(
        "Write what follows the organisation's id in the address, {example}; an empty text switches the call off."
    );
    if path.is_empty() {
        return Ok(());
    }
    if path.contains(['?', '#', ':', '\\', ' ', '%']) || path.chars().any(char::is_control) {
        return Err((
            format!("\"{}\" holds more than segments and slashes", clean(path)),
            expected,
        ));
    }
    let mut found = Vec::new();
    for segment in path.split('/') {
        match hole(segment) {
            Some(name) if holes.contains(&name) => found.push(name),
            None if !segment.is_empty()
                && segment != "."
                && segment != ".."
                && !segment.contains(['{', '}']) => {}
            _ => {
                let what = match segment {
                    "" => "it has an empty segment".to_owned(),
                    other => format!("\"{}\" can't stand in it", clean(other)),
                };
                return Err((what, expected));
            }
        }
    }
    match holes.first() {
        Some(first) if !found.contains(first) => {
            Err((format!("{{{first}}} is missing in it"), expected))
        }
        _ => Ok(()),
    }
}
