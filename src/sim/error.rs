//! What can go wrong when the embedded services start.

use std::io;
use std::path::PathBuf;

/// A reason why the embedded services can't run.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A port can't be taken.
    #[error(
        "the embedded service {name} can't listen on 127.0.0.1:{port}: {source}; choose another --port, or 0 for any"
    )]
    Bind {
        /// The service's name.
        name: String,
        /// The port asked for.
        port: u16,
        /// The system's reason.
        source: io::Error,
    },
    /// The ports run past 65535.
    #[error("--port {port} leaves no room for {services} services below 65536; choose a lower one")]
    PortRange {
        /// The first port.
        port: u16,
        /// How many are needed.
        services: usize,
    },
    /// No service has that kind.
    #[error("there is no embedded service of kind {kind:?}; known are: {known}")]
    Kind {
        /// The kind asked for.
        kind: String,
        /// The kinds that exist.
        known: String,
    },
    /// A switch is unknown or its value is not offered.
    #[error("{0}")]
    Switch(String),
    /// The configuration can't be written.
    #[error("can't write the configuration to {}: {source}; choose a folder that exists and is yours", path.display())]
    WriteConfig {
        /// Where to.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A service's certificate is no good.
    #[error("the embedded services have no usable certificate: {0}")]
    Tls(String),
    /// The ready lines can't be printed, or a signal can't be waited for.
    #[error("the embedded services can't go on: {0}")]
    Io(#[from] io::Error),
}
