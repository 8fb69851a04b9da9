//! A vault as it comes, with the resources in it.

use serde::Deserialize;

use super::known::{Holder, Known};
use crate::connect::decode::{Flag, Float, Int, Loose, Raw, Text, Time, raw_text};
use crate::model::{Device, Policy, Timestamp};

/// The single answer.
#[derive(Deserialize)]
pub(super) struct OneVault<'a> {
    #[serde(borrow)]
    pub vault: VaultRow<'a>,
}

/// A row of the list (CBR API reference, querying vaults). Its status stands in `billing`.
#[derive(Deserialize)]
pub(super) struct VaultRow<'a> {
    #[serde(borrow, default)]
    pub id: Text<'a>,
    #[serde(borrow, default)]
    pub name: Text<'a>,
    #[serde(borrow, default)]
    description: Text<'a>,
    #[serde(default)]
    created_at: Time,
    #[serde(default)]
    auto_bind: Flag,
    #[serde(default)]
    locked: Flag,
    #[serde(borrow, default)]
    pub billing: Loose<Billing<'a>>,
    #[serde(borrow, default)]
    resources: Loose<Vec<Raw<'a>>>,
}

#[derive(Deserialize, Default)]
pub(super) struct Billing<'a> {
    #[serde(borrow, default)]
    pub status: Text<'a>,
    /// In GB.
    #[serde(default)]
    size: Float,
    /// In GB.
    #[serde(default)]
    allocated: Float,
    /// In MB.
    #[serde(default)]
    used: Float,
    #[serde(borrow, default)]
    object_type: Text<'a>,
    #[serde(borrow, default)]
    pub protect_type: Text<'a>,
    #[serde(borrow, default)]
    frozen_scene: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct ResourceRow<'a> {
    #[serde(borrow, default)]
    pub id: Text<'a>,
    #[serde(borrow, default)]
    pub name: Text<'a>,
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    pub protect_status: Text<'a>,
    /// In GB.
    #[serde(default)]
    size: Float,
    /// In MB.
    #[serde(default)]
    backup_size: Float,
    #[serde(default)]
    backup_count: Int,
    #[serde(default)]
    pub auto_protect: Flag,
}

impl Billing<'_> {
    /// The status says that nothing in it is safe from now on.
    fn faulty(&self) -> bool {
        matches!(self.status.as_str(), "error" | "frozen")
    }

    /// Size counts in GB, use in MB.
    pub(super) fn is_full(&self) -> bool {
        self.size
            .0
            .zip(self.used.0)
            .is_some_and(|(size, used)| size > 0.0 && used >= size * 1024.0)
    }

    fn room(&self) -> String {
        match (self.used.0, self.size.0) {
            (Some(used), Some(size)) if size > 0.0 => format!(
                "{:.1} of {size} GB used ({:.0} %)",
                used / 1024.0,
                used / (size * 1024.0) * 100.0
            ),
            (Some(used), _) => format!("{:.1} GB used", used / 1024.0),
            _ => String::new(),
        }
    }
}

