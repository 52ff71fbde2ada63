"""Plays the sessions of a document: what somebody types at one of its prompts is run, what comes back is written as the
document writes it. See docs/transcripts.md for the conventions."""

import dataclasses
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading

import program

SECONDS = 60  # until a command counts as hanging
PROMPT = re.compile(r"(\w+)\$ (.*)")
FENCE = re.compile(r"^```(console|browser)\n(.*?)^```$", re.M | re.S)
END = "end of the output of a command"

# A name in the document for what differs from run to run, and how it is recognised where it first appears. In a later
# command the name stands for that value.
LEARNED = {
    "<{prompt}-key>": re.compile(r"ed25519:[0-9a-f]{64}"),
    "<token>": re.compile(r"(?<=is kept\): )[\w-]{43}"),
    "<mcp-session>": re.compile(r"(?<=Mcp-Session-Id: )[0-9a-f]{64}"),
}
# What nobody needs again.
FORGOTTEN = {
    "<time>": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z?"),
    "<date>": re.compile(r"(?<=Date: )\w{3}, .* GMT"),
    "<length>": re.compile(r"(?<=Content-Length: )[1-9]\d*"),
    "<count>": re.compile(r"(?<=operations=)\d+"),
    "<port>": re.compile(r"(?<=127\.0\.0\.1:)\d{5}"),
}
LONG_LIST = re.compile(r"\[((?:-?[\d.e-]+, ?){3})(?:-?[\d.e-]+, ?){5,}-?[\d.e-]+\]")
DECIMAL = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


@dataclasses.dataclass
class Step:
    prompt: str
    command: str
    output: str

    def __str__(self):
        first, *more = self.command.split("\n")
        lines = [f"{self.prompt}$ {first}", *(f"> {line}" for line in more)]
        return "\n".join([*lines, *([self.output] if self.output else [])])


@dataclasses.dataclass
class Block:
    kind: str  # "console" or "browser"
    text: str
    line: int  # of its fence in the document
    section: str
    needs: str  # what has to be there: the comment <!-- needs: WHAT --> of its section; empty when nothing

    def steps(self):
        steps = []
        for line in self.text.splitlines():
            if found := PROMPT.fullmatch(line):
                steps.append(Step(found[1], found[2], ""))
            elif not steps:
                raise ValueError(f"line {self.line}: a session begins with a prompt, not with {line!r}")
            elif line.startswith("> ") and not steps[-1].output:
                steps[-1].command += "\n" + line[2:]
            else:
                steps[-1].output += ("\n" if steps[-1].output else "") + line
        return steps


def blocks_of(text):
    blocks = []
    for found in FENCE.finditer(text):
        before = text[: found.start()]
        section = before[before.rfind("\n## ") + 1 :]
        title = section.partition("\n")[0].removeprefix("## ")
        needs = re.search(r"<!-- needs: (.*?) -->", section)
        blocks.append(Block(found[1], found[2], before.count("\n") + 1, title, needs[1] if needs else ""))
    return blocks


def with_blocks(text, contents):
    """The document with other texts in its blocks; None leaves one as it is."""
    contents = iter(contents)

    def filled(found):
        content = next(contents)
        return found[0] if content is None else f"```{found[1]}\n{content}\n```"

    return FENCE.sub(filled, text)


def same(wanted, got):
    """Whether two outputs are alike: decimal fractions may differ by a ten-thousandth."""
    if DECIMAL.sub("#", wanted) != DECIMAL.sub("#", got):
        return False
    pairs = zip(map(float, DECIMAL.findall(wanted)), map(float, DECIMAL.findall(got)))
    return all(abs(left - right) <= 1e-4 * max(1, abs(left)) for left, right in pairs)


class Names:
    """How values of this run are called in the document."""

    def __init__(self):
        self.known = {}  # by the value of this run
        self.shown_only = {}

    def real(self, text):
        for value, name in reversed(self.known.items()):  # the newest of that name
            text = text.replace(name, value)
        return text

    def shown(self, text, prompt):
        for name, pattern in LEARNED.items():
            for value in pattern.findall(text):
                self.known.setdefault(value, name.format(prompt=prompt))
        for value, name in {**self.shown_only, **self.known}.items():
            text = text.replace(value, name).replace(value[:20] + "…", name)
        for name, pattern in FORGOTTEN.items():
            text = pattern.sub(name, text)
        return LONG_LIST.sub(r"[\1…]", text)


