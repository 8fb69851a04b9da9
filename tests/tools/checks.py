"""One line a check on standard output, and a closing line with the counts."""

import sys
import traceback


class Checks:
    """The checks of one judge."""

    def __init__(self, judge):
        self.judge = judge
        self.part = ""
        self.passed = 0
        self.failed = 0

    def equal(self, what, got, expected):
        """The value must be this one."""
        self.note(what, None if got == expected else f"got {short(got)} instead of {short(expected)}")

    def true(self, what, held, otherwise):
        """The condition must hold; `otherwise` says what was there instead."""
        self.note(what, None if held else otherwise)

    def raises(self, what, kind, act, looks):
        """`act` must raise `kind`, and `looks` must find nothing wrong with it (None)."""
        try:
            got = act()
        except kind as error:
            self.note(what, looks(error))
        else:
            self.note(what, f"no {kind.__name__}, but {short(got)}")

    def step(self, what, act):
        """Runs a part whose own checks count; an exception in it is one failed check, and the next part goes on."""
        self.part = f"{what}: "
        try:
            return act()
        except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever a client raises is a finding)
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.note("to its end", f"{type(error).__name__}: {short(error)} ({where.name}:{where.lineno})")
            return None
        finally:
            self.part = ""

    def note(self, what, wrong):
        """Counts one check and prints its line; `wrong` is None where it passed."""
        if wrong is None:
            self.passed += 1
            print(f"ok    {self.judge}: {self.part}{what}", flush=True)
        else:
            self.failed += 1
            print(f"FAIL  {self.judge}: {self.part}{what}: {wrong}", flush=True)

    def close(self):
        """Prints the counts and ends the program: 0 where everything passed."""
        print(f"{self.judge}: {self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed or not self.passed else 0)


def short(value):
    """A value in one line that fits a screen."""
    text = " ".join(str(value).split()) if isinstance(value, Exception) else repr(value)
    return text if len(text) <= 400 else text[:400] + "…"
