"""What a program and its children have used, from /proc."""

import os
import re
from pathlib import Path

WOKEN = re.compile(r"^voluntary_ctxt_switches:\s+(\d+)", re.MULTILINE)
HELD = re.compile(r"^VmRSS:\s+(\d+)", re.MULTILINE)


def family(pid):
    """The process and all below it."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            todo += [int(child) for child in children.read_text().split()]
    return found


def used(pid):
    """Nanoseconds of processor (utime has ticks of 10 ms), wake-ups (voluntary switches) and memory in kB."""
    time = wakes = memory = 0
    for one in family(pid):
        try:
            for thread in Path(f"/proc/{one}/task").iterdir():
                time += int((thread / "schedstat").read_text().split()[0])
                wakes += int(WOKEN.search((thread / "status").read_text()).group(1))
            held = HELD.search(Path(f"/proc/{one}/status").read_text())
            memory += int(held.group(1)) if held else 0
        except OSError:
            continue
    return {"cpu": time, "wakes": wakes, "kb": memory}


def load():
    """The load of the last minute."""
    return os.getloadavg()[0]
