"""Measures keepwatch from outside, under a pseudo-terminal of 140x40, beside other programs in the same run.

    outside.py [PART...]     parts: start, idle, small, status, big, changes, list, slow, sizes, soak

Prints a Markdown table; figures are medians unless they say otherwise, and the load of the machine stands below.
"""

import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import process
import pyte
import rivals
from services import Services
from terminal import COLUMNS, ROWS, Gone, Terminal

PROGRAM = os.environ["KEEPWATCH_BIN"]
ONE_CORE = ("taskset", "-c", "0")
# Unbounded requests: what is measured is keepwatch, not its politeness.
FAST = 'rate_per_minute = 100000\nhistory = "31d"'
STILL = ("--speed", "0", "--change-rate", "0")
BEGIN = b"\x1b[?2026h"


def row(measure, ours, beside=""):
    """One line of the table."""
    print(f"| {measure} | {ours} | {beside} |", flush=True)


def ms(values):
    """The median of times in ms."""
    return f"{statistics.median(values):.1f} ms" if values else "never"


def at(values, percent):
    """A percentile."""
    values = sorted(values)
    return values[min(len(values) - 1, round(percent / 100 * (len(values) - 1)))]


class Bench:
    """What all parts share."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.homes = 0

    def home(self):
        """A home that nothing was kept in."""
        self.homes += 1
        home = self.folder / f"home-{self.homes}"
        home.mkdir()
        return home

    def console(self, config, typed=b"", before=(), home=None, **size):
        """The console on a configuration."""
        return Terminal([*before, PROGRAM, "--config", config], home or self.home(), typed=typed, **size)

    @contextmanager
    def services(self):
        """Room for simulations."""
        self.homes += 1
        folder = self.folder / f"services-{self.homes}"
        folder.mkdir()
        with Services(PROGRAM, folder) as services:
            yield services

    def rivals(self, what):
        """The rivals of a part, those that are there and the names of the rest."""
        wanted = [rival for rival in rivals.ALL if getattr(rival, what)]
        return [r for r in wanted if r.there], [r.name for r in wanted if not r.there]


def missing(names):
    """What to say of rivals that are not there."""
    return f"; not installed: {', '.join(names)}" if names else ""


def rival_home(bench, rival):
    """A home for a rival."""
    home = bench.home()
    if rival.name == "kdash":
        (home / ".kube").mkdir()
        (home / ".kube/config").write_text(rivals.NOBODY)
    return home


def start(bench):
    """Start to first paint with every service down; to ten thousand tasks on screen."""
    with bench.services() as services:
        services.start(*STILL)
        config = services.file()
    ours = []
    others = {}
    here, gone = bench.rivals("start")
    for _ in range(9):
        with bench.console(config) as console:
            ours.append(console.first_paint())
        for rival in here:
            with Terminal(list(rival.command), rival_home(bench, rival)) as other:
                others.setdefault(rival.name, []).append(other.first_paint())
    beside = ", ".join(f"{name} {ms([v for v in values if v])}" for name, values in others.items())
    row("start to first paint, every service down", ms(ours), beside + missing(gone))

    with bench.services() as services:
        services.start(*STILL, "--kinds", "csbs", "--tasks", "10000", settings=FAST)
        services.start(*STILL, settings=FAST, prefix="more-")
        times = []
        for _ in range(5):
            with bench.console(services.file(), typed=b"5") as console:
                seen = console.until(r"5 Tasks \d\d\D\d{3}")
                times.append((seen - console.begun) * 1e3)
        row("start to 10,000 tasks on screen, from loopback", ms(times))


def idle(bench):
    """Nothing changes, every service polled each 5 s."""
    # a minute has every pace of every list in it
    seconds = 60
    with bench.services() as services:
        services.start(*STILL, settings=FAST + '\nevery = "5s"')
        with bench.console(services.file()) as console:
            # what runs is younger than a minute before, and its age is told in seconds
            console.run(75)
            ours, labels = watched(console, seconds)
        row(
            f"idle for {seconds} s, nothing changes, {services.config.count('[[service]]')} services asked every 5 s",
            ours,
            labels,
        )
    here, gone = bench.rivals("idle")
    for rival in here:
        with Terminal(list(rival.command), rival_home(bench, rival)) as other:
            try:
                other.run(4)
                figures, _ = watched(other, 20)
            except Gone:
                figures = "did not stay up"
        row(f"20 s of it, {rival.name} ({rival.source})", "", figures)
    if gone:
        row("", "", f"not installed: {', '.join(gone)}")


def watched(terminal, seconds):
    """What a program did for so long, as words."""
    first, before, chunks = process.used(terminal.pid), terminal.written, len(terminal.chunks)
    begun = time.perf_counter()
    terminal.run(seconds)
    took = time.perf_counter() - begun
    last = process.used(terminal.pid)
    frames = sum(part.count(BEGIN) for _, part in terminal.chunks[chunks:])
    bursts = len(terminal.chunks) - chunks
    figures = (
        f"{(last['cpu'] - first['cpu']) / 1e7 / took:.2f} % of a core, {(last['wakes'] - first['wakes']) / took:.1f} "
        f"wake-ups/s, {(terminal.written - before) / took:.0f} bytes/s, {last['kb'] / 1024:.0f} MB"
    )
    return figures, f"{frames} frames" if frames else f"{bursts} writes"


def keys(terminal, pressed, times=120):
    """Latencies and bytes of keys that are pressed in turn."""
    chance = random.Random(7)
    late, size = [], []
    for number in range(times):
        answer = terminal.press(pressed[number % len(pressed)])
        if answer:
            late.append(answer[0])
            size.append(answer[1])
        terminal.run(0.03 + 0.05 * chance.random())
    return late, size


def latency(late):
    """Percentiles as words."""
    if not late:
        return "no answer"
    return f"p50 {at(late, 50):.2f} ms, p99 {at(late, 99):.2f} ms"


def small(bench):
    """Keys and bytes at ten thousand tasks."""
    with bench.services() as services:
        services.start(*STILL, "--kinds", "csbs", "--tasks", "10000", settings=FAST)
        for before, where in (((), ""), (ONE_CORE, ", all on one core")):
            with bench.console(services.file(), typed=b"5", before=before) as console:
                console.until(r"5 Tasks \d\d\D\d{3}")
                console.run(2)
                late, size = keys(console, (b"j", b"k"))
                row(f"key to first byte, 10,000 tasks{where}", latency(late))
                if not before:
                    console.send(b"g")
                    console.run(1)
                    _, size = keys(console, (b"j",), 20)
                    _, scrolled = keys(console, (b"j",), 60)
                    _, pages = keys(console, (b"\x1b[6~",), 40)
                    held = process.used(console.pid)["kb"] / 1024
                    row("bytes to the terminal: cursor down", f"{statistics.median(size):.0f}")
                    row("bytes to the terminal: cursor down, the list scrolls", f"{statistics.median(scrolled):.0f}")
                    row("bytes to the terminal: page down", f"{statistics.median(pages):.0f}")
                    row("memory at 10,000 tasks", f"{held:.0f} MB")
    here = [r for r in rivals.ALL if r.keys and r.there]
    for rival in here:
        for before, where in (((), ""), (ONE_CORE, ", all on one core")):
            with Terminal([*before, *rival.command], rival_home(bench, rival)) as other:
                other.run(4)
                late, size = keys(other, rival.keys)
            row(f"the same, {rival.name}{where}", "", f"{latency(late)}; {statistics.median(size):.0f} bytes a key")
    gone = [r.name for r in rivals.ALL if r.keys and not r.there]
    if gone:
        row("", "", f"not installed: {', '.join(gone)}")


def status(bench):
    """The bytes of a frame in which one status, and nothing but labels of time besides, changes."""
    seconds = 45
    words = re.compile(r"\b(waiting_protect|protecting|available|error|restoring|waiting_restore|deleting|waiting_delete)\b")
    with bench.services() as services:
        services.start("--kinds", "csbs", "--tasks", "200", "--change-rate", "0.4", settings=FAST + '\nevery = "1s"')
        with bench.console(services.file(), typed=b"5") as console:
            console.until(r"5 Tasks \d")
            console.run(3)
            console.show()
            mark = len(console.chunks)
            console.run(seconds)
            before, found = words.findall("\n".join(console.screen.display)), []
            for frame in b"".join(part for _, part in console.chunks[mark:]).split(BEGIN)[1:]:
                console.stream.feed(frame)
                now = words.findall("\n".join(console.screen.display))
                differ = [a != b for a, b in zip(before, now, strict=False)]
                # status and step show the same word
                if len(now) == len(before) and 1 <= sum(differ) <= 2:
                    found.append(len(BEGIN) + len(frame))
                before = now
    sized = f"{statistics.median(found):.0f} ({len(found)} seen)" if found else f"none seen in {seconds} s"
    row("bytes to the terminal: one status changes", sized)


def big(bench):
    """A million tasks: memory, keys, filters, sorting."""
    with bench.services() as services:
        services.start(*STILL, "--kinds", "csbs", "--tasks", "4", settings=FAST)
        with bench.console(services.file(), typed=b"5") as console:
            console.until(r"5 Tasks \d")
            console.run(2)
            empty = process.used(console.pid)["kb"]
    with bench.services() as services:
        services.start(*STILL, "--kinds", "csbs", "--tasks", "1000000", settings=FAST)
        config = services.file(settings='every = "10m"')
        with bench.console(config, typed=b"5") as console:
            seen = console.until(r"5 Tasks 1\D\d{3}\D\d{3}", patience=900)
            if not seen:
                row("a million tasks on screen", "not within 15 minutes")
                return
            count = int(re.sub(r"\D", "", re.search(r"5 Tasks ([\d\D]{5,12}?) ─", console.show()).group(1)))
            row("start to 1,000,000 tasks on screen, from loopback", f"{seen - console.begun:.1f} s")
            console.run(5)
            late, _ = keys(console, (b"j", b"k"))
            row("key to first byte, 1,000,000 tasks, while other lists still come in", latency(late))
            console.run(45)
            held = process.used(console.pid)["kb"]
            row(
                f"memory at {count:,} tasks, all lists read",
                f"{held / 1024:.0f} MB, {(held - empty) * 1024 / count:.0f} bytes a task over the empty console",
            )
            late, _ = keys(console, (b"j", b"k"))
            row("key to first byte, 1,000,000 tasks", latency(late))
            ours = {text: typed(console, text) for text in FILTERS}
            sorts(console)
    rows_of_fzf(bench, ours)


FILTERS = ("failed", "ecs-web-01", "error backup", "~ecswb01")


def typed(console, text, times=5):
    """Times from a filter typed in one burst to its last frame, and the hits it ends with."""
    found, hits = [], ""
    for _ in range(times):
        console.send(b"\x1b")
        console.run(0.7)
        console.settle(0.1, 2)
        console.show()
        mark = len(console.chunks)
        begun = time.perf_counter()
        console.send(b"/" + text.encode())
        last = begun + 1.5
        while time.perf_counter() < last:
            console.read(0.3)
        # the last burst that changed the hits or the line
        wanted, end = None, begun
        for when, part in console.chunks[mark:]:
            console.stream.feed(part)
            screen = "\n".join(console.screen.display)
            shown = re.search(r"╰ /(.*?)\s{2,}(\S[\d\D]*?)\s+╯", screen)
            now = (shown.group(1), re.sub(r"\D", "", shown.group(2))) if shown else None
            if now != wanted:
                wanted, end = now, when
        console.seen = len(console.chunks)
        if wanted and wanted[0] == text:
            hits = wanted[1]
            found.append((end - begun) * 1e3)
        console.send(b"\x1b")
    return found, hits


def sorts(console):
    """Sorting by a column: from the key that chooses it to the last frame."""
    console.send(b"\x1b")
    console.run(1)
    for column in ("device", "status", "took", "policy"):
        times = []
        for _ in range(3):
            for name, timed in (("own order", False), (column, True)):
                console.send(b"s")
                console.run(0.4)
                console.send(name.encode())
                console.run(0.5)
                console.settle(0.1, 2)
                begun = time.perf_counter()
                console.send(b"\r")
                came = console.read(5)
                last = came[0] if came else begun
                while came := console.read(0.1):
                    last = came[0]
                if timed:
                    times.append((last - begun) * 1e3)
        row(f"sort 1,000,000 by {column}, key to painted", ms(times))


def rows_of_fzf(bench, ours):
    """fzf on a text of as many rows, with the same words in them."""
    file = bench.folder / "rows"
    chance = random.Random(7)
    roles = ("web", "app", "db", "cache", "queue", "search", "erp", "sap", "rac", "edge", "mon", "ci")
    with file.open("w") as out:
        for number in range(1_000_000):
            bad = chance.random() < 0.3
            role = chance.choice(roles)
            out.write(
                f"{'failed' if bad else 'succeeded'} 2026-11-{1 + number % 30:02d} {number % 24:02d}:11:49 "
                f"ecs-{role}-{1 + number % 3:02d} nightly-{role} otc-eu backup {'error' if bad else 'available'} "
                f"{'CSBS.6033' if bad else '-'} {chance.getrandbits(64):016x}\n"
            )
    finder = os.environ.get("FZF") or shutil.which("fzf")
    for text, (times, hits) in ours.items():
        beside = "fzf is not installed"
        if finder:
            beside = []
            for _ in range(3):
                with Terminal(["sh", "-c", f"exec {finder} {'' if text[0] == '~' else '--exact'} < {file}"], bench.home()) as other:
                    other.until(r"1000000/1000000")
                    other.run(0.6)
                    mark = len(other.chunks)
                    begun = time.perf_counter()
                    other.send(text.lstrip("~").encode())
                    end = begun + 2.5
                    while time.perf_counter() < end:
                        other.read(0.3)
                    wanted, last = None, begun
                    for when, part in other.chunks[mark:]:
                        other.stream.feed(part)
                        shown = re.search(r"(\d+)/1000000", "\n".join(other.screen.display))
                        if shown and shown.group(1) != wanted:
                            wanted, last = shown.group(1), when
                    other.seen = len(other.chunks)
                    beside.append((last - begun) * 1e3)
            version = subprocess.run([finder, "--version"], capture_output=True, text=True, check=False).stdout.split()[0]
            beside = f"fzf {version}: {ms(beside)} ({int(wanted or 0):,} hits)"
        what = "fuzzy" if text[0] == "~" else "text"
        row(f"filter 1,000,000, {what} `{text}`, typed to painted", f"{ms(times)} ({int(hits or 0):,} hits)", beside)


def tasks(console):
    """How many tasks the list has."""
    found = re.search(r"5 Tasks (\d[\d\D]*?) ─", console.show())
    return int(re.sub(r"\D", "", found.group(1))) if found else 0


def changes(bench):
    """Five thousand changes a second for a minute."""
    soak(bench, 60, "5,000 changes a second for a minute")


def soak(bench, seconds=None, what=None):
    """The change rate for a long time: is memory flat?"""
    seconds = seconds or int(os.environ.get("SOAK_SECONDS", "600"))
    what = what or f"soak at 5,000 changes a second for {seconds // 60} minutes"
    with bench.services() as services:
        services.start("--kinds", "csbs", "--tasks", "10000", "--devices", "2000", "--change-rate", "5000", settings=FAST)
        with bench.console(services.file(), typed=b"5") as console:
            console.until(r"5 Tasks \d")
            console.run(min(60, max(10, seconds / 10)))
            counters = services.control("csbs", "GET", "counters")
            first, mark, begun = process.used(console.pid), len(console.chunks), time.perf_counter()
            late, held, known = [], [], tasks(console)
            chance = random.Random(7)
            number = 0
            while time.perf_counter() - begun < seconds:
                number += 1
                sent = time.perf_counter()
                console.send((b"j", b"k")[number % 2])
                came = console.read(2)
                if came:
                    late.append((came[0] - sent) * 1e3)
                console.run(0.3 + 0.4 * chance.random())
                held.append(process.used(console.pid)["kb"])
            took = time.perf_counter() - begun
            last = process.used(console.pid)
            made = sum(services.control("csbs", "GET", "counters").values()) - sum(counters.values())
            more = tasks(console) - known
        frames = sum(part.count(BEGIN) for _, part in console.chunks[mark:])
        half = len(held) // 2
        row(
            what,
            f"{(last['cpu'] - first['cpu']) / 1e7 / took:.1f} % of a core, {frames / took:.1f} frames/s, "
            f"keys {latency(late)}, memory {held[0] / 1024:.0f} MB, {held[half] / 1024:.0f} after half the time, "
            f"{held[-1] / 1024:.0f} at the end with {more:,} more tasks known",
            f"the service counted {made / took:,.0f} changes/s",
        )


def headless(bench):
    """`list failed` on ten thousand tasks beside the vendor's own client."""
    with bench.services() as services:
        services.start(*STILL, "--kinds", "sdrs", "--tasks", "10000", settings=FAST)
        config = services.file()
        ours, theirs = [], []
        account = services.control("sdrs", "GET", "account")
        root = services.services["sdrs"]["endpoint"].split("/v1/")[0]
        client = [os.environ.get("VENDOR_PYTHON", ""), str(Path(__file__).with_name("vendor_list.py")), root]
        client += [account["project_id"], account["access_key"], account["secret_key"]]
        count = 0
        for _ in range(5):
            begun = time.perf_counter()
            done = subprocess.run(
                [PROGRAM, "list", "failed", "--config", config], capture_output=True, text=True, check=True, env=os.environ | {"HOME": str(bench.home())}
            )
            ours.append((time.perf_counter() - begun) * 1e3)
            count = done.stdout.count("\n")
            if client[0]:
                begun = time.perf_counter()
                done = subprocess.run(client, capture_output=True, text=True, check=True, env=os.environ | {"NO_PROXY": "127.0.0.1"})
                theirs.append((time.perf_counter() - begun) * 1e3)
                listed = done.stdout.strip()
        beside = "huaweicloudsdksdrs is not installed"
        if theirs:
            beside = f"huaweicloudsdksdrs: {ms(theirs)} ({listed} rows), {statistics.median(theirs) / statistics.median(ours):.0f} times as long"
        row(f"headless `list failed`, a service with 10,000 tasks ({count:,} lines)", ms(ours), beside)


