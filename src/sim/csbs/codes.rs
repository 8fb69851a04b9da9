//! The error codes that this service answers with, each with its HTTP status and message template, letter for letter
//! (CSBS API reference, error codes).

use serde_json::{Value, json};

use crate::sim::http::Response;

/// One row of the vendor's table.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// As on the wire.
    pub code: &'static str,
    /// The HTTP status it comes with.
    pub http: u16,
    /// The message, with `%s`, `%(name)s` or `{name}` where something is filled in.
    pub template: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $http:literal, $template:literal;)*) => {
        $(
            #[doc = concat!($code, ", HTTP ", stringify!($http))]
            pub const $name: &Code = &Code { code: $code, http: $http, template: $template };
        )*
        /// All of them.
        #[cfg(test)]
        pub const ALL: &[&Code] = &[$($name),*];
    };
}

codes! {
    POLICY_LIMIT = "CSBS.0001", 400, "Service over limit";
    MANUAL_RUNNING = "CSBS.1001", 500, "The policy is executing backup.";
    ITEM_BUSY = "CSBS.2003", 400, "item in executing";
    PLAN_BUSY = "CSBS.2004", 400, "item in plan executing";
    NO_POLICY = "CSBS.3000", 404, "plan not found";
    NO_BACKUP = "CSBS.3001", 404, "Checkpoint_item (%s) is not found.";
    NOT_RESTORABLE = "CSBS.4000", 400, "checkpoint item not available";
    COPYING = "CSBS.5001", 500, "copy executing";
    CANT_STOP_POLICY = "CSBS.5001", 500, "Scheduel operation status can't be set unable";
    NO_SERVER = "CSBS.6000", 400, "server do not exist";
    SERVER_GONE = "CSBS.6001", 400, "The server has stopped.";
    PROTECT_TYPE = "CSBS.6003", 400, "Resource (%s) type (%s) is not support protection.";
    SERVER_BOUND = "CSBS.6004", 400, "Server (%s) is already in service.";
    SERVER_BUSY = "CSBS.6005", 400, "Server (%s) is already in service.";
    SERVER_STATUS = "CSBS.6006", 400, "Server (%s) status (%s) is not allowed to protect.";
    NO_DISK = "CSBS.6007", 400, "No volume attached to the server (%s) for protect.";
    SHARED_DISK = "CSBS.6010", 400, "Volume (%s) attached to server (%s) is shareable volume.";
    RESTORE_TYPE = "CSBS.6013", 400, "Resource (%s) type (%s) is not support restoration.";
    DISK_ELSEWHERE = "CSBS.6014", 400, "Volume(s) (%s) not found in target server.";
    SERVER_RESTORING = "CSBS.6015", 400, "The server is restoring.";
    DISK_BACKUP_ELSEWHERE = "CSBS.6017", 400, "Can not find backup(s) (%s) in checkpoint item (%s).";
    PARTIAL_RESTORE = "CSBS.6018", 400, "Not assign backup(s) (%s) to volume(s), partial restore is not supported.\"";
    OTHER_TYPE = "CSBS.6019", 500, "The source server (%s) type (%s) is not the same as the target server (%s) type (%s).";
    NO_DISK_RESTORE = "CSBS.6020", 400, "No volume attached to the server (%s) for restore.";
    SHARED_DISK_RESTORE = "CSBS.6021", 400, "Volume (%s) attached to server (%s) is shareable volume.";
    DATA_TO_SYSTEM = "CSBS.6023", 500, "Can not restore data volume to system volume. server id is (%s).";
    DISK_TOO_SMALL = "CSBS.6024", 400, "Target volume (%s) size (%s) small than volume backup (%s) size (%s).";
    ZONE_RESTORE = "CSBS.6025", 400, "The AZ of local checkpoint item (%s) is not support to restore the resource (%s).";
    ZONE = "CSBS.6027", 400, "The AZ where the resource (%s) is located does not support backup.";
    AUTO_RUNNING = "CSBS.6030", 500, "auto plan executing";
    COPY_RUNNING = "CSBS.6031", 400, "manual copy executing";
    NOTHING_TO_BACK_UP = "CSBS.6032", 500, "plan has no resource backup";
    DSS = "CSBS.6033", 400, "Service type of volume %s(belong to server %s) is dss.";
    DESS = "CSBS.6034", 400, "Service type of volume %s(belong to server %s) is dess.";
    TOO_MANY_TAGS = "CSBS.7000", 400, "request tags exceed the max allowed count: %s.";
    NO_TAG = "CSBS.7001", 404, "The backup tag does not exist.";
    HAS_IMAGE = "CSBS.8007", 400, "The backup {checkpoint_item_id} has register to image, can't be delete";
    COPY_REGION = "CSBS.8012", 500, "The destination region %(destination_region) is not supported.";
    POLICY_COPYING = "CSBS.8014", 500, "The policy is replicating to {region}.";
    COPIED = "CSBS.8015", 500, "Backup %(backup_id)s no need to replicate to %(region)s, the replication record status is: %(record_status)s.";
    COPY_STATUS = "CSBS.8021", 400, "The checkpoint item %(backup_id)s not support replicate. item status: %(backup_status)s.";
    BAD_PARAMETER = "CSBS.9001", 400, "provider invalid";
    QUOTA = "CSBS.9006", 400, "Quota exceeded for resources: %s";
    DUPLICATE_NAME = "CSBS.9007", 400, "duplicate service name";
    UNVERIFIED = "CSBS.9009", 403, "User is unverified.";
    UNAVAILABLE = "CSBS.9998", 500, "System not support";
    INTERNAL = "CSBS.9999", 500, "%s failed";
    MIGRATED = "BackupService.4003", 400, "Your data has been migrated successfully. Go to the CBR console page for further operations. The current page will no longer provide services.";
    CLOSED = "BackupService.4008", 400, "This service is available for existing users only. If you are new users, go to CBR Console to use Cloud Backup and Recovery.";
}

