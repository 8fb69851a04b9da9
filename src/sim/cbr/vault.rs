//! A vault: what it holds, what it may hold, and how it is shown.

use serde_json::{Value, json};

use super::resource::Sort;
use super::time;
use crate::sim::world::World;

/// A vault takes at most so many resources.
pub(super) const MOST_RESOURCES: usize = 256;

/// `billing.status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Available,
    /// Being enlarged.
    Lock,
    Frozen,
    Deleting,
    Error,
}

impl State {
    pub const ALL: [Self; 5] = [
        Self::Available,
        Self::Lock,
        Self::Frozen,
        Self::Deleting,
        Self::Error,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Lock => "lock",
            Self::Frozen => "frozen",
            Self::Deleting => "deleting",
            Self::Error => "error",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// A resource bound to a vault.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    pub id: String,
    pub name: String,
    pub size_gb: u32,
    /// Disks of a server that are not backed up.
    pub exclude: Vec<String>,
    /// Whether scheduled backups take it along.
    pub auto_protect: bool,
    pub backup_mb: u64,
    pub backups: u32,
    /// Backups of it under way.
    pub protecting: u32,
    pub restoring: u32,
    pub removing: bool,
    /// Whether its last backup failed.
    pub failed: bool,
}

impl Bound {
    pub fn new(id: String, name: String, size_gb: u32, exclude: Vec<String>) -> Self {
        Self {
            id,
            name,
            size_gb,
            exclude,
            auto_protect: true,
            backup_mb: 0,
            backups: 0,
            protecting: 0,
            restoring: 0,
            removing: false,
            failed: false,
        }
    }

    /// `protect_status`.
    pub fn status(&self) -> &'static str {
        match self {
            Self { removing: true, .. } => "removing",
            Self { restoring: 1.., .. } => "restoring",
            Self {
                protecting: 1.., ..
            } => "protecting",
            Self { failed: true, .. } => "error",
            _ => "available",
        }
    }

    /// Whether something is being done with it.
    pub fn busy(&self) -> bool {
        self.removing || self.restoring > 0 || self.protecting > 0
    }

    fn extra_info(&self) -> Value {
        match self.exclude.as_slice() {
            [] => json!({}),
            exclude => json!({"exclude_volumes": exclude}),
        }
    }

    fn to_json(&self, sort: Sort, huawei: bool) -> Value {
        let mut row = json!({
            "id": self.id, "name": self.name, "type": sort.resource_type(), "size": self.size_gb,
            "protect_status": self.status(), "backup_size": self.backup_mb, "backup_count": self.backups,
            "extra_info": self.extra_info(),
        });
        if huawei {
            row["auto_protect"] = self.auto_protect.into();
        }
        row
    }

    /// As a checkpoint shows it: sizes and counts as texts there, and what is extra as a text of JSON.
    pub fn in_checkpoint(&self, sort: Sort, texts: bool) -> Value {
        let number = |number: u64| {
            if texts {
                Value::from(number.to_string())
            } else {
                Value::from(number)
            }
        };
        let extra = if texts {
            self.extra_info().to_string().into()
        } else {
            Value::Null
        };
        json!({
            "id": self.id, "name": self.name, "type": sort.resource_type(), "extra_info": extra,
            "protect_status": self.status(), "resource_size": number(self.size_gb.into()),
            "backup_size": number(self.backup_mb), "backup_count": number(self.backups.into()),
        })
    }
}

/// A policy applied to a vault.
#[derive(Debug, Clone)]
pub(super) struct Applied {
    pub policy: u64,
    /// Where a replication policy replicates to.
    pub destination: Option<String>,
    /// From when on reads show it, in microseconds.
    pub shown_from: i64,
}

/// A vault.
#[derive(Debug, Clone)]
pub(super) struct Vault {
    pub name: String,
    pub description: Option<String>,
    pub created: i64,
    pub sort: Sort,
    /// Takes replicas from other regions instead of backups.
    pub replicas: bool,
    pub app_consistent: bool,
    pub size_gb: u64,
    pub used_mb: u64,
    pub state: State,
    /// Automatic backups can't be deleted by hand, for ever.
    pub locked: bool,
    pub auto_bind: bool,
    pub bind_tags: Vec<(String, String)>,
    pub auto_expand: bool,
    pub smn_notify: bool,
    pub threshold: i64,
    pub prefix: Option<String>,
    pub tags: Vec<(String, String)>,
    pub resources: Vec<Bound>,
    pub policies: Vec<Applied>,
    /// Policies that were taken off, until when reads still show them.
    pub fading: Vec<(u64, i64)>,
}

