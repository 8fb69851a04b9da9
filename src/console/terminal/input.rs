//! Reading the terminal: a thread of its own that sleeps in `read` and never polls.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::thread;

use termina::event::{KeyCode as C, KeyEvent, KeyEventKind, Modifiers};
use termina::{Event, Parser};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::super::key::{Key, KeyCode};
use super::super::message::Message;

/// What the terminal says.
#[derive(Clone, PartialEq, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, and gone at once: a box would only be another allocation a key"
)]
pub enum Said {
    /// Something that the operator did.
    Message(Message),
    /// It has read everything up to the question that this answers (see [`super::Link`]).
    Answer,
}

/// Starts the thread; what the terminal says comes through the channel. It ends when nobody listens any more or
/// the terminal is gone, which it tells with [`Message::Terminate`].
///
/// # Errors
/// When there is no terminal to read, or the thread can't be started.
pub fn listen() -> io::Result<Receiver<Said>> {
    let (sender, receiver) = channel(256);
    let from: Box<dyn Read + Send> = if io::stdin().is_terminal() {
        Box::new(io::stdin())
    } else {
        // keys come from the terminal, whatever was piped in
        Box::new(File::open("/dev/tty")?)
    };
    thread::Builder::new()
        .name("keys".into())
        .spawn(move || read(from, &sender))?;
    Ok(receiver)
}

fn read(mut from: Box<dyn Read + Send>, sender: &Sender<Said>) {
    let mut parser = Parser::default();
    let mut answers = Answers::default();
    let mut bytes = [0; 4096];
    loop {
        match from.read(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => {
                let _ = sender.blocking_send(Said::Message(Message::Terminate));
                return;
            }
            Ok(count) => {
                let (typed, answered) = answers.taken_out(bytes.get(..count).unwrap_or(&[]));
                for _ in 0..answered {
                    if sender.blocking_send(Said::Answer).is_err() {
                        return;
                    }
                }
                // an escape at the end of a full buffer may begin a sequence, else it is the key
                parser.parse(&typed, count == bytes.len());
                while let Some(event) = parser.pop() {
                    if let Some(said) = said(event)
                        && sender.blocking_send(said).is_err()
                    {
                        return;
                    }
                }
            }
        }
    }
}

/// Takes answers to [`super::link::QUESTION`] out of what comes. They come at any time, also right behind the
/// escape key, and would be read as that key's sequence then.
#[derive(Default)]
struct Answers {
    /// The beginning of one.
    held: Vec<u8>,
}

impl Answers {
    /// Longer ones are none.
    const LONGEST: usize = 64;
    const BEGIN: &[u8] = b"\x1b[?";

    /// What is left of the bytes, and how many answers were among them.
    fn taken_out(&mut self, bytes: &[u8]) -> (Vec<u8>, usize) {
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        let (mut left, mut count) = (Vec::with_capacity(all.len()), 0);
        let mut rest = all.as_slice();
        while let Some((first, behind)) = rest.split_first() {
            if let Some(numbers) = rest.strip_prefix(Self::BEGIN) {
                let end = numbers
                    .iter()
                    .position(|b| !(b.is_ascii_digit() || *b == b';'));
                match end.and_then(|end| numbers.get(end..)) {
                    Some([b'c', after @ ..]) => {
                        count += 1;
                        rest = after;
                        continue;
                    }
                    None if rest.len() < Self::LONGEST => {
                        self.held = rest.to_vec();
                        break;
                    }
                    _ => {}
                }
            }
            left.push(*first);
            rest = behind;
        }
        (left, count)
    }
}

/// What a terminal event is to the console, where it is something.
fn said(event: Event) -> Option<Said> {
    Some(Said::Message(match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Message::Key(self::key(key)?),
        Event::Paste(text) => Message::Paste(text),
        Event::FocusIn => Message::Focus(true),
        Event::FocusOut => Message::Focus(false),
        _ => return None,
    }))
}

fn key(event: KeyEvent) -> Option<Key> {
    let code = match event.code {
        C::Char(c) => KeyCode::Char(c),
        C::Function(n) => KeyCode::F(n),
        C::Enter => KeyCode::Enter,
        C::Escape => KeyCode::Esc,
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
        ctrl: held(Modifiers::CONTROL),
        alt: held(Modifiers::ALT),
        shift: held(Modifiers::SHIFT) && !is_char && code != KeyCode::BackTab,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<Said> {
        let mut parser = Parser::default();
        parser.parse(bytes, false);
        std::iter::from_fn(|| parser.pop())
            .filter_map(said)
            .collect()
    }

    fn pressed(bytes: &[u8]) -> Key {
        match all(bytes).as_slice() {
            [Said::Message(Message::Key(key))] => *key,
            other => panic!("{bytes:?} is no key but {other:?}"),
        }
    }

    #[test]
    fn bytes_become_keys() {
        assert_eq!(pressed(b"G"), Key::char('G'));
        assert_eq!(pressed("ö".as_bytes()), Key::char('ö'));
        assert_eq!(pressed(b"\x04"), Key::ctrl('d'));
        assert_eq!(pressed(b"\r"), Key::plain(KeyCode::Enter));
        assert_eq!(pressed(b"\t"), Key::plain(KeyCode::Tab));
        assert_eq!(pressed(b"\x1b"), Key::plain(KeyCode::Esc));
        assert_eq!(pressed(b"\x7f"), Key::plain(KeyCode::Backspace));
        assert_eq!(pressed(b"\x1b[Z"), Key::plain(KeyCode::BackTab));
        assert_eq!(pressed(b"\x1b[B"), Key::plain(KeyCode::Down));
        assert_eq!(pressed(b"\x1bOB"), Key::plain(KeyCode::Down));
        assert_eq!(pressed(b"\x1b[6~"), Key::plain(KeyCode::PageDown));
        assert_eq!(pressed(b"\x1bOP"), Key::plain(KeyCode::F(1)));
        assert_eq!(pressed(b"\x1b[15~"), Key::plain(KeyCode::F(5)));
        let alt = pressed(b"\x1bx");
        assert_eq!((alt.code, alt.alt), (KeyCode::Char('x'), true));
    }

    #[test]
    fn what_is_no_key_is_told_apart() {
        let paste = Said::Message(Message::Paste("two\rlines".to_owned()));
        assert_eq!(all(b"\x1b[200~two\rlines\x1b[201~"), [paste]);
        assert_eq!(all(b"\x1b[I"), [Said::Message(Message::Focus(true))]);
        assert_eq!(all(b"\x1b[0n"), [], "an answer to nothing we asked");
    }

    #[test]
    fn answers_are_taken_out_wherever_they_stand() {
        let taken = |parts: &[&[u8]]| {
            let mut answers = Answers::default();
            let (mut left, mut count) = (Vec::new(), 0);
            for part in parts {
                let (typed, answered) = answers.taken_out(part);
                left.extend(typed);
                count += answered;
            }
            (left, count)
        };
        assert_eq!(taken(&[b"\x1b[?62;22c"]), (b"".to_vec(), 1));
        assert_eq!(taken(&[b"\x1b\x1b[?62;22c"]), (b"\x1b".to_vec(), 1));
        assert_eq!(taken(&[b"a\x1b[?1;2cb\x1b[?6cc"]), (b"abc".to_vec(), 2));
        assert_eq!(taken(&[b"j\x1b[?6", b"2;2", b"2ck"]), (b"jk".to_vec(), 1));
        let others: &[u8] = b"\x1b[?997;1n\x1b[B\x1b[?";
        assert_eq!(taken(&[others, b"u"]), ([others, b"u"].concat(), 0));
    }
}
