//! From what the operator wants to the exact calls.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Sdrs;
use super::actions::legal_group_states;
use super::retry::reverse;
use super::wire::Object;
use crate::connect::http::Call;
use crate::model::{Danger, Fault, FaultKind, Intent, Prepared, RequestPreview};

/// What to wait for between two calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wait {
    /// The resource is gone.
    Gone(Object, String),
    /// The resource is in one of these states.
    Status(Object, String, &'static [&'static str]),
}

/// One call and what follows it.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// The call.
    pub call: Call,
    /// What has to hold before the next call.
    pub wait: Option<Wait>,
}

impl Step {
    /// A call that answers with a job.
    pub const fn job(call: Call) -> Self {
        Self { call, wait: None }
    }

    /// A call after which something has to happen first.
    pub const fn gone(call: Call, wait: Wait) -> Self {
        Self {
            call,
            wait: Some(wait),
        }
    }

    fn then(&self) -> String {
        match &self.wait {
            None => String::new(),
            Some(Wait::Gone(object, _)) => format!("wait until the {} is gone", object.name()),
            Some(Wait::Status(object, _, states)) => {
                format!(
                    "wait until the {} is {}",
                    object.name(),
                    states.join(" or ")
                )
            }
        }
    }
}

/// Calls in order with what they mean.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Plan {
    /// The calls.
    pub steps: Vec<Step>,
    /// In words.
    pub effect: String,
    /// What to look at first.
    pub warnings: Vec<String>,
    /// The target's name has to be typed.
    pub type_name: bool,
    /// The resource.
    pub resource_id: String,
    /// Its sort.
    pub object: Option<Object>,
}

/// What `send` needs of a plan.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SendPlan {
    /// Calls in order.
    pub calls: Vec<Call>,
    /// For each call: the sort, the id and the states to wait for (none: until it is gone).
    pub waits: Vec<Option<(String, String, Vec<String>)>>,
    /// The resource.
    pub resource_id: String,
    /// Its sort, by the interface's plural word.
    pub object: String,
}

/// The value of a text input; empty when it was not given.
pub fn text_input<'a>(intent: &'a Intent, name: &str) -> &'a str {
    intent.inputs.get(name).map_or("", |v| v.trim())
}

/// A yes that was said; anything else is no.
pub fn wants_yes(intent: &Intent, name: &str) -> bool {
    matches!(
        text_input(intent, name).to_ascii_lowercase().as_str(),
        "yes" | "y" | "true"
    )
}

impl Sdrs {
    pub(super) async fn prepare_action(&self, intent: &Intent) -> Result<Prepared, Fault> {
        let plan = match intent.action {
            "clear" | "clear-group" | "clear-group-level" => clear(intent)?,
            "end-drill" => end_drill(intent)?,
            id if id.starts_with("retry") => self.plan_retry(intent).await?,
            _ => self.plan_group(intent).await?,
        };
        let mut requests: Vec<RequestPreview> = Vec::with_capacity(plan.steps.len());
        for step in &plan.steps {
            requests.push(self.session.preview(&step.call, &step.then()).await?);
        }
        let send = SendPlan {
            calls: plan.steps.iter().map(|s| s.call.clone()).collect(),
            waits: plan
                .steps
                .iter()
                .map(|s| s.wait.as_ref().map(wait_parts))
                .collect(),
            resource_id: plan.resource_id,
            object: plan
                .object
                .map_or_else(String::new, |o| o.word().to_owned()),
        };
        Ok(Prepared {
            intent: intent.clone(),
            requests,
            effect: plan.effect,
            warnings: plan.warnings,
            danger: if plan.type_name {
                Danger::TypeName
            } else {
                Danger::Confirm
            },
            acts_on: None,
            retry_advice: None,
            idempotency_token: None,
            plan: serde_json::to_value(send).unwrap_or_default(),
        })
    }

