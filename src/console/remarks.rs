//! Acknowledgements and notes: written to history, and read from it so that those of other consoles are seen.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc::Sender;

use super::message::Message;
use crate::store::history::{Event, History, Place, Remark, RemarkQuery, Sort};
use crate::watch::pause;

/// How often it is looked whether another console said something, in milliseconds.
const EVERY_MS: u64 = 10_000;

/// Everything that was said about tasks.
fn read(history: &dyn History) -> Option<Vec<Remark>> {
    let query = RemarkQuery {
        sort: Some(Sort::Task),
        ..RemarkQuery::default()
    };
    // a history that can't be read is told as its health
    history.remarks(&query).ok()
}

/// Tells the console what is known, and from then on what is new.
pub fn follow(runtime: &Handle, history: &Arc<dyn History>, out: &Sender<Message>) {
    if matches!(history.health().place, Place::Off(_)) {
        // nobody can have said anything
        return;
    }
    let (history, out) = (Arc::clone(history), out.clone());
    runtime.spawn(async move {
        let mut told = Vec::new();
        while !out.is_closed() {
            let reader = Arc::clone(&history);
            let now = tokio::task::spawn_blocking(move || read(&*reader)).await;
            if let Ok(Some(now)) = now
                && now != told
            {
                told.clone_from(&now);
                if out.send(Message::Remarks(now)).await.is_err() {
                    return;
                }
            }
            pause(EVERY_MS).await;
        }
    });
}

/// Writes remarks down and tells what came of it.
pub fn keep(
    runtime: &Handle,
    history: &Arc<dyn History>,
    out: &Sender<Message>,
    remarks: Vec<Remark>,
    what: String,
) {
    let (history, out) = (Arc::clone(history), out.clone());
    runtime.spawn(async move {
        let events = remarks
            .into_iter()
            .map(|remark| Event::Remark(Box::new(remark)))
            .collect();
        let fault = if let Place::Off(why) = history.health().place {
            Some(format!("history is off ({why}): nothing is kept"))
        } else {
            history.save(events).await.err().map(|e| {
                // what was seen waits for the disk; this does not
                format!("{} ({}). Say it again when that is mended", e.what, e.place)
            })
        };
        let reader = Arc::clone(&history);
        let now = tokio::task::spawn_blocking(move || read(&*reader)).await;
        if let Ok(Some(now)) = now
            && out.send(Message::Remarks(now)).await.is_err()
        {
            return;
        }
        // the console may be gone already
        let _ = out.send(Message::Remarked { what, fault }).await;
    });
}
