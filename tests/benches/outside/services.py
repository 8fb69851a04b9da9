"""The embedded services that keepwatch is measured on, as processes of their own on loopback."""

import json
import re
import subprocess
import urllib.request
from pathlib import Path

LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def with_settings(text, settings):
    """The same blocks with more settings in each; one that a block has already is replaced."""
    for key in re.findall(r"(?m)^(\w+) =", settings):
        text = re.sub(rf"(?m)^{key} = .*\n", "", text)
    return re.sub(r"(?m)^(kind = .*)$", rf"\1\n{settings}".rstrip(), text)


class Services:
    """Running simulations; `config` is the text of a configuration for all of them."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = Path(folder)
        self.running = []
        self.services = {}
        self.config = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def watched(self, text):
        """The blocks of the services whose kind keepwatch can watch. What stands before them stays away: each console has
        a history of its own, and begins with an empty one."""
        file = self.folder / "all.toml"
        file.write_text(text)
        command = [self.program, "list", "running", "--config", str(file), "--timeout", "1"]
        said = subprocess.run(command, capture_output=True, text=True, check=False, env={"HOME": str(self.folder)}).stderr
        unknown = set(re.findall(r'"kind" of \[\[service\]\] is "(\w+)", which keepwatch does not know', said))
        blocks = text.split("[[service]]")[1:]
        kept = [b for b in blocks if re.search(r'(?m)^kind = "(\w+)"', b).group(1) not in unknown]
        return "".join("[[service]]" + block for block in kept)

    def start(self, *arguments, settings="", prefix=""):
        """One more simulation with these arguments; `settings` go into each service's block, `prefix` before its name."""
        file = self.folder / f"sim-{len(self.running)}.toml"
        command = [self.program, "sim", "--write-config", str(file), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.running.append(process)
        ready = json.loads(process.stdout.readline())
        text = ""
        while not text.endswith("\n"):
            text = file.read_text()
        for _ in range(text.count("[[service]]")):
            line = json.loads(process.stdout.readline())
            self.services[prefix + line["kind"]] = line
        self.services["keystone"] = ready
        text = self.watched(text)
        text = re.sub(r"(?m)^name = \"", f'name = "{prefix}', text)
        self.config += with_settings(text, settings) + "\n"
        return process

    def file(self, name="config.toml", settings=""):
        """The configuration as a file, with more settings in each block."""
        file = self.folder / name
        file.write_text(with_settings(self.config, settings))
        return str(file)

    def control(self, kind, method, path, body=None):
        """A call behind the scenes."""
        root = "/".join(self.services[kind]["endpoint"].split("/")[:3])
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{root}/_sim/{path}", data=data, method=method)
        with LOCAL.open(request, timeout=60) as answer:
            return json.load(answer)

    def stop(self):
        """Ends them; what they answered on is closed then."""
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait()
        self.running = []
