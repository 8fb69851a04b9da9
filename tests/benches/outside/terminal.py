"""A program under a pseudo-terminal, watched from the terminal's side: what it wrote and when.

Bytes are only collected while something is timed; they become a screen afterwards, chunk by chunk, so that reading the
screen costs no time that is measured. The terminal answers what programs ask of one at their start.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

import pyte

COLUMNS, ROWS = 140, 40
# What programs ask of a terminal (ECMA-48 DSR, DA1, DA2, XTVERSION, kitty keys, OSC 10 and 11), and what one says.
ANSWERS = [
    (rb"\x1b\[6n", b"\x1b[1;1R"),
    (rb"\x1b\[5n", b"\x1b[0n"),
    (rb"\x1b\[0?c", b"\x1b[?62;22c"),
    (rb"\x1b\[>0?c", b"\x1b[>1;10;0c"),
    (rb"\x1b\[>q", b"\x1bP>|bench\x1b\\"),
    (rb"\x1b\[\?u", b"\x1b[?0u"),
    (rb"\x1b\]10;\?(?:\x07|\x1b\\)", b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\"),
    (rb"\x1b\]11;\?(?:\x07|\x1b\\)", b"\x1b]11;rgb:0000/0000/0000\x1b\\"),
]
ASKED = [(re.compile(question), answer) for question, answer in ANSWERS]
# DECRQM: the mode that is asked about is known and off.
MODE = re.compile(rb"\x1b\[\?(\d+)\$p")
SEQUENCES = re.compile(
    rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP[^\x1b]*\x1b\\|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-Z\\-_()][0-9A-B]?"
    rb"|[\x00-\x20\x7f]"
)
# So many letters on the screen are a frame, not just a terminal being set up.
FRAME = 200
QUIET = 0.004


class Gone(Exception):
    """The program ended."""


class Terminal:
    """One run of a program."""

    def __init__(self, command, home, columns=COLUMNS, rows=ROWS, typed=b"", environment=None):
        self.chunks = []
        self.tail = b""
        self.seen = 0
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.begun = time.perf_counter()
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            kept = {name: os.environ[name] for name in ("PATH", "KUBECONFIG") if name in os.environ}
            kept |= {"HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "TZ": "UTC"}
            try:
                os.execvpe(command[0], command, kept | (environment or {}))
            finally:
                os._exit(127)
        self.resize(columns, rows)
        os.set_blocking(self.file, False)
        if typed:
            self.send(typed)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def resize(self, columns, rows):
        """Gives it another size; what is on the screen is left to the program."""
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, keys):
        """Types."""
        os.write(self.file, keys)

    def read(self, patience, most=1 << 16):
        """The next bytes with the time when they came; None when there are none in time."""
        if not select.select([self.file], [], [], max(0.0, patience))[0]:
            return None
        now = time.perf_counter()
        try:
            part = os.read(self.file, most)
        except BlockingIOError:
            return None
        except OSError:
            raise Gone from None
        if not part:
            raise Gone
        self.chunks.append((now, part))
        if b"\x1b" in part or self.tail:
            self._answer(part)
        return now, part

    def _answer(self, part):
        text = self.tail + part
        for question, answer in ASKED:
            for found in question.finditer(text):
                if found.end() > len(self.tail):
                    self.send(answer)
        for found in MODE.finditer(text):
            if found.end() > len(self.tail):
                self.send(b"\x1b[?" + found.group(1) + b";2$y")
        self.tail = text[-16:] if b"\x1b" in text[-16:] else b""

    def run(self, seconds):
        """Collects for so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)

    def settle(self, quiet=0.02, patience=0.5):
        """Waits for silence, so that the answer to a key is not mistaken for a frame that was due anyway."""
        end = time.perf_counter() + patience
        while time.perf_counter() < end and self.read(quiet):
            pass

    @property
    def written(self):
        """Bytes so far."""
        return sum(len(part) for _, part in self.chunks)

    def show(self):
        """The screen as it is now."""
        for _, part in self.chunks[self.seen :]:
            self.stream.feed(part)
        self.seen = len(self.chunks)
        return "\n".join(self.screen.display)

    def until(self, wanted, patience=60.0, quiet=0.15):
        """The time at which the screen first showed the pattern; None when it never did."""
        pattern = re.compile(wanted)
        end = time.perf_counter() + patience
        while True:
            # collect until it falls silent; a program that never does is looked at once a second
            look = time.perf_counter() + 1.0
            while time.perf_counter() < look and self.read(quiet):
                pass
            while self.seen < len(self.chunks):
                at, part = self.chunks[self.seen]
                self.seen += 1
                self.stream.feed(part)
                if pattern.search("\n".join(self.screen.display)):
                    return at
            if time.perf_counter() > end:
                return None

    def first_paint(self, patience=15.0):
        """Milliseconds from the start to the first frame; None when there is none."""
        end = time.perf_counter() + patience
        raw = b""
        while time.perf_counter() < end:
            came = self.read(0.5)
            if came:
                raw += came[1]
                if len(SEQUENCES.sub(b"", raw)) >= FRAME:
                    return (came[0] - self.begun) * 1e3
        return None

    def press(self, key, patience=2.0):
        """Milliseconds from a key to the first byte, and the bytes of the burst; None when nothing came."""
        self.settle()
        before = self.written
        at = time.perf_counter()
        self.send(key)
        came = self.read(patience)
        if not came:
            return None
        while self.read(QUIET):
            pass
        return (came[0] - at) * 1e3, self.written - before

    def close(self):
        """Ends the program."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(self.pid, number)
            except OSError:
                break
            end = time.perf_counter() + 1
            while time.perf_counter() < end:
                try:
                    self.read(0.01)
                except Gone:
                    time.sleep(0.005)
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    os.close(self.file)
                    return
