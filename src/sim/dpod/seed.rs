//! The plans that are there when the simulation starts.

use chrono::TimeDelta;

use super::device::centre;
use super::plan::{Action, Activity, Family, Plan};
use super::{Dpod, what};
use crate::sim::world::World;

fn activity(action: Action, devices: impl Into<String>, domains: &str, quiesce: bool) -> Activity {
    Activity {
        action,
        devices: devices.into(),
        domains: domains.to_owned(),
        quiesce,
        halt: None,
        scripts: true,
        post_always: true,
        pre_script: true,
    }
}

impl Dpod {
    /// Furnishes the service when the world is furnished.
    pub(super) fn seed(&mut self, world: &mut World) {
        if !world.options.furnished || self.site.devices.is_empty() {
            return;
        }
        let secure = Action::SecureBackup;
        let export = Action::ExportDomain;
        for number in 0..self.site.devices.len().div_ceil(3) {
            let name = centre(number);
            let all = format!("dpgw-{name}-*");
            let minute = u32::try_from(60 + number * 25 % 240).unwrap_or(60);
            self.add(
                world,
                &format!("{name}-secure-nightly"),
                "Whole gateways, out of service one after the other",
                Some(minute),
                vec![activity(secure, all.as_str(), "", true)],
            );
            self.add(
                world,
                &format!("{name}-domains-nightly"),
                "",
                Some((minute + 720) % 1440),
                vec![activity(export, all, "*", false)],
            );
        }
        self.add(
            world,
            "payments-everywhere",
            "Before the card schemes' reports",
            Some(335),
            vec![activity(export, "*", "payments", false)],
        );
        let number = self.add(
            world,
            "orders-quiet-export",
            "Quiesces the orders domain for the time of the export",
            Some(150),
            vec![activity(
                export,
                "dpgw-fra-*,dpgw-nyc-*",
                "orders,partners",
                true,
            )],
        );
        self.change(number, |plan| plan.halt = true);
        self.add(
            world,
            "old-edge-gateways",
            "The gateways of the former edge zone",
            Some(215),
            vec![activity(export, "dpgw-edge-*", "*", false)],
        );
        let number = self.add(
            world,
            "weekend-full",
            "Only at night",
            None,
            vec![activity(secure, "dpgw-fra-*", "", true)],
        );
        self.change(number, |plan| plan.window = Some((22 * 60, 4 * 60)));
        let number = self.add(
            world,
            "quarterly-archive",
            "Not used since the last audit",
            Some(1),
            vec![activity(export, "*", "*", false)],
        );
        self.change(number, |plan| plan.enabled = false);
        for (name, description) in [
            ("fra-to-nyc-sync", "Keeps the second centre the same"),
            ("lab-sync", ""),
        ] {
            let number = self.add(world, name, description, Some(30), Vec::new());
            self.change(number, |plan| plan.family = Family::Sync);
        }
        for (name, firmware, devices) in [
            ("lab-firmware-10.5.0.12", "10.5.0.12", "dpgw-lab-*"),
            ("fra-firmware-back-10.5.0.8", "10.5.0.8", "dpgw-fra-01"),
        ] {
            let activities = vec![activity(secure, devices, "", false)];
            let number = self.add(world, name, "", None, activities);
            self.change(number, |plan| {
                plan.family = Family::Firmware;
                firmware.clone_into(&mut plan.firmware);
                plan.reference = plan.reference.to_uppercase();
            });
        }
        if world.switches.on("dpod.duplicate_names") {
            let activities = vec![activity(export, "dpgw-lab-*", "default", false)];
            self.add(
                world,
                "payments-everywhere",
                "Another one",
                None,
                activities,
            );
        }
        if world.switches.on("dpod.odd_references") {
            for (name, reference) in [
                ("with-blanks", "nightly of the lab"),
                ("with-slash", "lab/nightly"),
                ("with-signs", "100%25 ?#ü"),
            ] {
                let activities = vec![activity(export, "dpgw-fra-01", "default", false)];
                let number = self.add(world, name, "", None, activities);
                self.change(number, |plan| reference.clone_into(&mut plan.reference));
            }
        }
        for number in 0..self.plans.len() {
            self.arm(world, number);
        }
    }

    fn add(
        &mut self,
        world: &mut World,
        name: &str,
        description: &str,
        minute: Option<u32>,
        activities: Vec<Activity>,
    ) -> usize {
        let ago = TimeDelta::hours(world.rng.i64(24..20_000));
        self.plans.push(Plan {
            id: self.plans.len() as u64 + 3,
            family: Family::Backup,
            name: name.to_owned(),
            description: description.to_owned(),
            reference: world.uuid(),
            enabled: true,
            minute,
            window: None,
            halt: false,
            activities,
            firmware: String::new(),
            scripts: true,
            pre_script: true,
            updated: (world.now() - ago).timestamp_millis(),
        });
        self.plans.len() - 1
    }

    fn change(&mut self, number: usize, how: impl FnOnce(&mut Plan)) {
        if let Some(plan) = self.plans.get_mut(number) {
            how(plan);
        }
    }

    /// Makes a plan wait for its next time.
    pub(super) fn arm(&self, world: &mut World, number: usize) {
        let next = self
            .plans
            .get(number)
            .and_then(|plan| plan.next(world.now()));
        if let Some(at) = next {
            world.schedule(self.service, at, what::FIRE, number as u64);
        }
    }
}
