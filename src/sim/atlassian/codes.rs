//! The published errors, row by row, and refusals: with a code where one is published, in a shape of our own choosing
//! where none is.

use serde_json::{Value, json};

use crate::sim::http::Response;
use crate::sim::world::World;

/// One row of the published list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// HTTP status.
    pub status: u16,
    /// `errorCode`, text made of digits.
    pub code: &'static str,
    /// `errorMessage` with its holes.
    pub template: &'static str,
}

const fn row(status: u16, code: &'static str, template: &'static str) -> Row {
    Row {
        status,
        code,
        template,
    }
}

/// Create policy: the product has one already.
pub(super) const POLICY_EXISTS: Row = row(
    409,
    "127",
    "Backup Policy already exists with orgId: {} cloudId: {} product: {PRODUCT}",
);
/// Create policy, and a backup or restore of what is gone.
pub(super) const NO_PRODUCT: Row = row(422, "103", "{PRODUCT} is not present in cloud site {}");
/// A backup's id that is none.
pub(super) const NO_BACKUP: Row = row(
    400,
    "108",
    "The backupId : {} is invalid or does not belong to operation Backup",
);
/// Create restore: one is open.
pub(super) const RESTORE_EXISTS: Row = row(
    409,
    "137",
    "A restore request for this product already exists",
);
/// A restore's id that is none.
pub(super) const NO_RESTORE: Row = row(
    400,
    "120",
    "The restoreId : {} is invalid or does not belong to operation Restore",
);
/// Create storage: the name is taken.
pub(super) const STORAGE_NAME: Row = row(409, "128", "Conflicting Storage name = {}");
/// Create storage, and a backup to a bucket whose role does not fit any more.
pub(super) const ROLE: Row = row(
    400,
    "130",
    "Incorrect principalTag = {} or roleIdentifier = {}",
);
/// Create storage: not in that region.
pub(super) const REGION: Row = row(
    400,
    "133",
    "Storage region = {} is not eligible for the org:{} and cloud: {}",
);
/// Create storage: the bucket can't be used.
pub(super) const BUCKET: Row = row(
    400,
    "142",
    "Validation failed for storage creation for bucketName = {} and basePath = {} and region = {}",
);
/// A storage that is not there.
pub(super) const NO_STORAGE: Row = row(404, "129", "Storage Details not found for storageId = {}");
/// Export details of a backup, or import: nothing exported yet.
pub(super) const NO_EXPORT: Row = row(404, "131", "No COMPLETED export found for backup = {}");
/// Initiate export: one runs. 400, though a restore that runs is 409.
pub(super) const EXPORT_RUNS: Row = row(400, "140", "Export Already in Progress");
/// An export whose backup is gone.
pub(super) const EXPORT_BACKUP: Row = row(404, "113", "BackupId not found for exportId = {}");
/// An export's id that is none.
pub(super) const EXPORT_JOB: Row = row(
    404,
    "110",
    "Brie job=EXPORT with externalId={exportId} is not present",
);
/// An export of another site.
pub(super) const EXPORT_SITE: Row = row(
    404,
    "112",
    "Invalid cloudId={} for job=EXPORT with externalId={exportId}",
);
/// An import whose backup is gone.
pub(super) const IMPORT_BACKUP: Row = row(404, "113", "BackupId not found for importId = {}");
/// An import's id that is none.
pub(super) const IMPORT_JOB: Row = row(
    404,
    "110",
    "Brie job=IMPORT with externalId={importId} is not present",
);
/// An import of another site.
pub(super) const IMPORT_SITE: Row = row(
    404,
    "112",
    "Invalid cloudId={} for job=IMPORT with externalId={importId}",
);
/// No report, or not yet.
pub(super) const NO_REPORT: Row = row(
    404,
    "143",
    "Post operation report not available for migration = {}",
);

