"""Keeps answers of real servers as fixtures: each body as it came in a file of its own, and one table that says what was asked.

What belongs to the machine (folder of the set, host name, ports, tokens) is replaced by fixed, neutral words of the same kind.
"""

import os
import pathlib
import re
import socket

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures"
COLUMNS = ("file", "status", "content_type", "request", "note")


class Recorder:
    """Writes into one folder of fixtures, adding to what is there."""

    def __init__(self, folder):
        self.folder = FIXTURES / folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.table = self.folder / "index.tsv"
        self.rows = {}
        if self.table.exists():
            lines = self.table.read_text().splitlines()[1:]
            self.rows = {line.split("\t")[0]: line.split("\t") for line in lines}
        self.neutral = [
            (os.environ["REAL_DIR"], "/srv/keepwatch"),
            (os.environ["REAL_AUTH_URL"].removesuffix("/v3"), "http://127.0.0.1:5000"),
            (os.environ["REAL_PASSWORD"], "secret"),
        ]
        for setting, fixed in (
            ("REAL_FREEZER_URL", "http://127.0.0.1:9090"),
            ("REAL_KARBOR_URL", "http://127.0.0.1:8799"),
        ):
            if setting in os.environ:
                self.neutral.append((os.environ[setting], fixed))
        host = re.escape(socket.gethostname())
        self.host = re.compile(rf"(?<![\w.-]){host}(?![\w.-])")
        self.token = re.compile(r"gAAAAA[\w=-]{60,}")

    def clean(self, text):
        """The text without anything of this machine."""
        for own, fixed in self.neutral:
            text = text.replace(own, fixed)
        return self.token.sub("TOKEN", self.host.sub("device-1", text))

    def keep(self, name, answer, request, note=""):
        """Keeps one answer; gives it back so that the caller can read it."""
        kind = (answer.headers.get("Content-Type") or "").split(";")[0]
        suffix = "json" if kind == "application/json" and answer.body else "txt"
        file = f"{name}.{suffix}"
        (self.folder / file).write_text(self.clean(answer.body))
        row = (file, str(answer.status), kind, self.clean(request), note)
        self.rows[file] = [column.replace("\t", " ") for column in row]
        lines = ["\t".join(COLUMNS)] + ["\t".join(self.rows[key]) for key in sorted(self.rows)]
        self.table.write_text("\n".join(lines) + "\n")
        return answer
