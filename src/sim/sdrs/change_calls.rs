//! Calls that change a protected instance: network cards, flavors, attaching and detaching pairs.

use serde_json::Value;

use super::Sdrs;
use super::codes;
use super::group_calls::one;
use super::job::Step;
use super::query::{self, Answer};
use super::status::{self, ERROR_RESIZING};
use super::work::Work;
use crate::sim::http::Request;
use crate::sim::world::World;

/// How many network cards an instance has at most, the primary one included.
const NICS: usize = 12;

impl Sdrs {
    /// `POST /protected-instances/{id}/nic`.
    pub fn add_nic(&mut self, world: &mut World, id: &str, request: &Request) -> Answer {
        let key = self.instance_key(world, id)?;
        let body = query::body(request)?;
        query::text(&body, "subnet_id", codes::PARAMETER)?;
        let address = query::optional(&body, "ip_address", codes::IP_ADDRESS)?.map(str::to_owned);
        let instance = self.calm_instance(world, key, &[], codes::NIC_STATE)?;
        if instance.nics.len() + 1 >= NICS {
            return Err(codes::NIC_LIMIT.into());
        }
        if let Some(address) = &address {
            self.free_address(world, address)?;
        }
        let nic = world.uuid();
        let mut entities = one("protected_instance_id", id);
        entities.insert("nic_id".into(), nic.as_str().into());
        let work = Work::NicAdd(key, nic, address);
        let job = self.begin(world, work, entities, vec![Step::hidden(12)])?;
        self.accept(200, job)
    }

    /// `POST /protected-instances/{id}/nic/delete`.
    pub fn delete_nic(&mut self, world: &mut World, id: &str, request: &Request) -> Answer {
        let key = self.instance_key(world, id)?;
        let body = query::body(request)?;
        let nic = query::text(&body, "nic_id", codes::NIC_ID)?.to_owned();
        let instance = self.calm_instance(world, key, &[], codes::NIC_STATE)?;
        if nic == instance.primary_nic {
            return Err(codes::PRIMARY_NIC.into());
        }
        if !instance.nics.iter().any(|known| known.id == nic) {
            return Err(codes::NO_NIC.into());
        }
        let mut entities = one("protected_instance_id", id);
        entities.insert("nic_id".into(), nic.as_str().into());
        let work = Work::NicDelete(key, nic);
        let job = self.begin(world, work, entities, vec![Step::hidden(10)])?;
        self.accept(200, job)
    }

    /// `POST /protected-instances/{id}/resize`.
    pub fn resize(&mut self, world: &mut World, id: &str, request: &Request) -> Answer {
        let key = self.instance_key(world, id)?;
        let body = query::object(request, "resize")?;
        let flavor = |name| query::optional(&body, name, codes::PARAMETER);
        let both = flavor("flavorRef")?;
        let flavors = [
            flavor("production_flavorRef")?.or(both).map(str::to_owned),
            flavor("dr_flavorRef")?.or(both).map(str::to_owned),
        ];
        if flavors.iter().all(Option::is_none) {
            return Err(codes::PARAMETER.into());
        }
        let instance = self.calm_instance(world, key, &[ERROR_RESIZING], codes::INSTANCE_STATE)?;
        let same = flavors
            .iter()
            .zip(&instance.flavors)
            .all(|(wanted, now)| wanted.as_ref().is_none_or(|wanted| wanted == now));
        if same {
            return Err(codes::SAME_FLAVOR.into());
        }
        let entities = one("protected_instance_id", id);
        let steps = vec![Step::hidden(10), Step::hidden(50)];
        let job = self.begin(world, Work::Resize(key, flavors), entities, steps)?;
        self.accept(200, job)
    }

    /// `POST /protected-instances/{id}/attachreplication`.
    pub fn attach_pair(&mut self, world: &mut World, id: &str, request: &Request) -> Answer {
        let key = self.instance_key(world, id)?;
        let body = query::object(request, "replicationAttachment")?;
        let pair_id = query::text(&body, "replication_id", codes::PAIR_ID)?;
        let device = query::text(&body, "device", codes::PARAMETER)?.to_owned();
        let pair_key = self.pair_key(world, pair_id)?;
        let instance = self.calm_instance(world, key, &[], codes::INSTANCE_STATE)?;
        let pair = self.pairs.get(pair_key).ok_or(codes::NO_PAIR)?;
        if pair.group != instance.group {
            return Err(codes::OTHER_GROUP.into());
        }
        let taken = instance.attachment.iter().any(|(_, used)| *used == device);
        if pair.instance.is_some() || taken {
            return Err(codes::ATTACHED.into());
        }
        if !status::CALM.contains(&self.pair_status(world, pair)) {
            return Err(codes::PAIR_STATUS.into());
        }
        let mut entities = one("protected_instance_id", id);
        entities.insert("replication_pair_id".into(), pair_id.into());
        let work = Work::Attach(key, pair_key, device);
        let steps = vec![Step::hidden(5), Step::hidden(12)];
        let job = self.begin(world, work, entities, steps)?;
        self.accept(200, job)
    }

    /// `DELETE /protected-instances/{id}/detachreplication/{pair}`.
    pub fn detach_pair(&mut self, world: &mut World, id: &str, pair_id: &str) -> Answer {
        let key = self.instance_key(world, id)?;
        let pair_key = self.pair_key(world, pair_id)?;
        let instance = self.instances.get(key).ok_or(codes::NO_INSTANCE)?;
        let pair = self.pairs.get(pair_key).ok_or(codes::NO_PAIR)?;
        let group = self.groups.get(instance.group).ok_or(codes::NO_GROUP)?;
        let state = self.pair_status(world, pair);
        // A pair whose attaching failed may hang on nobody: detaching is how it is put right.
        let half = state == status::ERROR_ATTACHING && pair.group == instance.group;
        if pair.instance != Some(key) && !half {
            return Err(codes::NOT_ATTACHED.into());
        }
        if !status::GROUP_FOR_DETACH.contains(&group.status) {
            return Err(codes::GROUP_STATE.into());
        }
        if !status::PAIR_DETACHABLE.contains(&state) {
            return Err(codes::PAIR_STATUS.into());
        }
        let busy = status::moving(instance.status) || instance.status == status::ERROR;
        if busy {
            return Err(codes::INSTANCE_STATE.into());
        }
        let mut entities = one("protected_instance_id", id);
        entities.insert("replication_pair_id".into(), Value::from(pair_id));
        let work = Work::Detach(key, pair_key);
        let steps = vec![Step::hidden(5), Step::hidden(10)];
        let job = self.begin(world, work, entities, steps)?;
        self.accept(200, job)
    }
}
