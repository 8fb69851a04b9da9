//! The error codes that this service answers with, each with its HTTP status and message, letter for letter
//! (CBR API reference of the Open Telekom Cloud, error codes; 1001, 1003, 1009: that of Huawei Cloud, in words of ours,
//! as its table could be read only in part).

use serde_json::{Value, json};

use crate::sim::http::Response;

/// One row of the vendor's table.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// As on the wire.
    pub code: &'static str,
    /// The HTTP status it comes with.
    pub http: u16,
    /// The message.
    pub message: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $http:literal, $message:literal;)*) => {
        $(
            #[doc = concat!($code, ", HTTP ", stringify!($http))]
            pub const $name: &Code = &Code { code: $code, http: $http, message: $message };
        )*
        /// All of them.
        #[cfg(test)]
        pub const ALL: &[&Code] = &[$($name),*];
    };
}

codes! {
    NOTHING = "BackupService.0001", 400, "No resource is available for backup.";
    VAULT_RUNNING = "BackupService.1001", 400, "The vault is being backed up.";
    COPY_NOT_ECS = "BackupService.1003", 400, "The backup is not an ECS backup and cannot be replicated.";
    COPY_REGION = "BackupService.1005", 500, "The destination region does not support replication.";
    COPY_IMPORT = "BackupService.1006", 500, "Failed to import the backup replica.";
    COPY_EXISTS = "BackupService.1009", 400, "A replica of the backup exists or is being created in the destination region.";
    COPY_PROJECT = "BackupService.1011", 400, "The destination project does not support replication.";
    TARGET_SMALL = "BackupService.2001", 400, "Restoration cannot be executed because the size of the disk on the server is smaller than the backup size.";
    TARGET_BACKED_UP = "BackupService.2002", 400, "The resource is being backed up. Restore the resource after the backup is complete.";
    OTHER_SERVER = "BackupService.2003", 400, "Restoration to a different server is not allowed.";
    BACKUP_STATUS = "BackupService.2005", 400, "Restoration is not allowed in the current backup status.";
    TARGET_TERMINATED = "BackupService.2007", 400, "A terminated ECS cannot be restored.";
    TARGET_STATUS = "BackupService.2008", 400, "Restoration is not allowed in the current ECS status.";
    TARGET_DISK_TYPE = "BackupService.2009", 400, "Restoration is not allowed in the current disk type.";
    RESTORING = "BackupService.2010", 400, "The resource is being restored.";
    TARGET_DISK_STATUS = "BackupService.2011", 400, "Restoration is not allowed in the current disk status.";
    SOME_DISKS = "BackupService.2012", 400, "Restoration of some disks is not allowed.";
    DATA_TO_SYSTEM = "BackupService.2013", 400, "Backup data of a data disk cannot be restored to a system disk.";
    NO_POLICY = "BackupService.6000", 404, "The policy does not exist.";
    POLICY_LIMIT = "BackupService.6001", 400, "The maximum number of this type of policies has been reached.";
    NOT_APPLIED = "BackupService.6002", 404, "The vault is not applied with the policy.";
    REGION_FIXED = "BackupService.6003", 400, "The destination region cannot be changed because the policy has been applied to a replication vault.";
    RESOURCE_LIMIT = "BackupService.6100", 400, "The maximum number of vault resources has been reached.";
    CAPACITY = "BackupService.6101", 400, "Invalid vault capacity.";
    WRONG_TYPE = "BackupService.6102", 400, "The vault does not support this resource type.";
    IN_A_VAULT = "BackupService.6103", 400, "The resource has been associated with a vault.";
    DUPLICATE = "BackupService.6104", 400, "Duplicate vault resources.";
    NO_VAULT = "BackupService.6105", 404, "The vault does not exist.";
    VAULT_STATUS = "BackupService.6112", 400, "Invalid vault status.";
    NOT_IN_THIS_STATUS = "BackupService.6113", 400, "Backup is not allowed in the current vault status.";
    VAULT_FULL = "BackupService.6114", 400, "The used capacity of the vault exceeds the maximum capacity.";
    REMOVE_FAILED = "BackupService.6115", 400, "Failed to delete the backups of vault resources.";
    RESOURCE_TYPE = "BackupService.6116", 400, "Unsupported resource type.";
    POLICY_TYPE = "BackupService.6117", 400, "Unknown policy type.";
    TARGET_VAULT_TYPE = "BackupService.6119", 400, "The destination vault does not support replication.";
    NO_TARGET_VAULT = "BackupService.6120", 400, "The destination vault does not exist.";
    VAULT_DELETE_FAILED = "BackupService.6121", 400, "Vault deletion failed.";
    COPY_TYPE = "BackupService.6122", 400, "The resource type does not support replication.";
    EXPANDING = "BackupService.6123", 400, "Capacity expansion failed. There may be unprocessed capacity expansion orders or capacity expansion is in progress.";
    NO_BACKUP_VAULT = "BackupService.6124", 400, "Backup is not allowed for the current type of vaults.";
    TASK_RUNNING = "BackupService.6125", 400, "A backup task is in progress.";
    POLICY_MISFIT = "BackupService.6127", 400, "This policy cannot be applied to this vault.";
    VAULT_NOT_COPIED = "BackupService.6128", 400, "Replication is not allowed for the current type of vaults.";
    TARGET_VAULT_FULL = "BackupService.6129", 400, "The maximum capacity of the destination vault has been reached.";
    COPYING = "BackupService.6130", 400, "The vault is being replicated.";
    VAULT_LIMIT = "BackupService.6133", 400, "The maximum number of vaults has been reached.";
    REMOVING = "BackupService.6134", 400, "Resources are being removed from the vault.";
    NOT_IN_VAULT = "BackupService.6135", 400, "The resource does not exist in the vault.";
    TWO_VAULTS = "BackupService.6137", 500, "One disk on cloud servers cannot be backed up in multiple vaults.";
    NO_BACKUP = "BackupService.6200", 404, "The backup does not exist.";
    NOT_DELETED = "BackupService.6201", 400, "The backup cannot be deleted.";
    RESTORE_VAULT_STATUS = "BackupService.6202", 400, "Backups can be used for restoration only when the vault status is Available.";
    BACKING_UP = "BackupService.6203", 400, "Performing backups.";
    HAS_IMAGE = "BackupService.6204", 400, "The backup cannot be deleted because it has been used to create an image.";
    RESOURCE_STATUS = "BackupService.6215", 400, "Backup is not allowed in the current resource status.";
    IN_USE = "BackupService.6216", 400, "The backup cannot be deleted because it is in use.";
    NO_CHECKPOINT = "BackupService.6217", 404, "The backup restore point does not exist.";
    LOCKED = "BackupService.6220", 400, "Automatic backups in the locked repository are prohibited from being manually deleted.";
    NO_RESOURCE = "BackupService.6302", 404, "The resource does not exist.";
    NO_LOG = "BackupService.6500", 404, "Operation log does not exist.";
    TOO_MANY_TAGS = "BackupService.6600", 400, "The maximum number of tags has been reached for the resource.";
    NO_TAG = "BackupService.6601", 404, "The key does not exist.";
    SHARE_TYPE = "BackupService.6700", 400, "Only cloud server backups can be shared.";
    SHARE_LIMIT = "BackupService.6701", 400, "The maximum number of backups that can be shared has been reached.";
    SHARE_STATUS = "BackupService.6702", 400, "Only backups in the Available status can be shared.";
    SHARED_ALREADY = "BackupService.6703", 400, "The backup has been shared.";
    SHARE_PROJECT = "BackupService.6704", 400, "Invalid project ID of the tenant for sharing.";
    NO_MEMBER = "BackupService.6705", 404, "The share member does not exist.";
    MEMBER_VALUE = "BackupService.6706", 400, "Invalid update parameter value for the share member.";
    SHARE_ENCRYPTED = "BackupService.6709", 400, "Backup sharing is not allowed for cloud servers using encrypted disks.";
    SHARE_VAULT_TYPE = "BackupService.6713", 400, "The type of the vault accepting the shared backup and the backup resource type are different.";
    NO_DISK = "BackupService.7000", 404, "The disk does not exist.";
    DESS_DISK = "BackupService.7001", 400, "DESS disks cannot be backed up.";
    DISK_STATUS = "BackupService.7003", 400, "Backup is not allowed in the current disk status.";
    DISK_IN_VAULT = "BackupService.7006", 400, "The disk already exists in the vault.";
    NO_SERVER = "BackupService.7100", 404, "The server does not exist.";
    SERVER_STATUS = "BackupService.7101", 400, "Backup is not allowed in the current server status.";
    SERVER_STOPPED = "BackupService.7102", 400, "The server has stopped.";
    SHARED_DISK = "BackupService.7106", 400, "Shared disks cannot be backed up.";
    SHARED_DISKS = "BackupService.7107", 400, "The maximum number of shared disks has been reached.";
    NO_DISKS = "BackupService.7108", 400, "Backup is not allowed for servers containing no disks.";
    DESS_SERVER = "BackupService.7111", 400, "Backup is not allowed for servers using DESS disks.";
    SERVER_IN_VAULT = "BackupService.7116", 400, "The server has been associated with the vault.";
    NOT_ATTACHED = "BackupService.7201", 400, "The disk is not attached to any server.";
    SNAPSHOTS = "BackupService.8300", 400, "Insufficient snapshot quota.";
    BAD_PARAMETER = "BackupService.9900", 400, "Parameter verification failed.";
    UNKNOWN = "BackupService.9910", 500, "Unknown error.";
    SIGN_IN = "BackupService.9998", 500, "Authentication failed.";
}

impl Code {
    /// This code with the vendor's message.
    #[must_use]
    pub fn plain(&'static self) -> Refusal {
        self.saying(self.message)
    }

    /// This code with other words: the real service fills ids in, and names what a bad parameter was.
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
    /// The message.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Sim and catalog were written apart from each other: they must tell the same story.
    #[test]
    fn every_code_is_in_the_catalog_with_the_same_status() {
        let catalog: toml::Table = include_str!("../../../assets/catalog/cbr.toml")
            .parse()
            .expect("TOML");
        let entries = catalog["entry"].as_array().expect("entries");
        for code in ALL {
            assert!(
                entries.iter().any(|entry| {
                    entry.get("code").and_then(toml::Value::as_str) == Some(code.code)
                        && entry.get("http_status").and_then(toml::Value::as_integer)
                            == Some(i64::from(code.http))
                }),
                "{code:?}"
            );
        }
        let mut names: Vec<&str> = ALL.iter().map(|code| code.code).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}
