"""Programs measured beside keepwatch, where they are installed: from Debian, PyPI and crates.io."""

import shutil
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Rival:
    """A program and what it is measured in."""

    name: str
    command: tuple
    source: str
    start: bool = True
    idle: bool = True
    keys: tuple = ()
    version: tuple = ("--version",)
    environment: dict = field(default_factory=dict)

    @property
    def there(self):
        """Whether it can be run here."""
        return shutil.which(self.command[0]) is not None


DOWN, UP = b"\x1b[B", b"\x1b[A"
# kdash runs its whole screen against an address that nobody answers on
NOBODY = """apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "http://127.0.0.1:9"}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
current-context: none
users: [{name: none, user: {}}]
"""

ALL = [
    Rival("htop", ("htop",), "Debian", keys=(DOWN, UP)),
    Rival("btop", ("btop",), "Debian", keys=(DOWN, UP)),
    Rival("bottom", ("btm",), "crates.io", keys=(DOWN, UP)),
    Rival("kdash", ("kdash",), "crates.io"),
    Rival("trippy", ("trip", "127.0.0.1"), "crates.io"),
    Rival("gitui", ("gitui",), "crates.io", start=False),
    Rival("glances", ("glances", "--disable-check-update"), "PyPI"),
]
