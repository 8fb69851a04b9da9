//! The side path `/_sim/…` of this service; a real DPOD has nothing like it.
//!
//! | call | what |
//! | --- | --- |
//! | GET `/_sim/dpod` | users, gateways, plans, names on their way to a lock |
//! | GET `/_sim/dpod/executions` | runs with their tasks and all codes that each went through |
//! | POST `/_sim/dpod/devices/{name}` | any flag of the gateway, `"damage"`: `"hash"`, `"size"`, `"empty"` or null, `"domain"` with any of `"quiesced"`, `"unsaved"`, `"apic"` |
//! | POST `/_sim/dpod/site` | any flag of the site, `"restart": true` |
//! | POST `/_sim/dpod/plans` | `{"name", "activities": […]}` adds a plan (see `plan_of`) |
//! | POST `/_sim/dpod/plans/{name}` | any of `"enabled"`, `"halt"`, `"scripts"`, `"pre_script"`, `"post_always"`, `"task_scripts"`, `"task_pre_script"`, `"window"`: `["HH:MM","HH:MM"]` or null |

use serde_json::{Value, json};

use super::device::Damage;
use super::door::USERS;
use super::plan::{Action, Activity, Family, Plan};
use super::{Dpod, codes};
use crate::sim::control::{refused, unknown};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

impl Dpod {
    pub(super) fn control_call(
        &mut self,
        world: &mut World,
        path: &[&str],
        request: &Request,
    ) -> Response {
        let body = request.json().unwrap_or_default();
        let flag = |name: &str| body.get(name).and_then(Value::as_bool);
        match (request.method.as_str(), path) {
            ("GET", ["dpod"]) => Response::json(200, &self.overview()),
            ("GET", ["dpod", "executions"]) => Response::json(200, &self.executions_json()),
            ("POST", ["dpod", "devices", name]) => {
                let Some(device) = self.site.devices.iter_mut().find(|it| it.name == *name) else {
                    return refused(400, "there is no such gateway");
                };
                for (name, field) in device.flags() {
                    *field = flag(name).unwrap_or(*field);
                }
                if let Some(damage) = body.get("damage") {
                    device.damage = match damage.as_str() {
                        Some("hash") => Some(Damage::Hash),
                        Some("size") => Some(Damage::Size),
                        Some("empty") => Some(Damage::Empty),
                        _ => None,
                    };
                }
                if let Some(name) = body.get("domain").and_then(Value::as_str) {
                    for domain in device.domains.iter_mut().filter(|it| it.name == name) {
                        domain.quiesced = flag("quiesced").unwrap_or(domain.quiesced);
                        domain.unsaved = flag("unsaved").unwrap_or(domain.unsaved);
                        domain.apic = flag("apic").unwrap_or(domain.apic);
                    }
                }
                Response::json(200, &device.to_json())
            }
            ("POST", ["dpod", "site"]) => {
                for (name, field) in self.site.flags() {
                    *field = flag(name).unwrap_or(*field);
                }
                if flag("restart") == Some(true) {
                    self.restart(world);
                }
                Response::json(200, &json!({}))
            }
            ("POST", ["dpod", "plans"]) => match self.plan_of_body(world, &body) {
                Some(plan) => {
                    let answer = json!({"reference": plan.reference, "id": plan.id});
                    self.plans.push(plan);
                    Response::json(200, &answer)
                }
                None => refused(400, "this is no plan"),
            },
            ("POST", ["dpod", "plans", name]) => {
                let Some(plan) = self.plans.iter_mut().find(|plan| plan.name == *name) else {
                    return refused(400, "there is no such plan");
                };
                for (name, field) in [
                    ("enabled", &mut plan.enabled),
                    ("halt", &mut plan.halt),
                    ("scripts", &mut plan.scripts),
                    ("pre_script", &mut plan.pre_script),
                ] {
                    *field = flag(name).unwrap_or(*field);
                }
                for activity in &mut plan.activities {
                    activity.post_always = flag("post_always").unwrap_or(activity.post_always);
                    activity.scripts = flag("task_scripts").unwrap_or(activity.scripts);
                    activity.pre_script = flag("task_pre_script").unwrap_or(activity.pre_script);
                }
                if let Some(window) = body.get("window") {
                    plan.window = minute_of(&window[0]).zip(minute_of(&window[1]));
                }
                Response::json(200, &json!({"reference": plan.reference}))
            }
            _ => unknown(path),
        }
    }

    /// A backup plan from `{"name", "halt", "activities": [{"action", "devices", "domains", "quiesce"}]}`.
    fn plan_of_body(&self, world: &mut World, body: &Value) -> Option<Plan> {
        let text = |value: &Value, key: &str| value.get(key)?.as_str().map(str::to_owned);
        let mut activities = Vec::new();
        for it in body.get("activities")?.as_array()? {
            activities.push(Activity {
                action: match it.get("action")?.as_str()? {
                    "secureBackup" => Action::SecureBackup,
                    "exportDomain" => Action::ExportDomain,
                    _ => return None,
                },
                devices: text(it, "devices")?,
                domains: text(it, "domains").unwrap_or_else(|| "*".to_owned()),
                quiesce: it.get("quiesce").and_then(Value::as_bool).unwrap_or(false),
                halt: it.get("halt").and_then(Value::as_bool),
                scripts: true,
                post_always: true,
                pre_script: true,
            });
        }
        Some(Plan {
            id: self.plans.len() as u64 + 3,
            family: Family::Backup,
            name: text(body, "name")?,
            description: String::new(),
            reference: world.uuid(),
            enabled: true,
            minute: None,
            window: None,
            halt: body.get("halt").and_then(Value::as_bool).unwrap_or(false),
            activities,
            firmware: String::new(),
            scripts: true,
            pre_script: true,
            updated: world.now().timestamp_millis(),
        })
    }

    /// DPOD is restarted: it loses track of secure backups that go on on their gateways, and downloads nothing.
    fn restart(&mut self, world: &World) {
        self.site.restarted = world.now().timestamp_millis() + 1;
        for task in self.tasks.values() {
            if task.is_at_work()
                && task.status == codes::SECURE
                && let Some(device) = task.device.and_then(|it| self.site.devices.get_mut(it))
            {
                device.lost_backup = true;
            }
        }
    }

    fn overview(&self) -> Value {
        let plans: Vec<Value> = self
            .plans
            .iter()
            .map(|plan| {
                json!({
                    "id": plan.id, "family": plan.family.path(), "name": plan.name, "reference": plan.reference,
                    "enabled": plan.enabled,
                })
            })
            .collect();
        let users: Vec<Value> = USERS
            .iter()
            .map(|user| json!({"name": user.name, "password": user.password, "role": user.role}))
            .collect();
        let failures: Value = self
            .door
            .failures()
            .map(|(name, count)| (name.to_owned(), Value::from(count)))
            .collect::<serde_json::Map<String, Value>>()
            .into();
        json!({
            "users": users, "plans": plans, "failures": failures,
            "devices": self.site.devices.iter().map(super::device::Device::to_json).collect::<Vec<_>>(),
            "running": self.tasks.values().filter(|task| task.is_at_work()).count(),
        })
    }
}

/// The minute of the day of `HH:MM`.
fn minute_of(value: &Value) -> Option<u32> {
    let (hour, minute) = value.as_str()?.split_once(':')?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}
