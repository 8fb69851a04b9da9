//! What DPOD tells its plan and task scripts, argument by argument.
//!
//! Source: the script parameters of backup plans and of firmware upgrade plans (DPOD documentation, several
//! versions). The documentation gives no escaping, its own example of a task list has a comma too many, older
//! versions wrote that list without separators, and a script that passes `$@` without quotes splits names at
//! blanks. So places are found from both ends and by what can stand there, and what can't be placed is told.

use super::inbox::{Record, Sent};
use super::status;
use crate::model::{Timestamp, clean};

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// When, by the clock of the machine that wrote it down.
    pub at: Timestamp,
    /// What.
    pub what: What,
    /// The arguments as they came, cleaned.
    pub args: Vec<String>,
}

/// The sorts of plans. DPOD may have more than are known here: their word is kept.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Family(pub String);

impl Family {
    /// The family that an argument such as `FIRMWARE-UPGRADE-PLAN` names.
    fn of(word: &str) -> Self {
        Self(word.to_ascii_lowercase().replace('-', " "))
    }

    /// Whose statuses its tasks have.
    pub fn task_level(&self) -> status::Level {
        if self.0.starts_with("firmware") {
            status::Level::Firmware
        } else {
            status::Level::Task
        }
    }
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// A console had a plan put into the queue.
    Sent(Sent),
    /// A plan begins.
    PlanBegins(PlanId),
    /// A plan has ended.
    PlanEnds {
        /// Which.
        plan: PlanId,
        /// Its final status.
        status: String,
        /// The error text; empty for none.
        error: String,
        /// Its tasks.
        tasks: Vec<Listed>,
        /// What of the task list could not be read; empty when all could.
        unread: String,
    },
    /// A task is about to run.
    TaskBegins {
        /// Which.
        task: TaskId,
        /// `exportDomain`, `secureBackup`, or what else stands there.
        action: String,
        /// The gateway's name.
        device: String,
        /// The gateway's address.
        host: String,
        /// The port of its management interface.
        port: String,
        /// The domain, or `ALL`.
        domain: String,
    },
    /// A task has ended.
    TaskEnds {
        /// Which.
        task: TaskId,
        /// Its final status.
        status: String,
        /// The error text; empty for none.
        error: String,
    },
}

/// A plan as scripts name it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlanId {
    /// The sort of plan.
    pub family: Family,
    /// The plan's own number: the same for each of its runs.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A task as scripts name it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskId {
    /// The sort of plan it belongs to.
    pub family: Family,
    /// Its number.
    pub id: String,
    /// The plan's name.
    pub plan: String,
}

/// One task in the list that ends a plan.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Listed {
    /// Its number.
    pub id: String,
    /// The action; empty for firmware upgrades.
    pub action: String,
    /// The gateway's name.
    pub device: String,
    /// The domain; for firmware upgrades the versions before and after.
    pub domain: String,
    /// Its status.
    pub status: String,
}

/// The actions that task arguments are documented to name.
const ACTIONS: [&str; 2] = ["exportDomain", "secureBackup"];

/// Reads a line of the inbox.
///
/// # Errors
/// What is wrong with the arguments.
pub fn read(record: Record) -> Result<Event, String> {
    let at = Timestamp(record.at);
    if let Some(sent) = record.sent {
        return Ok(Event {
            at,
            what: What::Sent(Sent {
                family: clean(&sent.family).into_owned(),
                plan: clean(&sent.plan).into_owned(),
                answer: clean(&sent.answer).into_owned(),
                reference: sent.reference,
            }),
            args: Vec::new(),
        });
    }
    let args: Vec<String> = record
        .args
        .ok_or("the line holds neither arguments nor something sent")?
        .iter()
        .map(|arg| clean(arg.trim()).into_owned())
        .collect();
    Ok(Event {
        at,
        what: what(&args)?,
        args,
    })
}

