//! Failed jobs by what they share, what else needs a look, and who has no good backup: lists that lead on.

use crate::query::{Noun, Query};
use crate::store::{By, Group, Party, Store, TargetFrom, View};

use super::super::card::Card;
use super::super::state::layer::{Choice, Pick, PickItem, PickKind};
use super::super::state::{Layer, PaneId, State};
use super::super::text::{count, span};
use super::super::thing::{Thing, name_of};
use super::{go, push};

/// At most so many lines are listed.
const MOST: usize = 300;

/// Opens the list of causes.
pub(super) fn open(state: &mut State, by: By) {
    let mut items = findings(state);
    let groups = state.store.groups(state.store.failed_jobs(), by);
    items.extend(groups.iter().take(MOST).map(|g| group_item(state, g, by)));
    if items.is_empty() {
        items.push(PickItem {
            label: "Nothing failed, nothing is stuck, every schedule fires.".into(),
            about: String::new(),
            aside: String::new(),
            blocked: None,
            choice: Choice::Nothing,
        });
    }
    let title = format!("What is wrong, failed jobs by {}", by.word());
    push(
        state,
        Layer::Pick(Pick::new(PickKind::Causes(by), title, items)),
    );
}

/// What needs a look although it may not have failed: each with the filter that shows it.
fn findings(state: &State) -> Vec<PickItem> {
    const LOOKS: [(PaneId, &str, &str, &str); 6] = [
        (
            PaneId::Running,
            "is:stuck",
            "stuck",
            "nothing happens in them for longer than their past, their policy's or any task's allows",
        ),
        (
            PaneId::Tasks,
            "is:lost",
            "lost",
            "they vanished at the service while they were live; nobody knows how they ended",
        ),
        (
            PaneId::Policies,
            "is:silent",
            "silent schedules",
            "the schedule is on and has not fired when it should have",
        ),
        (
            PaneId::Running,
            "is:slow",
            "slow",
            "they take more than twice as long as usual",
        ),
        (
            PaneId::Devices,
            "is:flapping",
            "flapping",
            "their backups are good and bad by turns: a retry is no cure",
        ),
        (
            PaneId::Devices,
            "is:overdue",
            "without a good backup",
            "none within their target",
        ),
    ];
    LOOKS
        .into_iter()
        .filter_map(|(pane, filter, name, what)| {
            let n = matching(state, pane.noun()?, filter);
            (n > 0).then(|| PickItem {
                label: format!("{} {} {name}", state.look.glyphs.warning, count(n)),
                about: what.to_owned(),
                aside: pane.word().to_owned(),
                blocked: None,
                choice: Choice::Rows {
                    pane,
                    filter: filter.to_owned(),
                    mark: false,
                    more: Vec::new(),
                },
            })
        })
        .collect()
}

fn matching(state: &State, noun: Noun, filter: &str) -> usize {
    let Ok(query) = Query::parse(filter) else {
        return 0;
    };
    let mut view = View::new(noun);
    view.set_query(query);
    view.refresh(&state.store, state.now);
    view.len()
}

fn group_item(state: &State, group: &Group, by: By) -> PickItem {
    let store = &state.store;
    let card = group
        .rows
        .first()
        .map(|row| Card::of(&state.catalog, store, *row));
    let name = match (group.name.as_str(), by) {
        ("", By::Device) => "no device told",
        ("", By::Policy) => "no policy told",
        ("", _) => "no reason told",
        (name, _) => name,
    };
    let n = group.rows.len();
    let mut about = Vec::new();
    if by == By::Code
        && let Some(card) = &card
    {
        about.push(card.short_meaning());
    }
    if group.open < n {
        about.push(format!("{} taken", count(n - group.open)));
    }
    if by != By::Device {
        match group.devices {
            0 => {}
            1 => about.push("1 device".to_owned()),
            n => about.push(format!("{} devices", count(n))),
        }
    }
    let age = |t: crate::model::Timestamp| span(state.now.since(t).max(0));
    match (group.first, group.last) {
        (Some(first), Some(last)) if n > 1 => {
            about.push(format!("first {} ago, last {} ago", age(first), age(last)));
        }
        (_, Some(last)) => about.push(format!("{} ago", age(last))),
        _ => {}
    }
    PickItem {
        label: format!("{:>4} × {name}", count(n)),
        about: about.join(" · "),
        aside: group.service.map_or_else(
            || "several services".into(),
            |id| name_of(store, id).to_owned(),
        ),
        blocked: None,
        choice: Choice::Rows {
            pane: PaneId::Failed,
            filter: group.filter.clone(),
            mark: true,
            more: remedy(card.as_ref()),
        },
    }
}

/// What to do, once for all of the group.
fn remedy(card: Option<&Card>) -> Vec<String> {
    let Some(card) = card else { return Vec::new() };
    let mut out = Vec::new();
    let several = card.readings.len() > 1;
    for (n, entry) in card.entries().enumerate() {
        let head = if several {
            format!("Reading {}: {}", n + 1, entry.meaning)
        } else {
            entry.meaning.clone()
        };
        out.push(head);
        let steps = entry.remedy.iter().enumerate();
        out.extend(steps.map(|(n, step)| format!("{}  {step}", n + 1)));
        if !entry.runbook.is_empty() {
            out.push(format!("runbook: {} (site)", entry.runbook));
        }
    }
    if out.is_empty() {
        out.push(card.meaning());
    }
    out
}

