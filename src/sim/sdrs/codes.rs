//! The error codes that this service answers with, each with its nominal HTTP status and message (SDRS API
//! reference, error codes). In a job or a failed task the same code stands inside a 200 answer.

use serde_json::{Value, json};

/// One row of the vendor's table.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// As on the wire.
    pub code: &'static str,
    /// The HTTP status of a call that is refused with it.
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
        pub const ALL: &[&Code] = &[$($name),*];
    };
}

codes! {
    PROJECT = "SDRS.0001", 400, "Invalid tenant ID";
    PERMISSION = "SDRS.0004", 400, "Incorrect API invoking permissions";
    PARAMETER = "SDRS.0201", 400, "Invalid request parameters";
    NAME = "SDRS.0202", 400, "Invalid name";
    ZONE = "SDRS.0203", 400, "Invalid AZ";
    VPC = "SDRS.0204", 400, "Invalid VPC";
    DOMAIN = "SDRS.0205", 400, "Invalid domain ID";
    ACTION = "SDRS.0206", 400, "Invalid action";
    GROUP_ID = "SDRS.0207", 400, "Invalid protection group ID";
    INSTANCE_ID = "SDRS.0208", 400, "Invalid protected instance ID";
    STATUS = "SDRS.0209", 400, "Incorrect status";
    SERVER_ID = "SDRS.0210", 400, "Invalid server ID";
    DISK_ID = "SDRS.0211", 400, "Invalid disk ID";
    DESCRIPTION = "SDRS.0212", 400, "Invalid description";
    PAIR_ID = "SDRS.0213", 400, "Invalid replication pair ID";
    PAIR_STATUS = "SDRS.0214", 400, "Incorrect replication pair status";
    DR_TYPE = "SDRS.0217", 400, "Invalid DR drill type";
    IP_ADDRESS = "SDRS.0219", 400, "Invalid IP address";
    LIMIT = "SDRS.0221", 400, "limit value must be greater than 0 or less than 1000";
    OFFSET = "SDRS.0222", 400, "offset value cannot be negative, and must be an integer";
    NIC_ID = "SDRS.0223", 400, "Invalid NIC ID";
    TOO_MANY_IDS = "SDRS.0226", 400, "IDs exceed the upper limit";
    GROUP_QUOTA = "SDRS.0305", 400, "Insufficient protection group quota";
    PAIR_QUOTA = "SDRS.0306", 400, "Insufficient replication pair quota";
    HAS_INSTANCE = "SDRS.1001", 400, "Protection group deletion not allowed due to a protected instance";
    GROUP_STATE = "SDRS.1002", 400, "Operation not allowed for the protection group in the current state";
    HAS_DRILL = "SDRS.1003", 400, "Protection group deletion not allowed due to a DR drill";
    HAS_PAIR = "SDRS.1010", 400, "Protection group deletion not allowed due to a replication pair";
    DOMAIN_QUERY = "SDRS.1011", 500, "Failed to query the active-active domain";
    NO_GROUP = "SDRS.1013", 400, "Protection group not found";
    GROUP_DELETE = "SDRS.1016", 500, "Failed to delete the protection group";
    START = "SDRS.1027", 400, "Failed to enable protection";
    REVERSE = "SDRS.1029", 400, "Failed to perform the planned failover";
    FAILOVER = "SDRS.1030", 400, "Failed to perform the failover";
    REPROTECT = "SDRS.1032", 400, "Failed to enable protection again";
    INSTANCE_DELETE_STATE = "SDRS.1301", 400, "Protected instance deletion not allowed in the current state";
    SERVER_ZONE = "SDRS.1303", 400, "Server AZ and production site AZ of the protection group are different";
    SERVER_VPC = "SDRS.1304", 400, "VPC of the server inconsistent with that of the protection group";
    SERVER_USED = "SDRS.1305", 400, "Server already used to create a protected instance";
    NO_NIC = "SDRS.1310", 400, "NIC not exist";
    PRIMARY_NIC = "SDRS.1311", 400, "Deleting the primary NIC not allowed";
    INSTANCE_ABNORMAL = "SDRS.1314", 400, "Abnormal protected instance";
    SERVER_RUNS = "SDRS.1316", 400, "Server not stopped";
    SITE_SERVER_RUNS = "SDRS.1319", 400, "Server at the current production site not stopped";
    NO_INSTANCE = "SDRS.1320", 400, "Protected instance not found";
    NO_DISK = "SDRS.1321", 400, "No disk attached to the server";
    NO_SERVER = "SDRS.1326", 400, "Server not found";
    NIC_STATE = "SDRS.1327", 400, "NIC-related operation not allowed for the protected instance state in the current state";
    INSTANCE_STATE = "SDRS.1328", 400, "Operation not allowed because the protected instance status not available";
    SERVER_STATE = "SDRS.1333", 400, "Operation not allowed because the server status is not active or shutoff";
    IP_TAKEN = "SDRS.1334", 400, "Private IP address in the subnet is in use";
    NIC_LIMIT = "SDRS.1340", 400, "Number of NICs for one protected instance reaches the upper limit";
    SAME_FLAVOR = "SDRS.1341", 400, "Another flavor must be used for resizing";
    DR_SERVER_RUNS = "SDRS.1342", 400, "Current DR site server is not stopped";
    PRODUCTION_SERVER_RUNS = "SDRS.1352", 400, "Current production site server not stopped";
    GROUP_FULL = "SDRS.1358", 400, "Number of protected instances in the protection group reaches the upper limit";
    SERVER_LOCKED = "SDRS.1359", 400, "Production site server locked by another cloud service";
    BATCH_SERVER = "SDRS.1360", 400, "Invalid production site server ID in servers";
    BATCH_TWICE = "SDRS.1361", 400, "Duplicate production site server ID in servers";
    BATCH_LONG = "SDRS.1362", 400, "Number of servers exceeds the upper limit";
    BATCH_DELETE_TWICE = "SDRS.1363", 400, "Duplicate protected instance ID";
    BATCH_GROUPS = "SDRS.1364", 400, "Protected instances belong to different protection groups";
    ATTACHED = "SDRS.1603", 400, "Replication pair attached or device name used to attach to a disk";
    NOT_ATTACHED = "SDRS.1604", 400, "Replication pair not attached";
    PAIR_ATTACHED = "SDRS.1605", 400, "Replication pair attached";
    NO_PAIR = "SDRS.1608", 400, "Replication pair not found";
    OTHER_GROUP = "SDRS.1611", 400, "Replication pair not in the protection group";
    DISK_STATUS = "SDRS.1801", 400, "Disk status not available";
    ENCRYPTED = "SDRS.1802", 400, "Disk encrypted";
    DISK_TYPE = "SDRS.1806", 400, "Operation not allowed by disk type";
    DISK_ZONE = "SDRS.1810", 400, "Current production site AZ of the disk different from that of the protection group";
    DISK_USED = "SDRS.1811", 400, "Disk already used by a replication pair";
    DISK_GONE = "SDRS.1817", 400, "Operation cannot be performed because the disk of the replication pair is not in the available or in-use state";
    EXPAND = "SDRS.1820", 400, "Failed to expand the capacity";
    ATTACH = "SDRS.1821", 400, "Failed to attach the replication pair";
    DETACH = "SDRS.1822", 400, "Failed to detach the replication pair";
    SYSTEM_ERROR = "SDRS.1823", 400, "Operation not allowed due to a system error";
    SYSTEM_ERROR_LINK = "SDRS.1824", 400, "Operation not allowed due to a system error";
    TOO_MANY_PAIRS = "SDRS.1826", 400, "Replication pairs not attached to protected instances to the upper limit";
    SYNCHRONIZING = "SDRS.1830", 400, "Operation not allowed because replication pairs in this protection group are synchronizing data";
    DISK_LOCKED = "SDRS.1831", 400, "Disk locked";
    EXPAND_LOCKED = "SDRS.1832", 400, "Failed to expand the capacity because a disk in the replication pair is locked";
    DRILL_ID = "SDRS.1900", 400, "Invalid DR drill ID";
    NO_DRILL = "SDRS.1902", 400, "DR drill not found";
    SNAPSHOT = "SDRS.1905", 500, "Failed to create a volume using the snapshot";
    DRILL_VPC = "SDRS.1907", 400, "Drill VPC conflicts with the VPC of the protection group";
    DRILL_DELETE_STATE = "SDRS.1913", 400, "DR drill deletion not allowed in the current state";
    DRILL_VPC_USED = "SDRS.1921", 400, "Drill VPC is already used for creating a DR drill";
    NO_VPC = "SDRS.1928", 400, "Failed to find the VPC";
    VPC_QUOTA = "SDRS.1929", 400, "Insufficient VPC quota";
    TAG_ACTION = "SDRS.2201", 400, "action only create or delete";
    NO_TAGS = "SDRS.2202", 400, "Empty tag list";
    TOO_MANY_TAGS = "SDRS.2203", 400, "Number of tags exceeds the upper limit";
    TAG_KEY = "SDRS.2204", 400, "Invalid tag key";
    TAG_KEY_EMPTY = "SDRS.2205", 400, "Tag key is blank or an empty string";
    NO_TAG = "SDRS.2206", 404, "Specified tag key is not found";
    TAG_VALUE = "SDRS.2207", 400, "Invalid tag value";
    TAG_VALUE_NULL = "SDRS.2208", 400, "Null tag value";
    TAG_TWICE = "SDRS.2209", 400, "Tag parameter contains duplicate keys";
    QUERY_ACTION = "SDRS.2210", 400, "action can be set to only filter or count";
    COUNT_PAGED = "SDRS.2211", 400, "limit and offset are not supported when action is set to count";
    MATCHES_EMPTY = "SDRS.2212", 400, "Empty matches parameter";
    MATCHES_KEY_EMPTY = "SDRS.2213", 400, "Empty key in the matches parameter";
    MATCHES_KEY = "SDRS.2214", 400, "Invalid key in the matches parameter";
    MATCHES_TWICE = "SDRS.2215", 400, "Duplicate keys in the matches parameter";
    MATCHES_NULL = "SDRS.2216", 400, "Null value in the matches parameter";
    TOO_MANY_VALUES = "SDRS.2218", 400, "Number of values exceeds the upper limit";
    VALUE_TWICE = "SDRS.2219", 400, "Value list of the same key has duplicate values";
    TAG_LIMIT = "SDRS.2220", 400, "Minimum and maximum values of limit are 1 and 1000 respectively";
}

