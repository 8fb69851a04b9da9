//! What the console does, told by keys and screens.

mod ack;
mod act;
mod any;
mod causes;
mod data;
mod find;
mod go;
mod rows;
mod screens;
mod then;
mod views;

use super::example::*;
use super::state::{PaneId, State};

/// The screen as one text.
fn text(state: &State) -> String {
    screen(state).join("\n")
}

/// The line of the screen that holds this text.
fn line(state: &State, holds: &str) -> String {
    screen(state)
        .into_iter()
        .find(|l| l.contains(holds))
        .unwrap_or_else(|| panic!("no line with {holds:?} in\n{}", text(state)))
}

/// The name under the cursor.
fn cursor(state: &State) -> String {
    state
        .under_cursor()
        .map(|t| t.id(&state.store).to_owned())
        .unwrap_or_default()
}

/// Ids of the rows of a pane, in order.
fn ids(state: &State, id: PaneId) -> Vec<String> {
    let pane = state.panes.get(id).unwrap();
    pane.rows()
        .map(|row| pane.thing(row).id(&state.store).to_owned())
        .collect()
}