/// Opens the list of devices and policies by risk.
pub(super) fn backups(state: &mut State) {
    let store = &state.store;
    let now = state.now;
    let all = store.by_risk(now);
    // the head of the screen counts devices alone: told apart, the two agree
    let of = |devices: bool| {
        let here = all
            .iter()
            .filter(|(party, _)| matches!(party, Party::Device(_)) == devices);
        let overdue = here.clone().filter(|(_, overdue)| *overdue).count();
        format!("{} of {}", count(overdue), count(here.count()))
    };
    let title = format!(
        "Last good backups, overdue: {} devices, {} policies",
        of(true),
        of(false)
    );
    let mut items: Vec<PickItem> = all
        .into_iter()
        .take(MOST)
        .map(|(party, overdue)| party_item(state, party, overdue))
        .collect();
    if items.is_empty() {
        items.push(PickItem {
            label: "No device and no policy is known that would have to have a backup.".into(),
            about: String::new(),
            aside: String::new(),
            blocked: None,
            choice: Choice::Nothing,
        });
    }
    push(
        state,
        Layer::Pick(Pick::new(PickKind::Backups, title, items)),
    );
}

fn party_item(state: &State, party: Party, overdue: bool) -> PickItem {
    let store = &state.store;
    let g = state.look.glyphs;
    let thing = Thing::of_party(party);
    let facts = protection(state, party);
    let sign = if overdue { g.warning } else { g.good };
    PickItem {
        label: format!("{sign} {}", thing.name(store)),
        about: facts
            .iter()
            .map(|(_, text)| text.as_str())
            .take(2)
            .collect::<Vec<_>>()
            .join("  "),
        aside: format!("{} {}", thing.service_name(store), thing.kind().word()),
        blocked: None,
        choice: Choice::Go {
            pane: match party {
                Party::Device(_) => PaneId::Devices,
                Party::Policy(_) => PaneId::Policies,
            },
            thing,
            more: facts
                .into_iter()
                .map(|(label, text)| format!("{label:<12} {text}"))
                .collect(),
        },
    }
}

/// How a device or policy stands against its target, its last nights, and how long its backups take; each with
/// its label, the first two the shortest.
#[must_use]
pub fn protection(state: &State, party: Party) -> Vec<(&'static str, String)> {
    let store = &state.store;
    let now = state.now;
    let (stats, target) = match party {
        Party::Device(row) => (store.device(row).stats(), Some(store.target_of_device(row))),
        Party::Policy(row) => (store.policy(row).stats(), store.target_of_policy(row)),
    };
    let mut out = Vec::new();
    if let Some(target) = target {
        let within = span(target.within_ms);
        let overdue = store.is_overdue(party, now);
        out.push((
            "target",
            match stats.last_good {
                _ if stats.good_now => "protected now".to_owned(),
                Some(t) if overdue => format!(
                    "{} over {within}",
                    span(now.since(t).saturating_sub(target.within_ms).max(0))
                ),
                Some(t) => format!("{} of {within}", span(now.since(t).max(0))),
                None if overdue => format!("never within {within}"),
                None => within,
            },
        ));
    }
    let nights = store.nights(party, now);
    let g = state.look.glyphs;
    let row: String = nights
        .nights
        .iter()
        .map(|night| night.phase().map_or(g.dot, |phase| g.phase(phase)))
        .collect();
    let percent = nights
        .percent()
        .map_or_else(String::new, |p| format!("  {p} % good"));
    out.push(("14 nights", format!("{row}{percent}")));
    if let Some(usual) = nights.usual_ms {
        let mut text = format!("usually {}", span(usual));
        if let Some(last) = nights.last_ms {
            text.push_str(&format!(", last {}", span(last)));
            if last > usual.saturating_mul(2) && usual > 0 {
                text.push_str(&format!(
                    ": {}.{} times as long",
                    last / usual,
                    last * 10 / usual % 10
                ));
            }
        }
        out.push(("takes", text));
    }
    if stats.is_flapping() {
        out.push((
            "flapping",
            "good and bad by turns: a retry is no cure".to_owned(),
        ));
    }
    if let Some(target) = target {
        out.push(("target from", source(store, target.from)));
    }
    out
}

fn source(store: &Store, from: TargetFrom) -> String {
    match from {
        TargetFrom::Rule(n) => store.targets().get(n).map_or_else(String::new, |rule| {
            format!("the rule {} (configuration)", rule.query.text())
        }),
        TargetFrom::Schedule => "how often its schedule fires".to_owned(),
        TargetFrom::Default => "the general target (configuration)".to_owned(),
    }
}

/// Follows a line of one of the lists.
pub(super) fn follow(state: &mut State, choice: Choice) {
    match choice {
        Choice::Rows {
            pane, filter, mark, ..
        } => {
            go::leave_for_rows(state, pane, &filter);
            if mark && let Some(pane) = state.pane_mut() {
                pane.clear_marks();
                pane.mark_all();
                let n = pane.marks().len();
                state.say(
                    format!("{n} marked: r retries, K takes, U takes the marks off."),
                    super::super::state::Tone::Plain,
                );
            }
        }
        Choice::Go { pane, thing, .. } => go::leave_for_row(state, pane, thing),
        _ => {}
    }
}