impl Vault {
    pub fn new(name: String, sort: Sort, size_gb: u64, created: i64) -> Self {
        Self {
            name,
            description: None,
            created,
            sort,
            replicas: false,
            app_consistent: false,
            size_gb,
            used_mb: 0,
            state: State::Available,
            locked: false,
            auto_bind: false,
            bind_tags: Vec::new(),
            auto_expand: false,
            smn_notify: true,
            threshold: 80,
            prefix: None,
            tags: Vec::new(),
            resources: Vec::new(),
            policies: Vec::new(),
            fading: Vec::new(),
        }
    }

    pub fn bound(&self, id: &str) -> Option<&Bound> {
        self.resources.iter().find(|bound| bound.id == id)
    }

    pub fn bound_mut(&mut self, id: &str) -> Option<&mut Bound> {
        self.resources.iter_mut().find(|bound| bound.id == id)
    }

    /// Whether it is full.
    pub fn full(&self) -> bool {
        self.used_mb >= self.size_gb * 1024
    }

    /// Size of the resources bound to it, in GB.
    pub fn allocated(&self) -> u64 {
        self.resources
            .iter()
            .map(|bound| u64::from(bound.size_gb))
            .sum()
    }

    /// The numbers of the policies that reads show now.
    pub fn shown_policies(&self, now: i64) -> impl Iterator<Item = (u64, Option<&str>)> {
        let applied = self
            .policies
            .iter()
            .filter(move |one| one.shown_from <= now);
        let fading = self.fading.iter().filter(move |(_, until)| *until > now);
        applied
            .map(|one| (one.policy, one.destination.as_deref()))
            .chain(fading.map(|(policy, _)| (*policy, None)))
    }

    /// As the service shows it.
    pub fn to_json(&self, world: &World, id: &str) -> Value {
        let huawei = super::query::huawei(world);
        let tags = |tags: &[(String, String)]| -> Value {
            let rows = tags.iter();
            rows.map(|(key, value)| json!({"key": key, "value": value}))
                .collect()
        };
        let bind_rules = match self.bind_tags.as_slice() {
            [] => json!({}),
            rules => json!({"tags": tags(rules)}),
        };
        let kind = if self.replicas {
            "replication"
        } else {
            "backup"
        };
        let mut vault = json!({
            "id": id, "name": self.name, "description": self.description, "provider_id": self.sort.provider(),
            "project_id": world.account.project_id, "user_id": world.account.user_id,
            "created_at": time::show(world, self.created), "auto_bind": self.auto_bind, "bind_rules": bind_rules,
            "auto_expand": self.auto_expand, "smn_notify": self.smn_notify, "threshold": self.threshold,
            "locked": self.locked, "tags": tags(&self.tags),
            "enterprise_project_id": if huawei { json!("0") } else { json!(0) },
            "billing": {
                "status": self.state.word(), "size": self.size_gb, "allocated": self.allocated(), "used": self.used_mb,
                "object_type": self.sort.object_type(), "protect_type": kind,
                "spec_code": format!("vault.{kind}.{}.normal", self.sort.object_type()),
                "consistent_level": if self.app_consistent { "app_consistent" } else { "crash_consistent" },
                "charging_mode": "post_paid", "cloud_type": "public",
                "frozen_scene": if self.state == State::Frozen { json!("ARREAR") } else { Value::Null },
                "order_id": null, "product_id": null, "storage_unit": null,
            },
            "resources": self.resources.iter().map(|bound| bound.to_json(self.sort, huawei)).collect::<Vec<_>>(),
        });
        if huawei {
            for (key, value) in [
                ("backup_name_prefix", json!(self.prefix)),
                ("demand_billing", json!(false)),
                ("cbc_delete_count", json!(0)),
                ("frozen", json!(self.state == State::Frozen)),
                ("availability_zone", Value::Null),
                ("sys_lock_source_service", Value::Null),
                ("supplier", json!("public")),
                ("cross_account", json!(false)),
                ("cross_account_urn", Value::Null),
            ] {
                vault[key] = value;
            }
        }
        super::query::dress(world, vault)
    }
}