impl<'a> VaultRow<'a> {
    pub(super) fn billing(&self) -> &Billing<'a> {
        static NONE: std::sync::LazyLock<Billing<'static>> =
            std::sync::LazyLock::new(Billing::default);
        self.billing.0.as_ref().unwrap_or(&NONE)
    }

    /// The resources with their records; ones without an id are passed over.
    pub(super) fn resources(&self) -> impl Iterator<Item = (ResourceRow<'a>, Raw<'a>)> {
        self.resources.0.iter().flatten().filter_map(|raw| {
            let row: ResourceRow<'a> = serde_json::from_str(raw.get()).ok()?;
            (!row.id.is_empty()).then_some((row, *raw))
        })
    }

    /// True for a vault that only takes copies from another region: what is in it is not backed up there.
    pub(super) fn takes_copies_only(&self) -> bool {
        self.billing().protect_type.as_str() == "replication"
    }

    pub(super) fn label(&self) -> &str {
        self.name.or(self.id.as_str())
    }

    pub(super) fn holder(&self) -> Holder {
        Holder {
            id: self.id.owned(),
            name: self.label().to_owned(),
            devices: self.resources().map(|(r, _)| r.id.owned()).collect(),
        }
    }

    /// The vault as a policy: what a run works on.
    pub(super) fn policy(&self, raw: Raw<'_>, known: &Known) -> Policy {
        let b = self.billing();
        let on: Vec<String> = known
            .policies_on(self.id.as_str())
            .iter()
            .map(|p| p.label().to_owned())
            .collect();
        let holder = self.holder();
        let mut facts = Vec::new();
        let mut add = |label, value: String| {
            if !value.is_empty() {
                facts.push((label, value));
            }
        };
        add("Room", b.room());
        if b.is_full() {
            add(
                "Full",
                "new backups fail until there is room (BackupService.6114)".into(),
            );
        }
        add("Holds", b.object_type.owned());
        add("Sort", b.protect_type.owned());
        add("Resources", holder.devices.len().to_string());
        if let Some(gb) = b.allocated.0 {
            add("Size of its resources", format!("{gb} GB"));
        }
        add("Frozen because of", b.frozen_scene.owned());
        if self.auto_bind.is_true() {
            add("Binds by itself", "resources with its tags".into());
        }
        if self.locked.is_true() {
            add(
                "Locked",
                "for ever: automatic backups can't be deleted before they expire".into(),
            );
        }
        add("Description", self.description.owned());
        add(
            "Created",
            self.created_at
                .0
                .map_or_else(String::new, Timestamp::rfc3339),
        );
        Policy {
            id: holder.id,
            name: holder.name,
            what: "vault",
            native_status: b.status.owned(),
            enabled: None,
            faulty: b.faulty(),
            protected_now: false,
            schedule: if on.is_empty() {
                "no policy: backed up by hand only".into()
            } else {
                format!("by policy {}", on.join(", "))
            },
            next_run: None,
            device_ids: holder.devices,
            facts,
            raw: raw_text(raw),
            ..Policy::default()
        }
    }

    /// Its resources as devices.
    pub(super) fn devices<'s>(&'s self, known: &'s Known) -> impl Iterator<Item = Device> + 's {
        self.resources()
            .map(|(row, raw)| self.device(&row, raw, known))
    }

    fn device(&self, row: &ResourceRow<'_>, raw: Raw<'_>, known: &Known) -> Device {
        let mut facts = vec![
            ("Vault", self.label().to_owned()),
            ("Vault id", self.id.owned()),
            ("Type", row.kind.owned()),
        ];
        let vault = self.billing().status.as_str();
        if !matches!(vault, "" | "available") {
            facts.push(("Vault status", vault.to_owned()));
        }
        if let Some(gb) = row.size.0 {
            facts.push(("Size", format!("{gb} GB")));
        }
        if let Some(n) = row.backup_count.0 {
            let mb = row.backup_size.0.unwrap_or_default();
            facts.push(("Backups", format!("{n}, {:.1} GB", mb / 1024.0)));
        }
        if row.auto_protect.0 == Some(false) {
            facts.push(("Automatic backup", "paused for this resource".into()));
        }
        let mut policy_ids: Vec<String> = known
            .policies_on(self.id.as_str())
            .into_iter()
            .map(|p| p.id)
            .collect();
        policy_ids.push(self.id.owned());
        Device {
            id: row.id.owned(),
            name: row.name.or(row.id.as_str()).to_owned(),
            what: what(row.kind.as_str()),
            native_status: row.protect_status.owned(),
            faulty: row.protect_status.as_str() == "error" || self.billing().faulty(),
            policy_ids,
            last_success: known.good(row.id.as_str()),
            facts,
            raw: raw_text(raw),
            ..Device::default()
        }
    }
}

pub(super) fn what(kind: &str) -> &'static str {
    match kind {
        "OS::Nova::Server" | "OS::Native::Server" => "server",
        "OS::Ironic::BareMetalServer" => "bare metal server",
        "OS::Cinder::Volume" => "disk",
        "OS::Sfs::Turbo" => "file system",
        "OS::Workspace::DesktopV2" => "desktop",
        _ => "resource",
    }
}
