//! How a job runs: accepted, through its steps, to its end, and what that does to groups, instances, pairs and drills.

use serde_json::{Map, Value, json};

use super::codes::Refusal;
use super::job::{Failed, Job, Step};
use super::status::{self, Status};
use super::task_center::FailedTask;
use super::trouble::Trouble;
use super::work::{Action, Resource, Work};
use super::{STEP, Sdrs};
use crate::sim::world::World;

/// How many jobs are kept; finished ones are forgotten, oldest first.
const JOBS: usize = 50_000;

impl Sdrs {
    /// Accepts work: its subject starts to move and its job to run. Answers the job's number.
    ///
    /// # Errors
    /// The trouble in its way, where the switch says that calls find it.
    pub fn begin(
        &mut self,
        world: &mut World,
        work: Work,
        entities: Map<String, Value>,
        steps: Vec<Step>,
    ) -> Result<u64, Refusal> {
        let creates = work.through() == status::CREATING;
        if !creates
            && world.switches.get("sdrs.world_checks") == "call"
            && let Some(trouble) = self.trouble(world, &work)
        {
            return Err(trouble.code.into());
        }
        let now = world.now();
        let before = self.movers(&work);
        let id = self.job_id(now);
        world.note(json!({"what": "sdrs.job.begun", "job_id": id, "job_type": work.job_type()}));
        let through = work.through();
        let subject = work.subject();
        let first = steps.first().map_or(1, |step| step.seconds);
        let mut job = Job {
            id,
            work,
            begin: now,
            end: None,
            failed: None,
            entities,
            steps,
            at: 0,
            children: Vec::new(),
            parent: None,
            before: before.clone(),
        };
        if let Some(step) = job.steps.first_mut() {
            step.begin = Some(now);
        }
        let batch = matches!(job.work, Work::Batch(_));
        self.hold(world, &job.work, true);
        let number = self.jobs.insert(job);
        if self.jobs.len() > JOBS {
            self.jobs.remove_oldest(64, |job| job.end.is_some());
        }
        for (resource, key, _) in before {
            self.set_status(world, resource, key, through);
        }
        if let Some((resource, key)) = subject {
            self.set_job(resource, key, Some(number));
        }
        if !batch {
            let after = chrono::TimeDelta::seconds(first);
            world.schedule_in(self.service, after, STEP, number);
        }
        Ok(number)
    }

    /// The next step of a job is due.
    pub fn step(&mut self, world: &mut World, number: u64) {
        let Some(job) = self.jobs.get(number) else {
            return;
        };
        let work = job.work.clone();
        if let Some(trouble) = self.trouble(world, &work) {
            self.fail(world, number, &work, &trouble);
            return;
        }
        let now = world.now();
        let Some(job) = self.jobs.get_mut(number) else {
            return;
        };
        if let Some(step) = job.steps.get_mut(job.at) {
            step.end = Some(now);
        }
        job.at += 1;
        if let Some(step) = job.steps.get_mut(job.at) {
            step.begin = Some(now);
            let after = chrono::TimeDelta::seconds(step.seconds);
            world.schedule_in(self.service, after, STEP, number);
            return;
        }
        let before = job.before.clone();
        self.end(world, number, None);
        self.succeed(world, &work, &before);
    }

    /// What a job moves, with the state before: its subject, and for a group's action the members too.
    fn movers(&self, work: &Work) -> Vec<(Resource, u64, Status)> {
        let mut movers = Vec::new();
        if let Some((resource, key)) = work.subject() {
            movers.push((resource, key));
            let group = self.groups.get(key);
            if let (Work::Group(..), Some(group)) = (work, group) {
                movers.extend(group.instances.iter().map(|key| (Resource::Instance, *key)));
                movers.extend(group.pairs.iter().map(|key| (Resource::Pair, *key)));
            }
        }
        movers
            .into_iter()
            .filter_map(|(resource, key)| Some((resource, key, self.status_of(resource, key)?)))
            .collect()
    }

    fn status_of(&self, resource: Resource, key: u64) -> Option<Status> {
        match resource {
            Resource::Group => self.groups.get(key).map(|group| group.status),
            Resource::Instance => self.instances.get(key).map(|instance| instance.status),
            Resource::Pair => self.pairs.get(key).map(|pair| pair.status),
            Resource::Drill => self.drills.get(key).map(|drill| drill.status),
        }
    }

    /// Sets a status and the time of the change.
    pub fn set_status(&mut self, world: &World, resource: Resource, key: u64, status: Status) {
        let fields = match resource {
            Resource::Group => self
                .groups
                .get_mut(key)
                .map(|group| (&mut group.status, &mut group.updated)),
            Resource::Instance => self
                .instances
                .get_mut(key)
                .map(|instance| (&mut instance.status, &mut instance.updated)),
            Resource::Pair => self
                .pairs
                .get_mut(key)
                .map(|pair| (&mut pair.status, &mut pair.updated)),
            Resource::Drill => self
                .drills
                .get_mut(key)
                .map(|drill| (&mut drill.status, &mut drill.updated)),
        };
        if let Some((field, updated)) = fields {
            *field = status;
            *updated = world.now();
        }
    }

