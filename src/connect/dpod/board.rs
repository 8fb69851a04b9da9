//! What the events of the inbox add up to: tasks, runs of plans, gateways.
//!
//! DPOD's execute gives no id, so a run is tied to what was sent by the plan's name and by time alone (DPOD
//! REST pages: the API reference stands in no script argument, and the plan's number is the plan's, not the
//! run's). Events may be read twice, late, and in any order: folding one again changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::event::{Event, Family, Listed, PlanId, TaskId, What};
use super::inbox::Sent;
use super::run::Run;
use super::task::{TaskState, Told};
use crate::model::Timestamp;

/// How far clocks of the machines involved may differ, in milliseconds.
pub const SLACK_MS: i64 = 30_000;
/// The longest that a run is taken to last when only its end is ever reported, in milliseconds.
const LONGEST_RUN_MS: i64 = 6 * 3_600_000;
/// After this long an old number belongs to a new task, in milliseconds.
const NUMBER_AGE_MS: i64 = 48 * 3_600_000;

/// How long to wait for what should follow, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// For the first sign of a run after an execute was taken, and for a task's last word after its run ended.
    pub follow_ms: i64,
    /// For the end of a task or run that has begun.
    pub silence_ms: i64,
}

impl Default for Patience {
    /// DPOD starts what is ready within a minute, or when earlier tasks end; it gives up on a task after an
    /// hour by default (Backup Tasks Status Codes).
    fn default() -> Self {
        Self {
            follow_ms: 15 * 60_000,
            silence_ms: 3 * 3_600_000,
        }
    }
}

/// When each of the four scripts was last heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Heard {
    /// Before a plan.
    pub plan_begins: Option<Timestamp>,
    /// After a plan.
    pub plan_ends: Option<Timestamp>,
    /// Before a task.
    pub task_begins: Option<Timestamp>,
    /// After a task.
    pub task_ends: Option<Timestamp>,
}

/// A gateway as script arguments show it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Gateway {
    /// Its address.
    pub host: String,
    /// The port of its management interface.
    pub port: String,
    /// The plans that have worked on it.
    pub plans: BTreeSet<(Family, String)>,
    /// The domains that were exported.
    pub domains: BTreeSet<String>,
    /// The last good backup among tasks that are no longer held.
    pub good_before: Option<Timestamp>,
    /// When it was last named.
    pub seen: Timestamp,
}

/// A plan by its family and name: all that scripts tell of it.
pub type PlanKey = (Family, String);

/// Everything that was folded.
#[derive(Debug, Default)]
pub struct Board {
    /// Tasks by our id.
    pub tasks: BTreeMap<String, TaskState>,
    /// Runs by our id.
    pub runs: BTreeMap<String, Run>,
    /// Gateways by name.
    pub gateways: BTreeMap<String, Gateway>,
    /// Which scripts report.
    pub heard: Heard,
    /// Ids of tasks and runs that changed since they were last handed over.
    pub dirty: BTreeSet<String>,
    /// True when gateways changed since they were last handed over.
    pub gateways_dirty: bool,
    /// True while something may have to be given up later.
    open: bool,
    numbers: HashMap<(Family, String), String>,
    plans: HashMap<PlanKey, Vec<String>>,
    patience: Patience,
}

impl Board {
    /// An empty one.
    pub fn new(patience: Patience) -> Self {
        Self {
            patience,
            ..Self::default()
        }
    }

