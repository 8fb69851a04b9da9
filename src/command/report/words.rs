//! The facts as a page for people: what matters first, cut where a page would be too long.

use crate::command::item::Item;
use crate::console::text::{Zone, span};
use crate::model::Timestamp;

use super::facts::{Cause, Deed, Facts, Failed, Look, Said, Summary};
use super::page::{Block, Line, Page, Section, Style};

/// At most so many causes with their remedy.
const CAUSES: usize = 12;
/// At most so many rows in a table.
const ROWS: usize = 40;
/// At most so many steps of a remedy.
const STEPS: usize = 4;
/// At most so many names in a row.
const NAMES: usize = 6;

/// Times as the page shows them.
#[derive(Clone, Copy)]
struct Clock {
    zone: Zone,
    now: Timestamp,
}

impl Clock {
    fn at(self, t: &str) -> String {
        instant(t).map_or_else(String::new, |t| self.zone.weekday(t, self.now))
    }

    fn maybe(self, t: Option<&str>) -> String {
        t.map_or_else(String::new, |t| self.at(t))
    }

    /// How long ago it was.
    fn age(self, t: &str) -> String {
        instant(t).map_or_else(String::new, |t| span(self.now.since(t)))
    }
}

fn instant(text: &str) -> Option<Timestamp> {
    let at = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    Some(Timestamp(at.timestamp_millis()))
}

/// `1 job`, `3 jobs`.
fn some(n: usize, one: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else if let Some(head) = one.strip_suffix("cy") {
        format!("{n} {head}cies")
    } else {
        format!("{n} {one}s")
    }
}