    fn set_job(&mut self, resource: Resource, key: u64, job: Option<u64>) {
        let field = match resource {
            Resource::Group => self.groups.get_mut(key).map(|group| &mut group.job),
            Resource::Instance => self.instances.get_mut(key).map(|it| &mut it.job),
            Resource::Pair => self.pairs.get_mut(key).map(|pair| &mut pair.job),
            Resource::Drill => self.drills.get_mut(key).map(|drill| &mut drill.job),
        };
        if let Some(field) = field {
            *field = job;
        }
    }

    /// Takes or gives back the production servers that a job works on, so that other services keep away.
    fn hold(&self, world: &mut World, work: &Work, take: bool) {
        let instances: Vec<u64> = match work {
            Work::InstanceCreate(key, _)
            | Work::InstanceDelete(key)
            | Work::Resize(key, _)
            | Work::Attach(key, ..)
            | Work::Detach(key, _) => vec![*key],
            Work::Group(key, Action::Reverse | Action::Failover) => self
                .groups
                .get(*key)
                .map(|group| group.instances.iter().copied().collect())
                .unwrap_or_default(),
            _ => Vec::new(),
        };
        let line = format!("sdrs: {}", work.job_type());
        for key in instances {
            let server = self
                .instances
                .get(key)
                .and_then(|instance| world.fleet.get_mut(&instance.source_server));
            let Some(server) = server else { continue };
            if take {
                server.held_by.push(line.clone());
            } else if let Some(at) = server.held_by.iter().position(|held| *held == line) {
                server.held_by.remove(at);
            }
        }
    }

    /// Ends a job one way or the other, before its effects.
    fn end(&mut self, world: &mut World, number: u64, failed: Option<Failed>) {
        let now = world.now();
        let Some(job) = self.jobs.get_mut(number) else {
            return;
        };
        job.end = Some(now);
        let what = match &failed {
            None => "sdrs.job.succeeded",
            Some(_) => "sdrs.job.failed",
        };
        world.note(json!({
            "what": what, "job_id": job.id, "job_type": job.work.job_type(),
            "code": failed.as_ref().map(|failed| failed.code),
        }));
        if let (Some(step), Some(failed)) = (job.steps.get_mut(job.at), &failed) {
            step.end = Some(now);
            step.failed = Some(failed.clone());
        }
        job.failed = failed;
        let (work, parent) = (job.work.clone(), job.parent);
        self.hold(world, &work, false);
        if let Some((resource, key)) = work.subject() {
            self.set_job(resource, key, None);
        }
        if let Some(parent) = parent {
            self.end_batch(world, parent);
        }
    }

    /// Ends a batch when its last part has ended; one failed part fails it.
    fn end_batch(&mut self, world: &mut World, number: u64) {
        let Some(batch) = self.jobs.get(number) else {
            return;
        };
        let children = batch.children.iter().filter_map(|key| self.jobs.get(*key));
        let mut failed = None;
        for child in children {
            if child.end.is_none() {
                return;
            }
            failed = failed.or(child.failed.clone());
        }
        self.end(world, number, failed);
    }

    /// A job fails: its subject shows it, whoever else moved goes back, and the task center has one row more.
    fn fail(&mut self, world: &mut World, number: u64, work: &Work, trouble: &Trouble) {
        let failed = trouble.failed(work);
        let Some(job) = self.jobs.get(number) else {
            return;
        };
        let (id, begin, before) = (job.id.clone(), job.begin, job.before.clone());
        self.end(world, number, Some(failed.clone()));
        let subject = work.subject();
        for (resource, key, was) in before {
            let guilty =
                subject == Some((resource, key)) || trouble.culprit == Some((resource, key));
            let to = work.failed().filter(|_| guilty).unwrap_or(was);
            self.set_status(world, resource, key, to);
        }
        if let (Work::PairCreate(key), code) = (work, failed.code)
            && let Some(pair) = self.pairs.get_mut(*key)
        {
            pair.failure_detail = Some(code);
        }
        let named = subject.and_then(|(resource, key)| {
            let (id, name, group) = self.named(resource, key)?;
            Some((resource, id, name, group))
        });
        if let Some((resource, key)) = subject {
            // Long enough that an operator sees it first.
            self.attend_later(world, resource, key, 20);
        }
        if let (Some(failure_status), Some((resource, resource_id, resource_name, group))) =
            (work.failure_status(), named)
        {
            self.task_center.add(FailedTask {
                job_id: id,
                job_type: work.job_type(),
                resource,
                resource_id,
                resource_name,
                failure_status,
                begin,
                code: failed.code,
                reason: failed.reason,
                group,
            });
        }
    }

    /// Id, name and group id of a thing.
    #[must_use]
    pub fn named(&self, resource: Resource, key: u64) -> Option<(String, String, String)> {
        let (id, name, group) = match resource {
            Resource::Group => {
                let group = self.groups.get(key)?;
                return Some((group.id.clone(), group.name.clone(), group.id.clone()));
            }
            Resource::Instance => {
                let it = self.instances.get(key)?;
                (&it.id, &it.name, it.group)
            }
            Resource::Pair => {
                let it = self.pairs.get(key)?;
                (&it.id, &it.name, it.group)
            }
            Resource::Drill => {
                let it = self.drills.get(key)?;
                (&it.id, &it.name, it.group)
            }
        };
        let group = self.groups.get(group)?;
        Some((id.clone(), name.clone(), group.id.clone()))
    }
}