/// All rows in the order of the document.
#[cfg(test)]
const ALL: [Row; 19] = [
    POLICY_EXISTS,
    NO_PRODUCT,
    NO_BACKUP,
    RESTORE_EXISTS,
    NO_RESTORE,
    STORAGE_NAME,
    ROLE,
    REGION,
    BUCKET,
    NO_STORAGE,
    NO_EXPORT,
    EXPORT_RUNS,
    EXPORT_BACKUP,
    EXPORT_JOB,
    EXPORT_SITE,
    IMPORT_BACKUP,
    IMPORT_JOB,
    IMPORT_SITE,
    NO_REPORT,
];

impl Row {
    /// The message with its holes filled in order.
    #[must_use]
    pub fn text(self, values: &[&str]) -> String {
        let mut out = String::new();
        let mut values = values.iter();
        let mut rest = self.template;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let (hole, after) = after.split_once('}').unwrap_or((after, ""));
            match values.next() {
                Some(value) => out.push_str(value),
                None => {
                    out.push('{');
                    out.push_str(hole);
                    out.push('}');
                }
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }

    /// The refusal with its holes filled in order.
    #[must_use]
    pub fn with(self, values: &[&str]) -> Refusal {
        Refusal {
            status: self.status,
            row: Some(self),
            message: self.text(values),
        }
    }
}

/// A request that is turned down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    row: Option<Row>,
    message: String,
}

/// What most calls give.
pub(super) type Answer = Result<Response, Refusal>;

impl Refusal {
    /// A refusal for which nobody published a code; status and words are ours.
    #[must_use]
    pub fn ours(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            row: None,
            message: message.into(),
        }
    }

    /// A field that is missing or can't be read (400, no code published).
    #[must_use]
    pub fn field(name: &str, why: &str) -> Self {
        Self::ours(400, format!("{name} {why}"))
    }

    /// As it travels.
    #[must_use]
    pub fn response(&self, world: &World) -> Response {
        let Some(row) = self.row else {
            return uncoded(world, self.status, &self.message);
        };
        let message = if world.switches.on("atlassian.unfilled_holes") {
            row.template
        } else {
            &self.message
        };
        let code = match world.switches.get("atlassian.error_code_type") {
            "number" => row.code.parse::<u32>().map_or(Value::Null, Value::from),
            _ => row.code.into(),
        };
        Response::json(
            self.status,
            &json!({"errorCode": code, "errorMessage": message}),
        )
    }
}

/// A refusal without a published code. Whether such answers (often a gateway's) have a body, and which, is not known.
pub(super) fn uncoded(world: &World, status: u16, message: &str) -> Response {
    match world.switches.get("atlassian.uncoded_body") {
        "empty" => Response::empty(status),
        "html" => Response::raw(
            status,
            "text/html; charset=utf-8",
            format!(
                "<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
            ),
        ),
        "error" => Response::json(
            status,
            &json!({"errorCode": status.to_string(), "errorMessage": message}),
        ),
        _ => Response::json(status, &json!({"code": status, "message": message})),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_are_those_of_the_catalog() {
        let catalog: toml::Table = include_str!("../../../assets/catalog/atlassian.toml")
            .parse()
            .expect("TOML");
        let entries = catalog["entry"].as_array().expect("entries");
        let errors: Vec<_> = entries
            .iter()
            .filter(|entry| entry["class"].as_str() == Some("error"))
            .map(|entry| {
                (
                    entry["http_status"].as_integer().expect("a status"),
                    entry["code"].as_str().expect("a code"),
                    entry["message_template"].as_str().expect("a template"),
                )
            })
            .collect();
        let ours: Vec<_> = ALL
            .iter()
            .map(|row| (i64::from(row.status), row.code, row.template))
            .collect();
        assert_eq!(errors, ours);
    }

    #[test]
    fn holes_are_filled_in_order() {
        assert_eq!(
            POLICY_EXISTS.text(&["o", "c", "JIRA"]),
            "Backup Policy already exists with orgId: o cloudId: c product: JIRA"
        );
        assert_eq!(
            EXPORT_SITE.text(&["c", "e{}"]),
            "Invalid cloudId=c for job=EXPORT with externalId=e{}"
        );
        assert_eq!(NO_EXPORT.text(&[]), NO_EXPORT.template);
        assert_eq!(RESTORE_EXISTS.text(&["x"]), RESTORE_EXISTS.template);
    }
}
