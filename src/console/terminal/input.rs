//! Reading the terminal: a thread of its own that sleeps in `read` and never polls.

use std::io;
use std::thread;

use crossterm::event::{self, Event, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::super::key::{Key, KeyCode};
use super::super::message::Message;

/// Starts the thread; its messages come through the channel. It ends when nobody listens any more or the
/// terminal is gone, which it tells with [`Message::Terminate`].
///
/// # Errors
/// When the thread can't be started.
pub fn listen() -> io::Result<Receiver<Message>> {
    let (sender, receiver) = channel(256);
    thread::Builder::new()
        .name("keys".into())
        .spawn(move || read(&sender))?;
    Ok(receiver)
}

fn read(sender: &Sender<Message>) {
    loop {
        let message = match event::read() {
            Ok(event) => message(event),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
            Err(_) => {
                let _ = sender.blocking_send(Message::Terminate);
                return;
            }
        };
        if let Some(message) = message
            && sender.blocking_send(message).is_err()
        {
            return;
        }
    }
}

/// The console's message for a terminal event, where it has one.
fn message(event: Event) -> Option<Message> {
    Some(match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Message::Key(self::key(key)?),
        Event::Paste(text) => Message::Paste(text),
        Event::Resize(columns, rows) => Message::Resize(columns, rows),
        Event::FocusGained => Message::Focus(true),
        Event::FocusLost => Message::Focus(false),
        _ => return None,
    })
}

fn key(event: event::KeyEvent) -> Option<Key> {
    use crossterm::event::KeyCode as C;
    let code = match event.code {
        C::Char(c) => KeyCode::Char(c),
        C::F(n) => KeyCode::F(n),
        C::Enter => KeyCode::Enter,
        C::Esc => KeyCode::Esc,
        C::Tab => KeyCode::Tab,
        C::BackTab => KeyCode::BackTab,
        C::Backspace => KeyCode::Backspace,
        C::Delete => KeyCode::Delete,
        C::Insert => KeyCode::Insert,
        C::Up => KeyCode::Up,
        C::Down => KeyCode::Down,
        C::Left => KeyCode::Left,
        C::Right => KeyCode::Right,
        C::Home => KeyCode::Home,
        C::End => KeyCode::End,
        C::PageUp => KeyCode::PageUp,
        C::PageDown => KeyCode::PageDown,
        _ => return None,
    };
    let held = |m| event.modifiers.contains(m);
    let is_char = matches!(code, KeyCode::Char(_));
    Some(Key {
        code,
        ctrl: held(KeyModifiers::CONTROL),
        alt: held(KeyModifiers::ALT),
        shift: held(KeyModifiers::SHIFT) && !is_char && code != KeyCode::BackTab,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_keys_become_ours() {
        let press = |code, modifiers| key(event::KeyEvent::new(code, modifiers));
        use crossterm::event::KeyCode as C;
        assert_eq!(
            press(C::Char('G'), KeyModifiers::SHIFT),
            Some(Key::char('G'))
        );
        assert_eq!(
            press(C::Char('d'), KeyModifiers::CONTROL),
            Some(Key::ctrl('d'))
        );
        assert_eq!(
            press(C::BackTab, KeyModifiers::SHIFT),
            Some(Key::plain(KeyCode::BackTab))
        );
        assert_eq!(press(C::CapsLock, KeyModifiers::NONE), None);
        assert_eq!(
            message(Event::Resize(80, 24)),
            Some(Message::Resize(80, 24))
        );
    }
}
