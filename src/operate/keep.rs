//! Stages of actions as history keeps them, and back.

use serde_json::{Map, Value, json};

use super::{ActionEvent, ActionId, ActionRecord, Stage};
use crate::model::{Answer, CodeRef, Fault, FaultKind, Follow, Phase, ServiceId, Timestamp};
use crate::store::history::{ActionStep, ActionStory, ToldStep, scrub_json, scrub_text};

/// The stage of an action that was shown and not confirmed (yet).
pub const PROPOSED: &str = "proposed";

/// A stage as a step of history. `expects_task`: whether the action goes on as a task after it was accepted.
pub fn step(event: &ActionEvent, expects_task: bool) -> ActionStep {
    let taken = matches!(
        event.stage,
        Stage::Accepted { .. } | Stage::FoundDone { .. }
    );
    let mut data = Map::new();
    let detail = tell(&event.stage, &mut data);
    if let Some(follow) = &event.follow {
        data.insert("follow".to_owned(), follow_json(follow));
    }
    ActionStep {
        action: event.id.0,
        at: event.at,
        stage: event.stage.word().to_owned(),
        detail: scrub_text(&detail),
        over: if taken {
            !expects_task
        } else {
            event.stage.is_final()
        },
        data: scrub_json(Value::Object(data)),
    }
}

/// A proposal: shown with its exact requests, not confirmed.
pub fn proposed(id: ActionId, at: Timestamp) -> ActionStep {
    ActionStep {
        action: id.0,
        at,
        stage: PROPOSED.to_owned(),
        detail: String::new(),
        over: true,
        data: json!({}),
    }
}

/// The sentence of a stage; its facts go into `data`.
fn tell(stage: &Stage, data: &mut Map<String, Value>) -> String {
    let mut put = |name: &str, value: Value| {
        data.insert(name.to_owned(), value);
    };
    match stage {
        Stage::Confirmed | Stage::NothingFollowed => String::new(),
        Stage::Sending { step } => {
            put("step", json!(step));
            step.clone()
        }
        Stage::Accepted { answer } => {
            put_answer(answer, &mut put);
            format!("HTTP {} {}", answer.http_status, answer.request_id)
                .trim()
                .to_owned()
        }
        Stage::Refused { code, answer } => {
            put_answer(answer, &mut put);
            put("code", json!(code.code));
            put("message", json!(code.message));
            put("operation", json!(code.operation));
            put("code_http", json!(code.http_status));
            format!("{} {}", code.code, code.message).trim().to_owned()
        }
        Stage::NotSent { fault } | Stage::Unknown { fault } => {
            put("fault", fault_json(fault));
            fault.to_string()
        }
        Stage::Looking { look } => {
            put("look", json!(look));
            format!("look number {look}")
        }
        Stage::FoundDone { seen } => {
            put("seen", json!(seen));
            seen.clone()
        }
        Stage::FoundNothing { looked_at } => {
            put("looked_at", json!(looked_at));
            looked_at.clone()
        }
        Stage::CannotTell { why } => {
            put("why", json!(why));
            why.clone()
        }
        Stage::Observed {
            task_id,
            phase,
            native_status,
        } => {
            put("task_id", json!(task_id));
            put("phase", json!(phase.word()));
            put("native_status", json!(native_status));
            format!("task {task_id}: {native_status}")
        }
    }
}

fn put_answer(answer: &Answer, put: &mut impl FnMut(&str, Value)) {
    put("http_status", json!(answer.http_status));
    put("request_id", json!(answer.request_id));
    put("answer", json!(answer.body));
}

fn fault_json(fault: &Fault) -> Value {
    json!({
        "kind": fault.kind.word(),
        "what": fault.what,
        "place": fault.place,
        "advice": fault.advice,
    })
}

fn follow_json(follow: &Follow) -> Value {
    json!({
        "task_ids": follow.task_ids,
        "device_id": follow.device_id,
        "policy_id": follow.policy_id,
        "operations": follow.operations,
        "since": follow.since.map(Timestamp::millis),
        "expects_task": follow.expects_task,
    })
}