    /// Folds one event.
    pub fn fold(&mut self, event: Event) {
        self.open = true;
        let at = event.at;
        let heard = match &event.what {
            What::Sent(_) => None,
            What::PlanBegins(_) => Some(&mut self.heard.plan_begins),
            What::PlanEnds { .. } => Some(&mut self.heard.plan_ends),
            What::TaskBegins { .. } => Some(&mut self.heard.task_begins),
            What::TaskEnds { .. } => Some(&mut self.heard.task_ends),
        };
        if let Some(heard) = heard {
            *heard = (*heard).max(Some(at));
        }
        match event.what {
            What::Sent(sent) => self.sent(at, sent),
            What::PlanBegins(plan) => self.plan_begins(at, plan, event.args),
            What::PlanEnds {
                plan,
                status,
                error,
                tasks,
                unread,
            } => {
                let told = Told { at, status, error };
                self.plan_ends(&plan, told, tasks, unread, event.args);
            }
            What::TaskBegins {
                task,
                action,
                device,
                host,
                port,
                domain,
            } => {
                let id = self.task(at, &task, Beginning::Yes);
                let run = self.run_of_task(at, &task);
                if let Some(state) = self.tasks.get_mut(&id) {
                    state.begins(at, event.args);
                    state.describe(&action, &device, &domain);
                }
                self.join(&id, run.as_deref());
                self.gateway(at, &task, &device, &domain, Some((host, port)));
            }
            What::TaskEnds {
                task,
                status,
                error,
            } => {
                let id = self.task(at, &task, Beginning::No);
                let run = self.run_of_task(at, &task);
                if let Some(state) = self.tasks.get_mut(&id) {
                    state.tell(Told { at, status, error }, event.args);
                }
                self.join(&id, run.as_deref());
            }
        }
    }

    fn sent(&mut self, at: Timestamp, sent: Sent) {
        let key = (Family(sent.family.clone()), sent.plan.clone());
        let id = Run::id_of(&key, at);
        self.run(&key, &id).sent.get_or_insert((at, sent));
        self.touch_run(&id, at);
    }

    fn plan_begins(&mut self, at: Timestamp, plan: PlanId, args: Vec<String>) {
        let key = (plan.family.clone(), plan.name.clone());
        let known = self
            .runs_of(&key)
            .any(|run| run.begun == Some(at) && !run.by_tasks);
        if known {
            return;
        }
        // its tasks may have been read before it, from another machine's file
        let by_tasks = self
            .runs_of(&key)
            .find(|run| run.by_tasks && run.begun.is_some_and(|b| b.since(at).abs() <= SLACK_MS))
            .map(|run| run.id.clone());
        let id = by_tasks
            .or_else(|| self.waiting(&key, at))
            .unwrap_or_else(|| Run::id_of(&key, at));
        let run = self.run(&key, &id);
        run.begun = Some(at);
        run.by_tasks = false;
        run.plan_number.clone_from(&plan.id);
        run.args = args;
        self.touch_run(&id, at);
    }

    fn plan_ends(
        &mut self,
        plan: &PlanId,
        told: Told,
        tasks: Vec<Listed>,
        unread: String,
        args: Vec<String>,
    ) {
        let at = told.at;
        let key = (plan.family.clone(), plan.name.clone());
        if self
            .runs_of(&key)
            .any(|run| run.ended.as_ref() == Some(&told))
        {
            return;
        }
        let open = self
            .runs_of(&key)
            .filter(|run| run.ended.is_none())
            .filter(|run| run.begun.is_some_and(|b| b.since(at) <= SLACK_MS))
            .min_by_key(|run| run.begun)
            .map(|run| run.id.clone());
        // without a script before plans, the end is the first that is heard
        let silent_start = self.heard.plan_begins.is_none();
        let id = open
            .or_else(|| self.waiting(&key, at))
            .or_else(|| {
                let fits = |run: &&Run| {
                    run.is_waiting()
                        && run.sent_within(at, if silent_start { LONGEST_RUN_MS } else { 0 })
                };
                self.runs_of(&key).find(fits).map(|run| run.id.clone())
            })
            .unwrap_or_else(|| Run::id_of(&key, at));
        let listed_any = !tasks.is_empty();
        let mut listed_ids = BTreeSet::new();
        for listed in tasks {
            let task = TaskId {
                family: plan.family.clone(),
                id: listed.id.clone(),
                plan: plan.name.clone(),
            };
            let task_id = self.task(at, &task, Beginning::No);
            if let Some(state) = self.tasks.get_mut(&task_id) {
                state.describe(&listed.action, &listed.device, &listed.domain);
                state.listed(
                    Told {
                        at,
                        status: listed.status.clone(),
                        error: String::new(),
                    },
                    &listed,
                );
            }
            self.gateway(at, &task, &listed.device, &listed.domain, None);
            self.join(&task_id, Some(&id));
            listed_ids.insert(task_id);
        }
        let run = self.run(&key, &id);
        run.ended = Some(told);
        run.listed = listed_any;
        run.unread = unread;
        run.end_args = args;
        run.plan_number.clone_from(&plan.id);
        let members = run.tasks.clone();
        for task in members {
            let changed = self.tasks.get_mut(&task).is_some_and(|state| {
                state.run_ended = Some(at);
                if listed_any && !listed_ids.contains(&task) {
                    state.left_out = true;
                }
                true
            });
            if changed {
                self.dirty.insert(task);
            }
        }
        self.touch_run(&id, at);
    }

