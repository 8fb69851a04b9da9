//! DPOD, IBM's DataPower Operations Dashboard: plans that back gateways up, and scripts that are told how it goes.
//!
//! | file | what |
//! | --- | --- |
//! | `door` | Basic, roles, the lock-out |
//! | `device`, `plan`, `execution`, `task` | the nouns |
//! | `plan_calls` | the six calls |
//! | `firmware` | how a firmware plan runs |
//! | `walk` | a backup task's way through the status codes |
//! | `script` | what the scripts are told |
//! | `codes`, `switches` | the codes; the choices that the documents leave open |
//! | `seed`, `past` | what it starts with; what its scripts were told before |
//! | `traffic`, `control` | what others do meanwhile; its part of `/_sim/` |
//!
//! Three lists of plans and three executes are all that the documented interface has for maintenance. Nothing lists
//! gateways or tasks, tells a status, cancels, or edits a plan: every other path answers 404. What runs and how it
//! ended is told to scripts before and after plans and tasks, and here to the hook.

mod codes;
mod control;
mod device;
mod door;
mod execution;
mod firmware;
mod past;
mod plan;
mod plan_calls;
mod script;
mod seed;
mod switches;
mod task;
mod traffic;
mod walk;

use std::collections::{BTreeMap, VecDeque};

use chrono::TimeDelta;

use self::device::Site;
use self::door::{Door, USERS, page};
use self::execution::Execution;
use self::plan::{Family, Plan};
use self::task::Task;
use super::dialect::{Dialect, DialectEntry, ServiceId};
use super::http::{Request, Response};
use super::queue::Event;
use super::service::AuthLine;
use super::tls::SELF_SIGNED;
use super::world::World;

/// The line in the list of dialects.
pub const ENTRY: DialectEntry = DialectEntry {
    kind: "dpod",
    name: "gateways",
    path: "",
    catalog: None,
    auth: |world| {
        let [operator, ..] = &USERS;
        let line = AuthLine::new("basic")
            .text("username", operator.name)
            .secret("password", operator.password);
        match world.switches.get("dpod.tls") {
            "none" => line,
            _ => line.shows(&SELF_SIGNED),
        }
    },
    switches: switches::ALL,
    make: |world, service| Box::new(Dpod::new(world, service)),
};

/// What a due event asks for; see [`Event::what`].
mod what {
    pub const FIRE: u32 = 0;
    pub const EXECUTION: u32 = 1;
    pub const DISPATCH: u32 = 2;
    pub const TASK: u32 = 3;
    pub const LONG: u32 = 4;
    pub const DAY: u32 = 5;
    pub const WINDOW: u32 = 6;
    pub const TRAFFIC: u32 = 7;
    pub const MEND: u32 = 8;
    pub const EXECUTE: u32 = 9;
}

/// The service.
struct Dpod {
    service: ServiceId,
    door: Door,
    site: Site,
    plans: Vec<Plan>,
    executions: VecDeque<Execution>,
    tasks: BTreeMap<u64, Task>,
    next_execution: u64,
    next_task: u64,
    traffic: traffic::Traffic,
}

impl Dpod {
    fn new(world: &mut World, service: ServiceId) -> Self {
        let mut dpod = Self {
            service,
            door: Door::default(),
            site: device::site(world),
            plans: Vec::new(),
            executions: VecDeque::new(),
            tasks: BTreeMap::new(),
            next_execution: 211,
            next_task: 1304,
            traffic: traffic::Traffic::default(),
        };
        dpod.seed(world);
        dpod.remember(world);
        dpod.start_traffic(world);
        dpod
    }

    /// Has something happen after so many milliseconds.
    fn later(&self, world: &mut World, millis: i64, what: u32, id: u64) {
        let millis = millis.clamp(0, 1 << 40);
        world.schedule_in(self.service, TimeDelta::milliseconds(millis), what, id);
    }

    /// A duration around the mean of a switch, in milliseconds; shorter in a world in a hurry.
    fn seconds(&self, world: &mut World, switch: &str) -> i64 {
        if let Some(millis) = self.traffic.in_a_hurry() {
            return millis;
        }
        let mean = world.switches.number(switch).clamp(0.0, 1e9);
        (mean * 1000.0 * (0.6 + 0.8 * world.rng.f64())) as i64
    }
}

impl Dialect for Dpod {
    fn handle(&mut self, world: &mut World, request: &Request) -> Response {
        if let Err(refusal) = self.door.enter(world, request) {
            return refusal;
        }
        let (method, path) = request.route();
        let ["op", "api", "v1", family, rest @ ..] = path.as_slice() else {
            return page(world, 404, "Not Found");
        };
        let Some(family) = Family::ALL.into_iter().find(|it| it.path() == *family) else {
            return page(world, 404, "Not Found");
        };
        match (method, rest) {
            // The documents write the path with its slash at the end.
            ("GET", [])
                if request.raw_path.ends_with('/')
                    || world.switches.get("dpod.bare_list") == "served" =>
            {
                self.list_plans(world, family)
            }
            ("POST", [reference, "execute"]) => self.execute_plan(world, family, reference),
            _ => page(world, 404, "Not Found"),
        }
    }

    fn event(&mut self, world: &mut World, event: Event) {
        let number = usize::try_from(event.id).unwrap_or(usize::MAX);
        match event.what {
            what::FIRE => {
                self.enqueue(world, number);
                self.arm(world, number);
            }
            what::EXECUTE => {
                self.enqueue(world, number);
            }
            what::EXECUTION => self.execution_step(world, event.id),
            what::DISPATCH => self.dispatch(world),
            what::TASK => self.task_step(world, event.id),
            what::LONG => self.too_long(world, event.id),
            what::DAY => self.day_passed(world, event.id),
            what::WINDOW => self.window_closed(world, event.id),
            what::TRAFFIC => self.make_traffic(world),
            what::MEND => self.mend(event.id),
            _ => {}
        }
    }

    fn control(&mut self, world: &mut World, path: &[&str], request: &Request) -> Response {
        self.control_call(world, path, request)
    }

    fn fault(&self, world: &World, _request: &Request, status: u16) -> Response {
        page(world, status, "Injected")
    }
}