fn what(args: &[String]) -> Result<What, String> {
    let arg = |n: usize| args.get(n).map_or("", String::as_str);
    let kind = arg(0).to_ascii_uppercase();
    let begins = match arg(1).to_ascii_uppercase().as_str() {
        "PRE" => true,
        "POST" => false,
        other => {
            return Err(format!(
                "the second argument is \"{other}\" where DPOD says PRE or POST"
            ));
        }
    };
    let (family, is_plan) = match (kind.strip_suffix("-PLAN"), kind.strip_suffix("-TASK")) {
        (Some(family), _) if !family.is_empty() => (Family::of(family), true),
        (_, Some(family)) if !family.is_empty() => (Family::of(family), false),
        _ => {
            return Err(format!(
                "the first argument is \"{kind}\" where DPOD says, for instance, BACKUP-PLAN or BACKUP-TASK"
            ));
        }
    };
    if args.len() < 4 {
        return Err(format!(
            "{} arguments where at least 4 are due: the script must pass all of its own on, as \"$@\"",
            args.len()
        ));
    }
    let id = arg(2).to_owned();
    if !is_plan && id.is_empty() {
        return Err("the task has no number".to_owned());
    }
    let name = |end: usize| args.get(3..end).unwrap_or_default().join(" ");
    if begins {
        if is_plan {
            return Ok(What::PlanBegins(PlanId {
                family,
                id,
                name: name(args.len()),
            }));
        }
        let at = find(args, 4, |a| ACTIONS.contains(&a)).unwrap_or_else(|| args.len().min(4));
        // the port is the first number after the action: what stands before is the device and its host
        let port = find(args, at + 2, |a| a.parse::<u16>().is_ok());
        let (device, host, port, domain) = match port {
            Some(port) if port >= at + 3 => (
                args.get(at + 1..port - 1).unwrap_or_default().join(" "),
                arg(port - 1),
                arg(port),
                args.get(port + 1..).unwrap_or_default().join(" "),
            ),
            _ => (
                arg(at + 1).to_owned(),
                arg(at + 2),
                arg(at + 3),
                args.get(at + 4..).unwrap_or_default().join(" "),
            ),
        };
        return Ok(What::TaskBegins {
            task: TaskId {
                family,
                id,
                plan: name(at),
            },
            action: arg(at).to_owned(),
            device,
            host: host.to_owned(),
            port: port.to_owned(),
            domain,
        });
    }
    let at = status_place(args)
        .ok_or("no argument is a status code: the script must pass all of its own on, as \"$@\"")?;
    let code = arg(at).to_owned();
    if is_plan {
        let list_at = find(args, at + 1, |a| is_list(&family, a)).unwrap_or(args.len());
        let list = args.get(list_at..).unwrap_or_default().join(" ");
        let (tasks, unread) = tasks(&family, &list);
        return Ok(What::PlanEnds {
            plan: PlanId {
                family,
                id,
                name: name(at),
            },
            status: code,
            error: error(args.get(at + 1..list_at).unwrap_or_default()),
            tasks,
            unread,
        });
    }
    Ok(What::TaskEnds {
        task: TaskId {
            family,
            id,
            plan: name(at),
        },
        status: code,
        error: error(args.get(at + 1..).unwrap_or_default()),
    })
}

/// The first place from `from` on whose argument fits.
fn find(args: &[String], from: usize, fits: impl Fn(&str) -> bool) -> Option<usize> {
    args.iter()
        .enumerate()
        .skip(from)
        .find(|(_, arg)| fits(arg))
        .map(|(place, _)| place)
}

/// Where the status stands: the fifth argument by the book, later when a name was split at its blanks.
fn status_place(args: &[String]) -> Option<usize> {
    let may_be = |a: &str| status::looks_like_one(a) && !matches!(a, "NONE" | "NULL");
    if args.get(4).is_some_and(|a| may_be(a)) {
        return Some(4);
    }
    let known = |a: &str| {
        [
            status::Level::Task,
            status::Level::Plan,
            status::Level::Firmware,
        ]
        .into_iter()
        .any(|level| status::read(level, a).known)
    };
    find(args, 5, known)
        .or_else(|| find(args, 5, |a| may_be(a) && a.contains('_')))
        .or_else(|| find(args, 5, may_be))
}

/// The error text between the status and the end: `NONE` and `FFU` (for future use) say nothing.
fn error(args: &[String]) -> String {
    let end = args
        .iter()
        .rposition(|a| !matches!(a.as_str(), "FFU" | "" | "NULL"))
        .map_or(0, |last| last + 1);
    let text = args.get(..end).unwrap_or_default().join(" ");
    if text == "NONE" { String::new() } else { text }
}