    /// The id of the task with this number; a number that begins again after its task ended is another task.
    fn task(&mut self, at: Timestamp, task: &TaskId, beginning: Beginning) -> String {
        let key = (task.family.clone(), task.id.clone());
        if let Some(id) = self.numbers.get(&key)
            && let Some(state) = self.tasks.get(id)
        {
            let over = state.ended_at();
            let again = match beginning {
                Beginning::Yes => {
                    state.begun.is_some_and(|b| at.since(b) > 0)
                        && over.is_some_and(|e| at.since(e) > 0)
                        || over.is_some_and(|e| at.since(e) > NUMBER_AGE_MS)
                }
                Beginning::No => over.is_some_and(|e| at.since(e) > NUMBER_AGE_MS),
            };
            if !again {
                let id = id.clone();
                self.touch_task(&id, at);
                return id;
            }
        }
        let first = TaskState::id_of(task, None);
        let id = if self.tasks.contains_key(&first) {
            TaskState::id_of(task, Some(at))
        } else {
            first
        };
        self.numbers.insert(key, id.clone());
        self.tasks
            .entry(id.clone())
            .or_insert_with(|| TaskState::new(id.clone(), task));
        self.touch_task(&id, at);
        id
    }

    fn touch_task(&mut self, id: &str, at: Timestamp) {
        self.dirty.insert(id.to_owned());
        self.gateways_dirty = true;
        if let Some(state) = self.tasks.get_mut(id) {
            state.heard(at);
            if let Some(run) = state.run.clone() {
                self.touch_run(&run, at);
            }
        }
    }

    fn touch_run(&mut self, id: &str, at: Timestamp) {
        self.dirty.insert(id.to_owned());
        if let Some(run) = self.runs.get_mut(id) {
            run.heard(at);
        }
    }

    /// The run that a task's event belongs to.
    fn run_of_task(&mut self, at: Timestamp, task: &TaskId) -> Option<String> {
        let key = (task.family.clone(), task.plan.clone());
        let open = self
            .runs_of(&key)
            .filter(|run| run.begun.is_some_and(|b| b.since(at) <= SLACK_MS))
            .filter(|run| {
                run.ended
                    .as_ref()
                    .is_none_or(|end| at.since(end.at) <= SLACK_MS)
            })
            .max_by_key(|run| run.begun)
            .map(|run| run.id.clone());
        if open.is_some() {
            return open;
        }
        let waiting = self.waiting(&key, at)?;
        let run = self.run(&key, &waiting);
        run.begun = Some(at);
        run.by_tasks = true;
        Some(waiting)
    }

    /// Puts a task into a run.
    fn join(&mut self, task: &str, run: Option<&str>) {
        let Some(id) = run else { return };
        let (Some(run), Some(state)) = (self.runs.get_mut(id), self.tasks.get_mut(task)) else {
            return;
        };
        match &state.run {
            Some(held) if held == id => {}
            Some(_) => return,
            None => {
                state.run = Some(id.to_owned());
                run.tasks.push(task.to_owned());
            }
        }
        run.heard(state.last);
        self.dirty.insert(id.to_owned());
    }

