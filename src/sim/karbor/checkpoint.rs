//! Checkpoints: what a run of a plan left in the bank.

use std::sync::Arc;

use chrono::DateTime;
use serde_json::{Map, Value, json};

use super::plan::{Resource, Snapshot};
use super::{body, tag};
use crate::sim::ids::Ids;

/// Where a checkpoint, a restore or a verification stands; operation logs use the same words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Status {
    Protecting,
    Available,
    Error,
    Deleting,
    Deleted,
    ErrorDeleting,
    WaitCopying,
    Copying,
    InProgress,
    Success,
    Fail,
}

impl Status {
    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Protecting => "protecting",
            Self::Available => "available",
            Self::Error => "error",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
            Self::ErrorDeleting => "error-deleting",
            Self::WaitCopying => "wait_copying",
            Self::Copying => "copying",
            Self::InProgress => "in_progress",
            Self::Success => "success",
            Self::Fail => "fail",
        }
    }
}

/// A thing in a checkpoint's graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// What it is.
    pub resource: Resource,
    /// What the disk service says of a disk that nobody named in the plan.
    pub zone: Option<String>,
    /// The nodes that hang on it.
    pub children: Vec<usize>,
}

/// What a checkpoint holds: the plan's resources and what hangs on them, children before their parents.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Graph(pub Vec<Node>);

impl Graph {
    /// The nodes of one type.
    pub fn of(&self, kind: &str) -> impl Iterator<Item = &Node> {
        self.0.iter().filter(move |node| node.resource.kind == kind)
    }

    /// As a checkpoint shows it: a JSON text with the nodes by number, and which hang on which.
    pub fn text(&self) -> String {
        let mut nodes = Map::new();
        let mut adjacency = Vec::new();
        for (index, node) in self.0.iter().enumerate() {
            let it = &node.resource;
            let extra = match &node.zone {
                Some(zone) => json!({"availability_zone": zone}),
                None => it.extra.as_deref().map_or(Value::Null, Value::from),
            };
            nodes.insert(number(index), json!([it.kind, it.id, it.name, extra]));
            if !node.children.is_empty() {
                let children: Vec<String> =
                    node.children.iter().map(|child| number(*child)).collect();
                adjacency.push(json!([number(index), children]));
            }
        }
        body::dumps(&json!([nodes, adjacency]))
    }
}

fn number(index: usize) -> String {
    format!("{index:#x}")
}

/// A checkpoint.
#[derive(Debug)]
pub(super) struct Checkpoint {
    /// The plan as it was.
    pub plan: Arc<Snapshot>,
    /// What it holds; nothing until its run is prepared.
    pub graph: Option<Arc<Graph>>,
    /// When it was made, in microseconds since 1970.
    pub created: i64,
    /// Where it stands.
    pub status: Status,
    /// Whether the backup of some disk in it was never made, or is gone.
    pub lacking: bool,
    /// Whether it came of copying another one.
    pub copy: bool,
}

impl Checkpoint {
    /// The day on which it was made, which is all that the service tells of the time.
    pub fn day(&self) -> String {
        let at = DateTime::from_timestamp_micros(self.created).unwrap_or_default();
        at.format("%Y-%m-%d").to_string()
    }

    /// More about it, as the JSON text that it is.
    fn extra(&self) -> Value {
        if !self.copy {
            return r#"{"created_by": "manual"}"#.into();
        }
        match self.status {
            Status::Available => r#"{"copy_status": "finished"}"#.into(),
            _ => json!({}),
        }
    }

    /// As it is shown.
    pub fn to_json(&self, number: usize, ids: Ids, project: &str) -> Value {
        json!({
            "id": ids.uuid(tag::CHECKPOINT, number as u64), "project_id": project, "status": self.status.word(),
            "protection_plan": self.plan.to_json(ids, true),
            "resource_graph": self.graph.as_ref().map(|graph| graph.text()),
            "created_at": self.day(), "extra_info": self.extra(),
        })
    }

    /// As the answer to making it shows it: before anything about its run is known.
    pub fn fresh_json(&self, number: usize, ids: Ids, project: &str) -> Value {
        json!({
            "id": ids.uuid(tag::CHECKPOINT, number as u64), "project_id": project, "status": "protecting",
            "protection_plan": self.plan.to_json(ids, false), "resource_graph": null, "created_at": null,
            "extra_info": self.extra(),
        })
    }
}
