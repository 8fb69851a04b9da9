//! Why a job fails: always something in the world. What the service writes about it differs by place: its job error
//! has a text in the language that was asked for, rows and checks have whatever the program met.

/// A cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// Nobody answers at the source's address.
    Unreachable,
    /// The source does not let the backup user in.
    Denied,
    /// The source writes no binary log, though incremental backups are wanted.
    NoBinlog,
    /// The gateway in between is not online.
    Gateway,
    /// The storage for backups does not answer.
    Storage,
    /// Nobody answers at the destination of a restore.
    Destination,
    /// The subscription is over.
    Expired,
}

impl Reason {
    /// The standardised text of a job error.
    pub fn text(self, language: &str) -> &'static str {
        let (en, cn) = match self {
            Self::Unreachable => (
                "Failed to connect to the source database.",
                "连接源数据库失败。",
            ),
            Self::Denied => (
                "The account has no access to the source database.",
                "账号无权访问源数据库。",
            ),
            Self::NoBinlog => (
                "The binary log of the source database is not enabled.",
                "源数据库未开启二进制日志。",
            ),
            Self::Gateway => ("The backup gateway is offline.", "备份网关已离线。"),
            Self::Storage => (
                "Failed to write to the backup storage.",
                "写入备份存储失败。",
            ),
            Self::Destination => (
                "Failed to connect to the destination database.",
                "连接目标数据库失败。",
            ),
            Self::Expired => ("The backup plan has expired.", "备份计划已过期。"),
        };
        if language == "cn" { cn } else { en }
    }

    /// What rows and checks show: the program's own words, uncleaned.
    pub fn raw(self, address: &str) -> String {
        match self {
            Self::Unreachable | Self::Destination => format!(
                "com.mysql.jdbc.exceptions.jdbc4.CommunicationsException: Communications link failure\n\
                 \tCaused by: java.net.ConnectException: Connection refused ({address})"
            ),
            Self::Denied => {
                format!(
                    "java.sql.SQLException: Access denied for user at {address} (using password: YES)"
                )
            }
            Self::NoBinlog => "log_bin is OFF".to_owned(),
            Self::Gateway => "gateway heartbeat lost".to_owned(),
            Self::Storage => "oss put object: 503 Service Unavailable".to_owned(),
            Self::Expired => "instance expired".to_owned(),
        }
    }
}