def slow(bench):
    """A link of 2 kB/s while much changes: how old is what the operator sees?"""
    with bench.services() as services:
        services.start("--kinds", "csbs", "--tasks", "2000", "--devices", "200", "--change-rate", "200", settings=FAST)
        with bench.console(services.file(), typed=b"5") as console:
            console.until(r"5 Tasks \d")
            console.run(3)
            late = []
            for number in range(8):
                drain(console, 4)
                wanted = b"x%dx" % number
                sent = time.perf_counter()
                console.send(b"/" + wanted)
                seen = drain(console, 60, wanted.decode())
                late.append(60.0 if seen is None else seen - sent)
                console.send(b"\x1b")
            row("a link of 2 kB/s, 200 changes a second: a filter typed to seen", f"{statistics.median(late):.1f} s (most {max(late):.1f} s)")


def drain(console, seconds, wanted=None):
    """Takes 2 kB/s from the program for so long, or until the screen shows a word; says when."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        came = console.read(0.1, 200)
        console.show()
        if wanted and came and wanted in "\n".join(console.screen.display):
            return time.perf_counter()
        time.sleep(max(0.0, 0.1 - (time.perf_counter() - began)))
    return None


def sizes(bench):
    """Two hundred sizes in a second end in one right screen."""
    with bench.services() as services:
        services.start(*STILL, settings=FAST)
        with bench.console(services.file()) as console:
            console.until(r"4 Failed \d")
            console.run(8)
            chance = random.Random(7)
            mark = len(console.chunks)
            for _ in range(200):
                console.resize(chance.randrange(20, 220), chance.randrange(5, 70))
                console.run(0.005)
            console.resize(COLUMNS, ROWS)
            last = time.perf_counter()
            console.run(2)
            bursts = [when for when, part in console.chunks[mark:] if BEGIN in part]
            after = [when for when in bursts if when > last]
            frames = sum(part.count(BEGIN) for _, part in console.chunks[mark:])
            # the judge's screen never changed its size: it must show what a fresh drawing shows
            console.show()
            tail = b"".join(part for when, part in console.chunks[mark:] if when > last)
            before = len(console.chunks)
            console.send(b"\x0c")
            console.run(1)
            again = b"".join(part for _, part in console.chunks[before:])
            same = still(tail) == still(again)
        row(
            "200 sizes in a second",
            f"{frames} frames, the last one {(after[0] - last) * 1e3:.0f} ms after the last size, the screen is {'right' if same else 'WRONG'}",
        )


def still(raw):
    """The screen that these bytes make, without what changes by itself."""
    screen = pyte.Screen(COLUMNS, ROWS)
    pyte.ByteStream(screen).feed(raw)
    return re.sub(r"\s*(now|\d+[smhd]( \d\d[smh])?|\d\d:\d\d UTC)", "", "\n".join(screen.display))


PARTS = {
    "start": start,
    "idle": idle,
    "small": small,
    "status": status,
    "big": big,
    "changes": changes,
    "list": headless,
    "slow": slow,
    "sizes": sizes,
    "soak": soak,
}


def main():
    """Runs the parts that are asked for; all but the soak without any."""
    wanted = sys.argv[1:] or [name for name in PARTS if name != "soak"]
    print(f"<!-- {os.cpu_count()} cores, load before: {process.load():.1f} -->")
    print("| outside, 140x40 | keepwatch | beside |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder)
        for name in wanted:
            PARTS[name](bench)
            print(f"<!-- load after {name}: {process.load():.1f} -->", flush=True)


if __name__ == "__main__":
    main()