/// A disk that was created ended broken: the disk service's own code, as failed tasks pass it on.
pub const DISK_ERROR: &Code = &Code {
    code: "EVS.2024",
    http: 500,
    message: "volume is error!",
};

/// A call that is refused, before it is dressed as this service dresses errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub http: u16,
    /// The code as text.
    pub code: String,
    /// The message.
    pub message: String,
    /// The key around both.
    pub wrapper: &'static str,
}

impl From<&'static Code> for Refusal {
    fn from(code: &'static Code) -> Self {
        Self {
            http: code.http,
            code: code.code.to_owned(),
            message: code.message.to_owned(),
            wrapper: "error",
        }
    }
}

impl Refusal {
    /// The error body.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({self.wrapper: {"message": self.message, "code": self.code}})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sim and catalog were written apart from each other: they must tell the same story.
    #[test]
    fn every_code_is_in_the_catalog_with_the_same_status() {
        let catalog = |text: &str| -> toml::Table { text.parse().expect("TOML") };
        let sdrs = catalog(include_str!("../../../assets/catalog/sdrs.toml"));
        let evs = catalog(include_str!("../../../assets/catalog/evs.toml"));
        let known: Vec<(String, i64)> = [sdrs, evs]
            .iter()
            .flat_map(|table| table["entry"].as_array().expect("entries").clone())
            .filter_map(|entry| {
                Some((
                    entry.get("code")?.as_str()?.to_owned(),
                    entry.get("http_status")?.as_integer()?,
                ))
            })
            .collect();
        for code in ALL.iter().chain([&DISK_ERROR]) {
            assert!(
                known.contains(&(code.code.to_owned(), i64::from(code.http))),
                "{code:?}"
            );
        }
    }
}