class Shell:
    """A Bash behind one prompt of the document, which lives as long as the document."""

    def __init__(self, home, environment):
        home.mkdir()
        self.process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=home,
            env={**environment, "HOME": str(home)},
            text=True,
            start_new_session=True,
        )

    def run(self, command):
        watch = threading.Timer(SECONDS, os.killpg, (self.process.pid, signal.SIGKILL))  # ends the reading below
        watch.start()
        self.process.stdin.write(f"{command}\nprintf '%s\\n' '{END}'\n")
        self.process.stdin.flush()
        output = ""
        while not output.endswith(END + "\n"):
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError(f"the shell ended in: {command}\n{output}")
            output += line
        watch.cancel()
        return output.removesuffix(END + "\n").rstrip("\n")

    def close(self):
        self.process.stdin.close()
        self.process.wait(SECONDS)
        self.process.stdout.close()


class Node:
    """`alknet serve` in a terminal of its own, on free ports instead of those in the document."""

    def __init__(self, command, home, environment, names):
        places = re.findall(r"(?:quic://)?127\.0\.0\.1:\d+", command)
        words = ["env", f"HOME={home}", "bash", "-c", "exec " + re.sub(r"(127\.0\.0\.1):\d+", r"\1:0", command)]
        self.process = subprocess.Popen(words, cwd=home, env=environment, stderr=subprocess.PIPE, text=True)
        self.log = self.read_until("ready")
        for place in places:
            scheme = "quic" if place.startswith("quic") else "http"
            bound = re.search(rf"address={scheme}://(\S+)", self.log)[1]
            names.known.pop(bound, None)
            names.known[bound] = place.removeprefix("quic://")

    def read_until(self, message):
        watch = threading.Timer(SECONDS, self.process.kill)
        watch.start()
        lines = []
        for line in self.process.stderr:
            lines.append(line)
            if f" {message}" in line:
                break
        watch.cancel()
        if not lines or f" {message}" not in lines[-1]:
            raise AssertionError(f"the node never said {message}:\n{''.join(lines)}")
        return "".join(lines).rstrip("\n")

    def interrupt(self):
        """What it says from the signal on, but for callers that left before and that it hears of only now."""
        self.process.send_signal(signal.SIGINT)
        said = self.read_until("stopped").split("\n")
        self.process.wait(SECONDS)
        last = said[next(i for i, line in enumerate(said) if " stopping" in line) :]
        return "\n".join(line for line in last if " disconnected peer=" not in line)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(SECONDS)
        self.process.stderr.close()


class Player:
    """The people and machines of a document, in folders of their own. A context manager."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.names = Names()
        self.shells = {}
        self.node = None
        commands = self.folder / "bin"
        commands.mkdir()
        (commands / "alknet").symlink_to(shutil.which(program.PROGRAM) or program.PROGRAM)
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        kept.pop("XDG_CONFIG_HOME", None)
        kept.setdefault("XDG_CACHE_HOME", str(pathlib.Path.home() / ".cache"))  # where models are installed
        self.environment = {**kept, "PATH": f"{commands}:{kept['PATH']}", "LC_ALL": "C.UTF-8", "ALKNET_DEVICE": "cpu"}
        self.names.shown_only[program.run("--version").stdout.decode().split()[-1]] = "<version>"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for shell in self.shells.values():
            shell.close()
        if self.node:
            self.node.close()

    def home(self, prompt):
        self.names.shown_only[str(self.folder / prompt)] = "~"
        return self.folder / prompt

    def play(self, step):
        """The step with what comes back this time."""
        home = self.home(step.prompt)
        if step.prompt not in self.shells:
            self.shells[step.prompt] = Shell(home, self.environment)
        command = self.names.real(step.command)
        if command == "^C":
            output = self.node.interrupt()
            self.node.close()
            self.node = None
        elif command.startswith("alknet serve "):
            self.node = Node(step.command, home, self.environment, self.names)
            output = self.node.log
        else:
            output = self.shells[step.prompt].run(command)
        return Step(step.prompt, step.command, self.names.shown(output, step.prompt))