    /// The oldest execute of this plan that still waits for its first sign.
    fn waiting(&self, key: &PlanKey, at: Timestamp) -> Option<String> {
        self.runs_of(key)
            .filter(|run| run.is_waiting() && run.sent_within(at, self.patience.follow_ms))
            .min_by_key(|run| run.sent.as_ref().map(|(at, _)| *at))
            .map(|run| run.id.clone())
    }

    fn run(&mut self, key: &PlanKey, id: &str) -> &mut Run {
        if !self.runs.contains_key(id) {
            self.plans
                .entry(key.clone())
                .or_default()
                .push(id.to_owned());
        }
        self.runs
            .entry(id.to_owned())
            .or_insert_with(|| Run::new(id.to_owned(), key.clone()))
    }

    /// All runs of a plan.
    pub fn runs_of(&self, key: &PlanKey) -> impl Iterator<Item = &Run> {
        self.plans
            .get(key)
            .into_iter()
            .flatten()
            .filter_map(|id| self.runs.get(id))
    }

    fn gateway(
        &mut self,
        at: Timestamp,
        task: &TaskId,
        device: &str,
        domain: &str,
        address: Option<(String, String)>,
    ) {
        if device.is_empty() {
            return;
        }
        let gateway = self.gateways.entry(device.to_owned()).or_default();
        gateway.seen = gateway.seen.max(at);
        gateway
            .plans
            .insert((task.family.clone(), task.plan.clone()));
        if !domain.is_empty() && domain != "ALL" && !domain.contains('→') {
            gateway.domains.insert(domain.to_owned());
        }
        if let Some((host, port)) = address {
            gateway.host = host;
            gateway.port = port;
        }
        self.gateways_dirty = true;
    }

    /// Gives up on what should have been heard of by now.
    pub fn tick(&mut self, now: Timestamp) {
        if !self.open {
            return;
        }
        let Patience {
            follow_ms,
            silence_ms,
        } = self.patience;
        for (id, run) in &mut self.runs {
            if run.give_up(now, follow_ms, silence_ms) {
                self.dirty.insert(id.clone());
            }
        }
        for (id, task) in &mut self.tasks {
            if task.give_up(now, follow_ms, silence_ms) {
                self.dirty.insert(id.clone());
                if let Some(run) = &task.run {
                    self.dirty.insert(run.clone());
                }
            }
        }
        self.open = self.tasks.values().any(|task| task.phase().is_live())
            || self
                .runs
                .values()
                .any(|run| run.phase(&self.tasks).is_live());
    }

    /// Lets go of tasks and runs that ended before `from`, but for each plan's newest run.
    pub fn forget_before(&mut self, from: Timestamp) {
        let mut kept: BTreeSet<String> = BTreeSet::new();
        for ids in self.plans.values() {
            let newest = ids
                .iter()
                .filter_map(|id| self.runs.get(id))
                .filter(|run| !run.tasks.is_empty())
                .max_by_key(|run| run.last);
            if let Some(run) = newest {
                kept.insert(run.id.clone());
                kept.extend(run.tasks.iter().cloned());
            }
        }
        let old =
            |last: Timestamp, live: bool, id: &str| last < from && !live && !kept.contains(id);
        for task in self.tasks.values() {
            if old(task.last, task.phase().is_live(), &task.id)
                && let Some(good) = task.good_backup()
                && let Some(gateway) = self.gateways.get_mut(&task.device)
            {
                gateway.good_before = gateway.good_before.max(Some(good));
            }
        }
        self.tasks
            .retain(|id, task| !old(task.last, task.phase().is_live(), id));
        self.numbers.retain(|_, id| self.tasks.contains_key(id));
        let tasks = &self.tasks;
        self.runs
            .retain(|id, run| !old(run.last, run.phase(tasks).is_live(), id));
        for ids in self.plans.values_mut() {
            ids.retain(|id| self.runs.contains_key(id));
        }
        self.plans.retain(|_, ids| !ids.is_empty());
        let (tasks, runs) = (&self.tasks, &self.runs);
        self.dirty
            .retain(|id| tasks.contains_key(id) || runs.contains_key(id));
    }
}

/// Whether an event is a task's first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Beginning {
    Yes,
    No,
}