impl Code {
    /// This code with its template's places filled in order.
    #[must_use]
    pub fn with(&'static self, values: &[&str]) -> Refusal {
        Refusal {
            code: self,
            message: fill(self.template, values),
        }
    }

    /// This code as it is.
    #[must_use]
    pub fn plain(&'static self) -> Refusal {
        self.with(&[])
    }

    /// This code with words of our own, where the vendor gives none that say what is wrong.
    #[must_use]
    pub fn saying(&'static self, message: impl Into<String>) -> Refusal {
        Refusal {
            code: self,
            message: message.into(),
        }
    }
}

/// A code with its message: why something is refused or has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which.
    pub code: &'static Code,
    /// The message, filled in.
    pub message: String,
}

impl Refusal {
    /// `{"error_code","error_msg"}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"error_code": self.code.code, "error_msg": self.message})
    }
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        Self::json(refusal.code.http, &refusal.to_json())
    }
}

/// Puts the values into a template's places, in order; places without a value stay as they are.
#[must_use]
pub fn fill(template: &str, values: &[&str]) -> String {
    let mut out = String::with_capacity(template.len() + 64);
    let mut values = values.iter();
    let mut rest = template;
    while let Some(at) = rest.find(['%', '{']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let length = place(from);
        let (hole, after) = from.split_at(length.max(1));
        match (length, values.len()) {
            (0, _) | (_, 0) => out.push_str(hole),
            _ => out.push_str(values.next().copied().unwrap_or(hole)),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// How long the place at the start of the text is; 0 when there is none.
fn place(text: &str) -> usize {
    if text.starts_with("%s") {
        return 2;
    }
    if text.starts_with("%(") {
        let end = text.find(')').map_or(0, |end| end + 1);
        // One template of the vendor lacks the closing `s`.
        let closed = text.get(end..).is_some_and(|after| after.starts_with('s'));
        return end + usize::from(closed);
    }
    match text.find('}') {
        Some(end) if text.starts_with('{') => end + 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled() {
        assert_eq!(
            SHARED_DISK.with(&["v", "s"]).message,
            "Volume (v) attached to server (s) is shareable volume."
        );
        assert_eq!(
            HAS_IMAGE.with(&["i"]).message,
            "The backup i has register to image, can't be delete"
        );
        assert_eq!(
            COPIED.with(&["b", "r", "ok"]).message,
            "Backup b no need to replicate to r, the replication record status is: ok."
        );
        assert_eq!(
            COPY_REGION.with(&["mars"]).message,
            "The destination region mars is not supported."
        );
        assert_eq!(fill("100% {", &["x"]), "100% {");
        assert_eq!(fill("%s %s", &["%s"]), "%s %s");
    }

    /// Sim and catalog were written apart from each other: they must tell the same story.
    #[test]
    fn every_code_is_in_the_catalog_with_the_same_status_and_message() {
        let catalog: toml::Table = include_str!("../../../assets/catalog/csbs.toml")
            .parse()
            .expect("TOML");
        let entries = catalog["entry"].as_array().expect("entries");
        for code in ALL {
            let text = |entry: &toml::Value, key: &str| {
                entry
                    .get(key)
                    .and_then(toml::Value::as_str)
                    .unwrap_or("")
                    .to_owned()
            };
            assert!(
                entries.iter().any(|entry| {
                    text(entry, "code") == code.code
                        && entry.get("http_status").and_then(toml::Value::as_integer)
                            == Some(i64::from(code.http))
                        && (text(entry, "message_template") == code.template)
                }),
                "{code:?}"
            );
        }
    }
}
