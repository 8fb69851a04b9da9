//! Whether a word can be carried out now, and if not, why: the same answer for keys, palette, help and
//! the list of keys that go on.

use crate::model::Verb;
use crate::operate::Offer;

use super::relation;
use super::state::{PaneId, State};
use super::thing::Thing;
use super::word::{Group, Word};

/// Why nothing goes out from the board of an earlier time.
const IN_THE_PAST: &str =
    "this is the board of an earlier time, nothing is sent from it; esc leads back to now";

/// Why `word` can't be carried out now; `None` when it can.
#[must_use]
pub fn why_not(state: &State, word: Word) -> Option<String> {
    let asks = word.group() == Group::Act || matches!(word, Word::Poll | Word::PollAll);
    if asks && state.then.is_some() {
        return Some(IN_THE_PAST.to_owned());
    }
    let subject = state.subject();
    if let Some(verb) = word.verb() {
        return why_not_verb(state, subject, verb);
    }
    let no_row = || Some("there is no row here".to_owned());
    let listing = state.detail.is_none() && state.pane().is_some();
    match word {
        Word::Menu | Word::Preview | Word::Detail | Word::Ticket | Word::CopyId | Word::Poll
            if subject.is_none() =>
        {
            no_row()
        }
        Word::CopyRecord => match subject {
            None => no_row(),
            Some(thing) if thing.record(&state.store).is_none() => {
                Some("the service's own record is not held".to_owned())
            }
            Some(_) => None,
        },
        Word::Acknowledge | Word::Unacknowledge | Word::Note
            if state.detail.is_none() && state.pane().is_some_and(|p| !p.marks().is_empty()) =>
        {
            None
        }
        Word::Acknowledge => match subject {
            None => no_row(),
            Some(Thing::Task(row)) if state.store.task(row).phase().needs_person() => None,
            Some(_) => Some("only what has failed can be taken".into()),
        },
        Word::Note => match subject {
            None => no_row(),
            Some(Thing::Task(row)) if state.store.task(row).phase().needs_person() => None,
            Some(_) => Some("only what has failed can be noted".into()),
        },
        Word::Unacknowledge => match subject {
            None => no_row(),
            Some(Thing::Task(row)) if state.store.task(row).ack().is_some() => None,
            Some(_) => Some("nobody took it".into()),
        },
        Word::Back if !state.places.has_back() => Some("you haven't come from anywhere".into()),
        Word::Forward if !state.places.has_forward() => Some("there is nothing ahead".into()),
        Word::Ended if state.focus != PaneId::Failed => {
            Some("only the list of failed jobs leaves out skipped and cancelled tasks".into())
        }
        Word::Taken if state.focus != PaneId::Failed => {
            Some("only the list of failed jobs can leave them out".into())
        }
        Word::FilterClear if state.pane().is_none_or(|p| p.filter().is_empty()) => {
            Some("there is no filter".into())
        }
        Word::MarkClear if state.pane().is_none_or(|p| p.marks().is_empty()) => {
            Some("nothing is marked".into())
        }
        Word::FilterCode | Word::MarkCode => match subject {
            Some(Thing::Task(row)) if state.store.task(row).code().is_empty() => {
                Some("this task has no code".into())
            }
            Some(Thing::Task(_)) if listing => None,
            _ => Some("only tasks in a list have codes to go by".into()),
        },
        Word::Filter | Word::Sort | Word::SortReverse if !listing => {
            Some("there is no list here".into())
        }
        Word::StepOn | Word::MinutesOn if state.then.is_none() => {
            Some("this is now; the board of the past (@) goes on from there".into())
        }
        Word::Card | Word::Course | Word::Past | Word::Record if subject.is_none() => no_row(),
        Word::Notice if !state.has_embedded() => Some("no embedded services are running".into()),
        _ => match (word.group(), subject) {
            (Group::Go, _) if matches!(word, Word::Back | Word::Forward) => None,
            (Group::Go, None) => no_row(),
            (Group::Go, Some(thing)) => relation::way(&state.store, thing, word).err(),
            (Group::Mark, _) if !listing => Some("there is no list here".into()),
            _ => None,
        },
    }
}

fn why_not_verb(state: &State, subject: Option<Thing>, verb: Verb) -> Option<String> {
    let marked = state.detail.is_none() && state.pane().is_some_and(|p| !p.marks().is_empty());
    if marked {
        // which of the marked can be acted on is said in the confirmation
        return None;
    }
    let Some(thing) = subject else {
        return Some("there is no row here".into());
    };
    let offers = offers(state, thing);
    let mut of_verb = offers.iter().filter(|o| o.verb == verb).peekable();
    of_verb.peek()?;
    let mut why = None;
    for offer in of_verb {
        match &offer.blocked {
            None => return None,
            Some(reason) => why = why.or_else(|| Some(reason.clone())),
        }
    }
    why
}

/// What can be done with a thing, and why the rest can't.
#[must_use]
pub fn offers(state: &State, thing: Thing) -> Vec<Offer> {
    let mut offers = state
        .operator
        .offers(thing.service(&state.store), &thing.target(&state.store));
    if state.then.is_some() {
        for offer in &mut offers {
            offer.blocked = Some(IN_THE_PAST.to_owned());
        }
    }
    offers
}