    /// An action on a group, checked against the group as it is now.
    async fn plan_group(&self, intent: &Intent) -> Result<Plan, Fault> {
        let id = intent.target.id.clone();
        let seen = self
            .resource(Object::Group, &id, |row, _| {
                (
                    row.name.owned(),
                    row.status.owned(),
                    row.priority_station.owned(),
                    row.replication_num.0,
                )
            })
            .await?;
        let Some((name, status, station, pairs)) = seen else {
            return Err(refused(format!(
                "protection group {} is gone",
                intent.target.name
            )));
        };
        let legal = legal_group_states(intent.action);
        if !legal.contains(&status.as_str()) {
            return Err(refused(format!(
                "the group is {status} now; this is allowed when it is {}",
                legal.join(" or ")
            )));
        }
        let mut plan = Plan {
            resource_id: id.clone(),
            object: Some(Object::Group),
            ..Plan::default()
        };
        if matches!(intent.action, "enable" | "switch-over" | "fail-over") && pairs == Some(0) {
            return Err(refused(
                "the group has no replication pairs; add one first".to_owned(),
            ));
        }
        let body = match intent.action {
            "enable" => {
                plan.effect = format!(
                    "Turns protection of group {name} on: its disks are replicated from now on."
                );
                json!({"start-server-group": {}})
            }
            "protect-again" => {
                plan.effect = format!(
                    "Turns protection of group {name} on again, from the live site to the other."
                );
                plan.warnings
                    .push("The servers of the DR site must be stopped first.".to_owned());
                json!({"start-server-group": {}})
            }
            "disable" => {
                plan.effect = format!(
                    "Turns protection of group {name} off: from then on nothing is replicated."
                );
                plan.type_name = true;
                json!({"stop-server-group": {}})
            }
            "switch-over" => {
                plan.effect = format!(
                    "Moves production of group {name} to the other site, without loss of data."
                );
                plan.warnings.push("Stop every production server of the group first; the service refuses otherwise.".to_owned());
                plan.type_name = true;
                reverse(&station)?
            }
            "fail-over" => {
                self.refuse_broken_link(&id, &mut plan).await?;
                plan.effect = format!(
                    "Fails group {name} over: production servers are stopped by force or can't start again, and replication stops."
                );
                plan.type_name = true;
                json!({"failover-server-group": {}})
            }
            "drill" => {
                let drill = text_input(intent, "name");
                if drill.is_empty() {
                    return Err(refused("a drill needs a name".to_owned()));
                }
                let mut body = json!({"server_group_id": id, "name": drill});
                let vpc = text_input(intent, "drill_vpc_id");
                if !vpc.is_empty()
                    && let Some(map) = body.as_object_mut()
                {
                    map.insert("drill_vpc_id".to_owned(), vpc.into());
                }
                plan.effect =
                    format!("Starts servers for a drill of group {name}, apart from production.");
                plan.object = Some(Object::Drill);
                plan.resource_id = String::new();
                let call = Call::post(
                    &["disaster-recovery-drills"],
                    json!({"disaster_recovery_drill": body}),
                );
                plan.steps.push(Step::job(call));
                return Ok(plan);
            }
            other => return Err(refused(format!("SDRS has no action \"{other}\""))),
        };
        plan.steps.push(Step::job(Call::post(
            &["server-groups", &id, "action"],
            body,
        )));
        Ok(plan)
    }

    /// A failover is documented as not allowed while a pair's link is down (`fault_level` 5).
    async fn refuse_broken_link(&self, group_id: &str, plan: &mut Plan) -> Result<(), Fault> {
        let call = Call::get(&["replications"])
            .with("server_group_id", group_id)
            .with("limit", "500");
        let reply = self.session.ask(&call).await?;
        let listed: serde_json::Value = reply.json()?;
        let level = |pair: &serde_json::Value| match pair.get("fault_level") {
            Some(serde_json::Value::String(text)) => text.trim().parse::<i64>().ok(),
            Some(number) => number.as_i64(),
            None => None,
        };
        let pairs = listed
            .get("replications")
            .and_then(serde_json::Value::as_array);
        let broken = pairs
            .into_iter()
            .flatten()
            .filter(|p| level(p) == Some(5))
            .filter_map(|p| p.get("name").and_then(serde_json::Value::as_str))
            .map(|name| crate::model::clean(name).into_owned())
            .collect::<Vec<_>>();
        if broken.is_empty() {
            plan.warnings.push(
                "Make sure that the production site is really lost: there is no undo.".to_owned(),
            );
            return Ok(());
        }
        Err(refused(format!(
            "the replication link is down (fault level 5) for {}: a failover is not allowed then",
            broken.join(", ")
        )))
    }
}

fn wait_parts(wait: &Wait) -> (String, String, Vec<String>) {
    match wait {
        Wait::Gone(object, id) => (object.word().to_owned(), id.clone(), Vec::new()),
        Wait::Status(object, id, states) => (
            object.word().to_owned(),
            id.clone(),
            states.iter().map(|s| (*s).to_owned()).collect(),
        ),
    }
}

fn clear(intent: &Intent) -> Result<Plan, Fault> {
    let target = &intent.target;
    let (call, effect) = match intent.action {
        "clear" => (
            Call::delete(&["task-center", "failure-jobs", &target.id]),
            "Takes this failed task off the service's list. The resource stays as it is.".to_owned(),
        ),
        "clear-group" => (
            Call::delete(&["task-center", &target.id, "failure-jobs", "batch"]),
            format!("Takes every failed task inside group {} off the service's list.", target.name),
        ),
        "clear-group-level" => (
            Call::delete(&["task-center", "failure-jobs", "batch"]),
            "Takes the failed tasks of all groups themselves off the service's list; failures inside groups stay.".to_owned(),
        ),
        other => return Err(refused(format!("SDRS has no action \"{other}\""))),
    };
    Ok(Plan {
        steps: vec![Step::job(call)],
        effect,
        ..Plan::default()
    })
}

fn end_drill(intent: &Intent) -> Result<Plan, Fault> {
    let record: serde_json::Value = serde_json::from_str(&intent.target.raw).unwrap_or_default();
    let id = ["id", "resource_id"]
        .iter()
        .find_map(|key| record.get(*key).and_then(serde_json::Value::as_str))
        .or_else(|| intent.target.id.strip_prefix("disaster_recovery_drills:"))
        .ok_or_else(|| refused("the record does not say which drill it is".to_owned()))?;
    Ok(Plan {
        steps: vec![Step::job(Call::delete(&["disaster-recovery-drills", id]))],
        effect: format!(
            "Ends the drill {}: its servers, disks and NICs are removed, the VPC and subnets stay.",
            intent.target.name
        ),
        type_name: true,
        resource_id: id.to_owned(),
        object: Some(Object::Drill),
        ..Plan::default()
    })
}

fn refused(what: String) -> Fault {
    Fault::new(FaultKind::Refused, what, "", "")
}
