//! Which policies cover which devices, by the word of either side.

use hashbrown::HashMap;

use super::Store;
use super::changed::FieldSet;
use super::slots::Slots;
use super::symbols::{Sym, Symbols};
use crate::model::{Device, Policy, ServiceId};
use crate::query::Field;

/// Who says so.
const DEVICE_SAYS: u8 = 1;
const POLICY_SAYS: u8 = 2;

/// Pairs of device and policy with who says that they belong together.
#[derive(Default)]
pub(super) struct Links {
    pairs: HashMap<(u32, u32), u8>,
}

impl Links {
    fn add(
        &mut self,
        devices: &mut Slots<Device>,
        policies: &mut Slots<Policy>,
        (device, policy): (u32, u32),
        says: u8,
    ) {
        let who = self.pairs.entry((device, policy)).or_insert(0);
        if *who == 0 {
            if let Some(slot) = devices.get_mut(device) {
                slot.related.push(policy);
            }
            if let Some(slot) = policies.get_mut(policy) {
                slot.related.push(device);
            }
        }
        *who |= says;
    }

    fn remove(
        &mut self,
        devices: &mut Slots<Device>,
        policies: &mut Slots<Policy>,
        (device, policy): (u32, u32),
        says: u8,
    ) {
        let Some(who) = self.pairs.get_mut(&(device, policy)) else {
            return;
        };
        *who &= !says;
        if *who == 0 {
            self.pairs.remove(&(device, policy));
            if let Some(slot) = devices.get_mut(device) {
                slot.related.retain(|p| *p != policy);
            }
            if let Some(slot) = policies.get_mut(policy) {
                slot.related.retain(|d| *d != device);
            }
        }
    }
}

fn rows<T>(
    slots: &mut Slots<T>,
    symbols: &mut Symbols,
    service: ServiceId,
    ids: &[String],
) -> Vec<u32> {
    ids.iter()
        .filter(|id| !id.is_empty())
        .map(|id| slots.refer(service, symbols.intern(id), Sym::EMPTY))
        .collect()
}

impl Store {
    /// Notes which policies a device names, in place of those it named before.
    pub(super) fn relate_device(
        &mut self,
        service: ServiceId,
        row: u32,
        before: &[String],
        now: &[String],
    ) {
        if before == now {
            return;
        }
        for policy in rows(&mut self.policies, &mut self.symbols, service, before) {
            self.policy_changes
                .note_reckoned(policy, FieldSet::of(Field::Device));
            self.links.remove(
                &mut self.devices,
                &mut self.policies,
                (row, policy),
                DEVICE_SAYS,
            );
        }
        for policy in rows(&mut self.policies, &mut self.symbols, service, now) {
            self.policy_changes
                .note_reckoned(policy, FieldSet::of(Field::Device));
            self.links.add(
                &mut self.devices,
                &mut self.policies,
                (row, policy),
                DEVICE_SAYS,
            );
        }
    }

    /// Notes which devices a policy names, in place of those it named before.
    pub(super) fn relate_policy(
        &mut self,
        service: ServiceId,
        row: u32,
        before: &[String],
        now: &[String],
    ) {
        if before == now {
            return;
        }
        for device in rows(&mut self.devices, &mut self.symbols, service, before) {
            self.device_changes
                .note_reckoned(device, FieldSet::of(Field::Policy));
            self.links.remove(
                &mut self.devices,
                &mut self.policies,
                (device, row),
                POLICY_SAYS,
            );
        }
        for device in rows(&mut self.devices, &mut self.symbols, service, now) {
            self.device_changes
                .note_reckoned(device, FieldSet::of(Field::Policy));
            self.links.add(
                &mut self.devices,
                &mut self.policies,
                (device, row),
                POLICY_SAYS,
            );
        }
    }
}