/// `a, b and c`.
fn listed(all: &[String]) -> String {
    match all {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

/// At most [`NAMES`] of them, and how many more.
fn some_of(names: &[String]) -> String {
    match names.len().saturating_sub(NAMES) {
        0 => listed(names),
        more => format!("{} and {more} more", names[..NAMES].join(", ")),
    }
}

/// The page.
pub fn page(facts: &Facts, zone: Zone) -> Page {
    let now = instant(&facts.generated_at).unwrap_or_default();
    let clock = Clock { zone, now };
    let mut sections = vec![
        open(facts, clock),
        failed(facts, clock),
        done(facts, clock),
        backups(facts, clock),
    ];
    sections.extend(look(facts, clock));
    sections.push(services(facts));
    Page {
        title: format!(
            "Backup handover, {} to {}",
            clock.at(&facts.from),
            clock.at(&facts.generated_at)
        ),
        lead: lead(facts),
        sections,
        foot: format!(
            "Made by keepwatch {} for {} on {}, {}. Times are {}.",
            env!("CARGO_PKG_VERSION"),
            facts.operator,
            facts.host,
            zone.full(now),
            zone.name(now)
        ),
    }
}

fn lead(facts: &Facts) -> Vec<Line> {
    let Summary {
        failed,
        recovered,
        good,
        open,
        taken,
        running,
        actions,
        ..
    } = facts.summary;
    let s = &facts.summary;
    let mut first = Line::default();
    first = match (failed, recovered) {
        (0, _) => first.with(Style::Good, "Nothing failed").plain(format!(
            " in this time; {} good. ",
            are(good, "task was", "tasks were")
        )),
        (_, 0) => first
            .with(Style::Bad, format!("{} failed", some(failed, "job")))
            .plain(format!("; {} good. ", are(good, "task was", "tasks were"))),
        _ => first
            .with(Style::Bad, format!("{} failed", some(failed, "job")))
            .plain(format!(
                ", {} since; {} good. ",
                are(recovered, "of them succeeded", "of them succeeded"),
                are(good, "task was", "tasks were")
            )),
    };
    first = match (open, taken) {
        (0, 0) => first.with(Style::Good, "Nothing is open. "),
        (0, n) => first.plain(format!("Nothing is open that nobody took; {n} taken. ")),
        (n, 0) => first
            .with(Style::Bad, format!("{} open", are(n, "job is", "jobs are")))
            .plain(", nobody took any. "),
        (n, t) => first
            .with(Style::Bad, format!("{} open", are(n, "job is", "jobs are")))
            .plain(format!(", {t} more taken. ")),
    };
    first = match (s.overdue_devices, s.overdue_policies) {
        (0, 0) => first.with(
            Style::Good,
            "Everything has a good backup within its target. ",
        ),
        (d, p) => {
            let mut what = Vec::new();
            if d > 0 {
                what.push(some(d, "device"));
            }
            if p > 0 {
                what.push(some(p, "policy"));
            }
            let have = if d + p == 1 { "has" } else { "have" };
            first.with(
                Style::Warn,
                format!(
                    "{} {have} no good backup within the target. ",
                    listed(&what)
                ),
            )
        }
    };
    first = first.plain(match actions {
        0 if s.people.is_empty() => "No action was sent from here. ".to_owned(),
        0 => format!("No action was sent; at work: {}. ", listed(&s.people)),
        n if s.people.is_empty() => format!("{} sent. ", are(n, "action was", "actions were")),
        n => format!(
            "{} sent; at work: {}. ",
            are(n, "action was", "actions were"),
            listed(&s.people)
        ),
    });
    first = first.plain(match running {
        0 => "Nothing is running.".to_owned(),
        n => format!("{} running.", are(n, "task is", "tasks are")),
    });
    let mut lead = vec![first];
    if facts.demo {
        let what = "These are the embedded demo services, not real ones.";
        lead.push(Line::default().with(Style::Warn, what));
    }
    let down: Vec<String> = facts
        .services
        .iter()
        .filter_map(|s| Some(format!("{} ({}): {}", s.name(), s.health(), s.error()?)))
        .collect();
    for what in down.iter().chain(&facts.history_missing) {
        lead.push(
            Line::default()
                .with(Style::Warn, "Not the whole picture: ")
                .plain(what),
        );
    }
    lead
}

fn are(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn more(blocks: &mut Vec<Block>, all: usize, shown: usize, what: &str) {
    if all > shown {
        let text = format!(
            "{} more {what} are not shown here; the JSON has all.",
            all - shown
        );
        blocks.push(Block::Line(Line::default().with(Style::Dim, text)));
    }
}

fn section(title: impl Into<String>, blocks: Vec<Block>, none: &str) -> Section {
    let blocks = if blocks.is_empty() {
        vec![Block::Line(Line::of(none))]
    } else {
        blocks
    };
    Section {
        title: title.into(),
        blocks,
    }
}

fn open(facts: &Facts, clock: Clock) -> Section {
    // what failed in this time is news and stands with what to do; the rest is known and stands in a table
    let from = instant(&facts.from);
    let is_news = |cause: &&Cause| cause.group.last_at.as_deref().and_then(instant) >= from;
    let (news, older): (Vec<&Cause>, Vec<&Cause>) = facts.open.iter().partition(is_news);
    let mut blocks: Vec<Block> = news
        .iter()
        .take(CAUSES)
        .map(|cause| cause_block(cause, clock))
        .collect();
    more(&mut blocks, news.len(), CAUSES, "causes");
    if !older.is_empty() {
        let what = format!(
            "{} open from before:",
            are(older.len(), "cause is", "causes are")
        );
        blocks.push(Block::Line(Line::default().with(Style::Strong, what)));
        let rows = older.iter().take(ROWS);
        blocks.push(Block::Table {
            head: vec![
                "Jobs",
                "Code",
                "On",
                "Service",
                "First",
                "Last",
                "Who has it",
            ],
            rows: rows.map(|cause| cause_row(cause, clock)).collect(),
        });
        more(&mut blocks, older.len(), ROWS, "causes");
    }
    section(
        "What is open",
        blocks,
        "Nothing: whatever failed has succeeded since, or was cleared.",
    )
}

fn cause_row(cause: &Cause, clock: Clock) -> Vec<Line> {
    let group = &cause.group;
    let holders = holders(cause, clock).join("; ");
    let notes = notes(cause, clock).join("; ");
    let who = match (group.open, holders.is_empty()) {
        (_, true) => Line::default().with(Style::Bad, "nobody"),
        (0, false) => Line::of(holders),
        (n, false) => Line::of(format!("{holders}; {n} not taken")),
    };
    let who = match notes.as_str() {
        "" => who,
        notes => who.plain(format!(". {notes}")),
    };
    vec![
        Line::of(group.jobs.to_string()),
        Line::default().with(Style::Code, group.name.as_deref().unwrap_or("")),
        Line::of(some_of(&cause.on)),
        Line::of(group.service.as_deref().unwrap_or("several")),
        Line::of(clock.maybe(group.first_at.as_deref())),
        Line::of(clock.maybe(group.last_at.as_deref())),
        who,
    ]
}

/// Who took jobs of a cause, each with how many, until when and the note.
fn holders(cause: &Cause, clock: Clock) -> Vec<String> {
    let all = cause.group.jobs;
    let holder = |t: &super::facts::Taken| {
        let mut who = t.by.clone();
        if t.jobs < all {
            who.push_str(&format!(" ({})", t.jobs));
        }
        if let Some(until) = &t.until {
            who.push_str(&format!(" until {}", clock.at(until)));
        }
        if !t.note.is_empty() {
            who.push_str(&format!(": {}", t.note));
        }
        who
    };
    cause.taken.iter().map(holder).collect()
}

/// What was noted about jobs of a cause, a sentence each.
fn notes(cause: &Cause, clock: Clock) -> Vec<String> {
    let note = |n: &super::facts::Noted| {
        let on = match n.jobs {
            1 => n.on.clone(),
            many => format!("{many} of them"),
        };
        format!("Noted by {} on {on}, {}: {}", n.by, clock.at(&n.at), n.text)
    };
    cause.notes.iter().map(note).collect()
}

fn cause_block(cause: &Cause, clock: Clock) -> Block {
    let group = &cause.group;
    let mut head = Line::of(format!("{} × ", group.jobs));
    head = match &group.name {
        Some(name) => head.with(Style::Code, name),
        None => head.plain("no reason told"),
    };
    if !cause.on.is_empty() {
        head = head.plain(format!(" on {}", some_of(&cause.on)));
    }
    if let Some(service) = &group.service {
        head = head.with(Style::Dim, format!(" ({service})"));
    }
    let mut text = Vec::new();
    let mut state = Line::default();
    let first = clock.maybe(group.first_at.as_deref());
    let last = clock.maybe(group.last_at.as_deref());
    state = state.plain(match (first.as_str(), last.as_str()) {
        ("", "") => String::new(),
        (a, b) if a == b || group.jobs == 1 => format!("Failed {b}. "),
        (a, b) => format!("First {a}, last {b}. "),
    });
    let holders = holders(cause, clock);
    state = match (group.open, holders.is_empty()) {
        (_, true) => state.with(Style::Bad, "Nobody has it."),
        (0, false) => state.plain(format!("Taken by {}.", holders.join("; "))),
        (n, false) => state
            .plain(format!("Taken by {}. ", holders.join("; ")))
            .with(Style::Bad, format!("{n} not taken.")),
    };
    text.push(state);
    for note in notes(cause, clock) {
        text.push(Line::of(note));
    }
    if let Some(meaning) = &group.meaning {
        text.push(Line::of(meaning));
    } else {
        text.push(Line::of(
            "The service gives no reason, and the catalog knows none.",
        ));
    }
    if let Some(advice) = group.retry_advice {
        text.push(Line::default().with(Style::Strong, "Retry: ").plain(advice));
    }
    let steps = group.remedy.as_deref().unwrap_or_default();
    Block::Item {
        head,
        text,
        steps: steps.iter().take(STEPS).cloned().collect(),
    }
}

fn failed(facts: &Facts, clock: Clock) -> Section {
    let mut blocks = Vec::new();
    if !facts.failed.is_empty() {
        let row = |f: &Failed| {
            let i = &f.item;
            let text = |t: &Option<String>| Line::of(t.as_deref().unwrap_or(""));
            let code = i.code.as_ref().or(i.native_status.as_ref());
            vec![
                Line::of(clock.maybe(f.at.as_deref())),
                Line::of(&i.service),
                text(&i.device),
                text(&i.policy),
                Line::default().with(Style::Code, code.cloned().unwrap_or_default()),
                stands(f, clock),
            ]
        };
        blocks.push(Block::Table {
            head: vec!["Failed", "Service", "Device", "Policy", "Code", "Now"],
            rows: facts.failed.iter().take(ROWS).map(row).collect(),
        });
        more(&mut blocks, facts.failed.len(), ROWS, "failed jobs");
    }
    section("What failed", blocks, "Nothing failed in this time.")
}

fn stands(f: &Failed, clock: Clock) -> Line {
    match (f.stands, &f.succeeded_at, &f.item.ack) {
        ("succeeded since", Some(at), _) => {
            Line::default().with(Style::Good, format!("succeeded {}", clock.at(at)))
        }
        ("taken", _, Some(ack)) => Line::of(format!("taken by {}", ack.by)),
        ("open", ..) => Line::default().with(Style::Bad, "open"),
        (other, ..) => Line::of(other),
    }
}

fn done(facts: &Facts, clock: Clock) -> Section {
    let mut rows: Vec<(&str, Vec<Line>)> = Vec::new();
    for deed in &facts.done {
        rows.push((&deed.at, deed_row(deed, clock)));
    }
    for said in &facts.said {
        rows.push((&said.at, said_row(said, clock)));
    }
    rows.sort_by(|a, b| a.0.cmp(b.0));
    let all = rows.len();
    let mut blocks = Vec::new();
    if all > 0 {
        // the newest are what the next one asks about
        let rows = rows.into_iter().skip(all.saturating_sub(ROWS));
        blocks.push(Block::Table {
            head: vec!["When", "Who", "What", "On", "What came of it"],
            rows: rows.map(|(_, row)| row).collect(),
        });
        more(&mut blocks, all, ROWS, "earlier entries");
    }
    section(
        "What was done",
        blocks,
        "Nothing was sent or said from here in this time.",
    )
}

fn deed_row(deed: &Deed, clock: Clock) -> Vec<Line> {
    let style = match deed.stage.as_str() {
        "refused" | "not sent" | "outcome unknown" | "can't tell" => Style::Bad,
        _ if !deed.over => Style::Warn,
        _ => Style::Plain,
    };
    let mut outcome = Line::default().with(style, &deed.stage);
    if !deed.detail.is_empty() {
        outcome = outcome.plain(format!(": {}", deed.detail));
    }
    vec![
        Line::of(clock.at(&deed.at)),
        Line::of(&deed.operator),
        Line::of(&deed.verb),
        Line::of(format!(
            "{} {} ({})",
            deed.target_kind, deed.target, deed.service
        )),
        outcome,
    ]
}

fn said_row(said: &Said, clock: Clock) -> Vec<Line> {
    let what = match said.kind {
        "acknowledged" => "took it",
        "withdrawn" => "gave it back",
        "note" => "noted",
        other => other,
    };
    let mut text = said.text.clone();
    if let Some(until) = &said.until {
        let until = format!("until {}", clock.at(until));
        text = if text.is_empty() {
            until
        } else {
            format!("{text} ({until})")
        };
    }
    let on = if said.service.is_empty() {
        said.about.clone()
    } else {
        format!("{} ({})", said.about, said.service)
    };
    vec![
        Line::of(clock.at(&said.at)),
        Line::of(&said.operator),
        Line::of(what),
        Line::of(on),
        Line::of(text),
    ]
}

fn backups(facts: &Facts, clock: Clock) -> Section {
    let untried = |item: &&Item| {
        let party = item.party.as_ref();
        party.is_some_and(|p| p.last_good_at.is_none() && p.last_attempt_at.is_none())
    };
    let (untried, tried): (Vec<&Item>, Vec<&Item>) = facts.backups.iter().partition(untried);
    let mut blocks = Vec::new();
    if !tried.is_empty() {
        let legend = "The worst first. Nights from noon to noon, the oldest first: + good, x bad, . nothing known.";
        blocks.push(Block::Line(Line::default().with(Style::Dim, legend)));
        let rows = tried.iter().take(ROWS);
        blocks.push(Block::Table {
            head: vec![
                "Device or policy",
                "Service",
                "Last good",
                "Target",
                "Failed in a row",
                "14 nights",
                "Good",
            ],
            rows: rows.filter_map(|item| backup_row(item, clock)).collect(),
        });
        more(&mut blocks, tried.len(), ROWS, "of them");
    }
    let mut services: Vec<&str> = untried.iter().map(|item| item.service.as_str()).collect();
    services.sort_unstable();
    services.dedup();
    for service in services {
        let of = untried.iter().filter(|item| item.service == service);
        let parties = of.filter_map(|item| item.party.as_ref());
        let names: Vec<String> = parties.map(|p| p.name.clone()).collect();
        let line = Line::default()
            .with(
                Style::Bad,
                format!("No backup known on {service}: {}", names.len()),
            )
            .plain(format!(" ({}).", some_of(&names)));
        blocks.push(Block::Line(line));
    }
    section(
        "What has no good backup",
        blocks,
        "Everything that has a target has a good backup within it.",
    )
}

fn backup_row(item: &Item, clock: Clock) -> Option<Vec<Line>> {
    let party = item.party.as_ref()?;
    let name = if item.device.is_some() {
        party.name.clone()
    } else {
        format!("{} (policy)", party.name)
    };
    let last = match &party.last_good_at {
        Some(t) => Line::of(format!("{} ({} ago)", clock.at(t), clock.age(t))),
        None => Line::default().with(Style::Bad, "never"),
    };
    Some(vec![
        Line::of(name),
        Line::of(&item.service),
        last,
        Line::of(party.target_s.map_or_else(String::new, |s| span(s * 1000))),
        Line::of(party.failures_in_a_row.to_string()),
        Line::default().with(Style::Code, &party.nights),
        Line::of(
            party
                .good_percent
                .map_or_else(String::new, |n| format!("{n} %")),
        ),
    ])
}

fn look(facts: &Facts, clock: Clock) -> Option<Section> {
    if facts.look.is_empty() {
        return None;
    }
    let row = |l: &Look| {
        vec![
            Line::default().with(Style::Warn, l.what),
            Line::of(format!("{} {}", l.kind, l.name)),
            Line::of(&l.service),
            Line::of(clock.maybe(l.since.as_deref())),
            Line::of(&l.text),
        ]
    };
    let mut blocks = vec![Block::Table {
        head: vec!["", "What", "Service", "Since", "Why"],
        rows: facts.look.iter().take(ROWS).map(row).collect(),
    }];
    more(&mut blocks, facts.look.len(), ROWS, "of them");
    Some(Section {
        title: "What needs a look".to_owned(),
        blocks,
    })
}

fn services(facts: &Facts) -> Section {
    let row = |s: &crate::command::list::StateJson| {
        let style = if s.is_partial() {
            Style::Warn
        } else {
            Style::Good
        };
        vec![
            Line::of(s.name()),
            Line::of(s.kind()),
            Line::default().with(style, s.health()),
            Line::of(s.error().unwrap_or("")),
        ]
    };
    Section {
        title: "Services asked".to_owned(),
        blocks: vec![Block::Table {
            head: vec!["Service", "Kind", "State", ""],
            rows: facts.services.iter().map(row).collect(),
        }],
    }
}