/// True for an argument that is a list of tasks.
fn is_list(family: &Family, arg: &str) -> bool {
    let mut fields = arg.trim_start_matches(['~', ',', ' ']).split(',');
    let number = fields.next().is_some_and(is_number);
    let second = fields.next();
    number
        && match family.task_level() {
            status::Level::Firmware => fields.count() >= 3,
            _ => second.is_some_and(|a| ACTIONS.contains(&a.trim())) || fields.count() >= 3,
        }
}

fn is_number(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Reads a list of tasks, with `~` between them (newer) or all in one row (older). A task begins at a number
/// that is followed by an action, or stands first after a `~`; its status is the last field that is one. Names
/// may hold commas and tildes: what stands between is the name. Also returned: what could not be read.
fn tasks(family: &Family, list: &str) -> (Vec<Listed>, String) {
    let firmware = family.task_level() == status::Level::Firmware;
    // fields with the mark that stood before each
    let mut fields: Vec<(char, &str)> = Vec::new();
    let mut mark = '~';
    let mut rest = list;
    loop {
        let end = rest.find(['~', ',']).unwrap_or(rest.len());
        let (field, after) = rest.split_at(end);
        fields.push((mark, field));
        let mut chars = after.chars();
        match chars.next() {
            Some(next) => mark = next,
            None => break,
        }
        rest = chars.as_str();
    }
    let begins = |n: usize| {
        let Some((mark, field)) = fields.get(n) else {
            return false;
        };
        let follows = |k: usize| fields.get(n + k).map_or("", |(_, f)| f.trim());
        is_number(field)
            && if firmware {
                // a status right before, as after any whole task
                *mark == '~' || (n > 0 && fields.get(n - 1).is_some_and(|(_, f)| ends_task(f)))
            } else {
                ACTIONS.contains(&follows(1)) || (*mark == '~' && ends_task(follows(4)))
            }
    };
    let starts: Vec<usize> = (0..fields.len()).filter(|n| begins(*n)).collect();
    let mut tasks = Vec::new();
    let mut unread = Vec::new();
    let text = |part: &[(char, &str)]| {
        let mut out = String::new();
        for (n, (mark, field)) in part.iter().enumerate() {
            if n > 0 {
                out.push(*mark);
            }
            out.push_str(field);
        }
        out
    };
    let first = starts.first().copied().unwrap_or(fields.len());
    let mut parts = vec![(false, fields.get(..first).unwrap_or_default())];
    for (n, start) in starts.iter().enumerate() {
        let end = starts.get(n + 1).copied().unwrap_or(fields.len());
        parts.push((true, fields.get(*start..end).unwrap_or_default()));
    }
    for (is_task, part) in parts {
        let end = part
            .iter()
            .rposition(|(_, f)| !f.trim().is_empty())
            .map_or(0, |last| last + 1);
        let part = part.get(..end).unwrap_or_default();
        if part.is_empty() {
            continue;
        }
        let task = if is_task {
            task(firmware, part, text)
        } else {
            None
        };
        match task {
            Some(task) => tasks.push(task),
            None => unread.push(text(part)),
        }
    }
    (tasks, unread.join(" ~ "))
}

fn ends_task(field: &str) -> bool {
    status::looks_like_one(field.trim())
}

/// One task out of its fields.
fn task(
    firmware: bool,
    part: &[(char, &str)],
    text: impl Fn(&[(char, &str)]) -> String,
) -> Option<Listed> {
    let (id, middle, status) = match part {
        [(_, id), middle @ .., (_, status)] => (id, middle, status),
        _ => return None,
    };
    let mut listed = Listed {
        id: id.trim().to_owned(),
        status: status.trim().to_owned(),
        ..Listed::default()
    };
    if firmware {
        let [device @ .., (_, before), (_, after)] = middle else {
            return None;
        };
        listed.device = text(device).trim().to_owned();
        listed.domain = format!("{} → {}", before.trim(), after.trim());
    } else {
        let [(_, action), device @ .., (_, domain)] = middle else {
            return None;
        };
        listed.action = action.trim().to_owned();
        listed.device = text(device).trim().to_owned();
        listed.domain = domain.trim().to_owned();
    }
    (!listed.device.is_empty() && !listed.status.is_empty()).then_some(listed)
}
