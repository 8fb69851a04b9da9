#!/usr/bin/env python3
"""Compares the embedded Karbor with a real one: the same calls to both, and every difference is a failed check.

Needs a running keystone.sh and karbor.sh, their env.sh, and a built keepwatch in KEEPWATCH_BIN.
"""

import pathlib
import sys
import threading
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "judges"))

import karbor_walk
from checks import Checks
from karbor_side import Embedded, Real
from sim import Sim


def walk(side, trouble):
    """Walks one side; what goes wrong is kept."""
    try:
        karbor_walk.everything(side)
    except Exception:  # noqa: BLE001 (whatever ends a walk is a finding)
        trouble.append(f"{side.name}: {traceback.format_exc()}")


def differences(left, right, path=""):
    """Where two values differ, in words."""
    if type(left) is not type(right):
        yield f"{path or 'body'}: real {left!r}, embedded {right!r}"
    elif isinstance(left, dict):
        for key in sorted(set(left) | set(right)):
            if key not in left or key not in right:
                side = "the embedded one only" if key not in left else "the real one only"
                yield f"{path}/{key}: {side}: {(left | right)[key]!r}"
            else:
                yield from differences(left[key], right[key], f"{path}/{key}")
    elif isinstance(left, list) and len(left) == len(right):
        for index, pair in enumerate(zip(left, right, strict=True)):
            yield from differences(*pair, f"{path}/{index}")
    elif left != right:
        yield f"{path}: real {left!r}, embedded {right!r}"


def main():
    """Both walks at once, then the comparison."""
    checks = Checks("karbor, real and embedded")
    trouble = []
    with Sim(["karbor"], "--tasks", "0", "--devices", "0") as sim:
        sides = (Real(), Embedded(sim))
        threads = [threading.Thread(target=walk, args=(side, trouble)) for side in sides]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    real, embedded = (side.answers for side in sides)
    for (what, asked, left), (_, asked_too, right) in zip(real, embedded, strict=False):
        found = [] if asked == asked_too else [f"the embedded one was asked {asked_too}"]
        found += differences(left, right)
        checks.note(f"{what} ({asked})", "; ".join(found[:4]) if found else None)
    checks.equal("as many answers", len(embedded), len(real))
    checks.equal("both to the end", trouble, [])
    checks.close()


if __name__ == "__main__":
    main()