fn text(data: &Value, name: &str) -> String {
    data.get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn texts(data: &Value, name: &str) -> Vec<String> {
    let all = data.get(name).and_then(Value::as_array);
    all.into_iter()
        .flatten()
        .filter_map(|v| v.as_str().map(str::to_owned))
        .collect()
}

fn number(data: &Value, name: &str) -> u16 {
    let n = data.get(name).and_then(Value::as_u64).unwrap_or(0);
    u16::try_from(n).unwrap_or(0)
}

fn read_fault(data: &Value) -> Fault {
    let fault = data.get("fault").cloned().unwrap_or_default();
    let kind = text(&fault, "kind").parse();
    Fault::new(
        kind.unwrap_or(FaultKind::Unreachable),
        text(&fault, "what"),
        text(&fault, "place"),
        text(&fault, "advice"),
    )
}

fn read_follow(data: &Value) -> Option<Follow> {
    let told = data.get("follow")?;
    Some(Follow {
        task_ids: texts(told, "task_ids"),
        device_id: text(told, "device_id"),
        policy_id: text(told, "policy_id"),
        operations: texts(told, "operations"),
        since: told.get("since").and_then(Value::as_i64).map(Timestamp),
        expects_task: told.get("expects_task").and_then(Value::as_bool) == Some(true),
    })
}

/// A kept step as a stage; `None` for a proposal and for stages that a later program brought in.
fn read(told: &ToldStep) -> Option<Stage> {
    let data = &told.step.data;
    let answer = || Answer {
        http_status: number(data, "http_status"),
        request_id: text(data, "request_id"),
        body: text(data, "answer"),
    };
    Some(match told.step.stage.as_str() {
        "confirmed" => Stage::Confirmed,
        "sending" => Stage::Sending {
            step: text(data, "step"),
        },
        "accepted" => Stage::Accepted { answer: answer() },
        "refused" => Stage::Refused {
            code: CodeRef {
                code: text(data, "code"),
                http_status: data
                    .get("code_http")
                    .and_then(Value::as_u64)
                    .and_then(|n| u16::try_from(n).ok()),
                operation: text(data, "operation"),
                message: text(data, "message"),
            },
            answer: answer(),
        },
        "not sent" => Stage::NotSent {
            fault: read_fault(data),
        },
        "outcome unknown" => Stage::Unknown {
            fault: read_fault(data),
        },
        "looking" => Stage::Looking {
            look: u32::from(number(data, "look")),
        },
        "was carried out" => Stage::FoundDone {
            seen: text(data, "seen"),
        },
        "no sign of it" => Stage::FoundNothing {
            looked_at: text(data, "looked_at"),
        },
        "can't tell" => Stage::CannotTell {
            why: text(data, "why"),
        },
        "nothing followed" => Stage::NothingFollowed,
        _ if data.get("task_id").is_some() => Stage::Observed {
            task_id: text(data, "task_id"),
            phase: text(data, "phase").parse().unwrap_or(Phase::Unknown),
            native_status: text(data, "native_status"),
        },
        _ => return None,
    })
}

/// A kept action as a record of the ledger. `action` is the connector's own constant of its name.
pub fn record(story: &ActionStory, service: ServiceId, action: &'static str) -> ActionRecord {
    ActionRecord {
        id: ActionId(story.id),
        prepared: story.action.prepared(service, action),
        steps: story
            .steps
            .iter()
            .filter_map(|told| Some((told.step.at, read(told)?)))
            .collect(),
        follow: story
            .steps
            .iter()
            .rev()
            .find_map(|told| read_follow(&told.step.data)),
        taken_over_at: None,
    }
}

/// True when nobody knows whether a kept action was carried out.
pub fn is_unresolved(story: &ActionStory) -> bool {
    matches!(
        story.stage(),
        "sending" | "outcome unknown" | "looking" | "no sign of it" | "can't tell"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::history::{EventId, WriterId};

    #[test]
    fn every_stage_comes_back_as_it_was_without_secrets() {
        let fault = Fault::new(FaultKind::Timeout, "no answer", "POST https://x", "Wait.");
        let answer = Answer {
            http_status: 202,
            request_id: "r-1".to_owned(),
            body: r#"{"job":"j-1"}"#.to_owned(),
        };
        let stages = [
            Stage::Confirmed,
            Stage::Sending {
                step: "waits".to_owned(),
            },
            Stage::Accepted {
                answer: answer.clone(),
            },
            Stage::Refused {
                code: CodeRef::new("CSBS.6027", "no zone").with_http(400),
                answer,
            },
            Stage::NotSent {
                fault: fault.clone(),
            },
            Stage::Unknown { fault },
            Stage::Looking { look: 3 },
            Stage::FoundDone {
                seen: "a task".to_owned(),
            },
            Stage::FoundNothing {
                looked_at: "the list".to_owned(),
            },
            Stage::CannotTell {
                why: "no list".to_owned(),
            },
            Stage::Observed {
                task_id: "t-1".to_owned(),
                phase: Phase::Succeeded,
                native_status: "available".to_owned(),
            },
            Stage::NothingFollowed,
        ];
        for stage in stages {
            let event = ActionEvent {
                id: ActionId::random(),
                at: Timestamp(5),
                stage: stage.clone(),
                follow: Some(Follow {
                    task_ids: vec!["t-1".to_owned()],
                    since: Some(Timestamp(3)),
                    expects_task: true,
                    ..Follow::default()
                }),
            };
            let told = ToldStep {
                id: EventId {
                    writer: WriterId(event.id.0),
                    number: 1,
                },
                operator: String::new(),
                step: step(&event, true),
            };
            assert_eq!(read(&told), Some(stage), "{told:?}");
            assert_eq!(read_follow(&told.step.data), event.follow);
        }
        let secret = ActionEvent {
            id: ActionId::random(),
            at: Timestamp(5),
            stage: Stage::Accepted {
                answer: Answer {
                    http_status: 200,
                    request_id: String::new(),
                    body: r#"{"adminPass":"pa55"}"#.to_owned(),
                },
            },
            follow: None,
        };
        let kept = step(&secret, false);
        assert!(kept.over);
        assert!(!kept.data.to_string().contains("pa55"));
    }
}
