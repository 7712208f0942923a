#!/usr/bin/env python3
"""Replays the commands of a Markdown page against a fresh server, and compares what they print.

    replay.py PAGE [HEADING] [KEY=VALUE …]     the blocks of the whole page, or of one section of it
    replay.py … --on FOLDER                    against a server on the database in that folder, which stays

Settings that the page's server needs are given as they are in the environment (ROCKET_…=…).

A block marked `sh` is run by one bash that lives as long as the page, so that variables and the
cookie jar carry over. What it prints must match the block right after it, if that one is marked:

    json   the same JSON: every key listed must be there, lists have the length shown
    http   (from curl -i) the status line, at least the header lines shown, and the body as JSON
    text   the same lines
    sse    at least these lines, in this order

An ellipsis (…) stands for anything; as a value, for any value that is not null.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "crash"))
from server import Server, Sqlite, free_port  # noqa: E402

EXPECTING = ("json", "http", "text", "sse")
# What the pages write, and what a reader would type. The replay puts the server's own place there.
WRITTEN = "127.0.0.1:8000"
# A reader's own server beside it.
OWN = "127.0.0.1:9000"
OWN_PORT = "listen(9000,"
END = "--- end of block ---"


def blocks(page, heading):
    """(marker, text, line) of every fenced block, in the section asked for."""
    inside = heading is None
    marker = None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if marker is None and heading and re.match(r"#{1,3} ", line):
            inside = line.lstrip("# ").strip() == heading
        if marker is None and line.startswith("```"):
            marker, text, start = line[3:].strip(), [], number
        elif marker is not None and line.startswith("```"):
            if inside:
                yield marker, "\n".join(text), start
            marker = None
        elif marker is not None:
            text.append(line)


def pattern(expected):
    return re.compile(".*?".join(re.escape(part) for part in expected.split("…")), re.DOTALL)


def differs(expected, found, place="the body"):
    """What is different, in words; nothing when the JSON matches."""
    if expected == "…":
        return f"{place} is null" if found is None else None
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            if key not in found:
                return f"{place} has no {key}"
            difference = differs(value, found[key], f"{place}.{key}")
            if difference:
                return difference
        return None
    if isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            return f"{place} has {len(found)} entries, not {len(expected)}"
        both = enumerate(zip(expected, found))
        return next(filter(None, (differs(a, b, f"{place}[{n}]") for n, (a, b) in both)), None)
    if isinstance(expected, str) and isinstance(found, str):
        matches = pattern(expected).fullmatch(found)
        return None if matches else f"{place} is {found!r}, not {expected!r}"
    same = type(expected) is type(found) and expected == found
    return None if same else f"{place} is {found!r}, not {expected!r}"


def differs_json(expected, found):
    # An ellipsis outside of quotes stands for a whole value.
    expected = re.sub(r'(?<=[:\[,\s])…(?=\s*[,}\]])', '"…"', expected)
    try:
        return differs(json.loads(expected), json.loads(found))
    except ValueError as error:
        return f"no JSON ({error}): {found!r}"


def differs_http(expected, found):
    head, _, body = expected.partition("\n\n")
    found_head, _, found_body = found.replace("\r", "").partition("\n\n")
    status, *wanted = head.splitlines()
    found_status, *headers = found_head.splitlines()
    if found_status.split()[1:2] != status.split()[1:2]:
        return f"{found_status!r}, not {status!r}: {found_body}"
    for line in wanted:
        name, _, value = line.partition(":")
        rows = [row.partition(":") for row in headers]
        if not any(other.lower() == name.lower() and pattern(value.strip()).fullmatch(text.strip())
                   for other, _, text in rows):
            return f"no header {line!r} among {headers}"
    return differs_json(body, found_body) if body.strip() else None


def differs_text(expected, found):
    matches = pattern(expected.strip()).fullmatch(found.strip())
    return None if matches else f"{found.strip()!r}, not {expected.strip()!r}"


def differs_sse(expected, found):
    lines = iter(found.splitlines())
    for wanted in filter(None, expected.splitlines()):
        if not any(pattern(wanted).fullmatch(line) for line in lines):
            return f"no line {wanted!r} (any more) in {found!r}"
    return None


COMPARE = {"json": differs_json, "http": differs_http, "text": differs_text, "sse": differs_sse}


class Shell:
    """One bash for a whole page."""

    def __init__(self, folder, server):
        own = free_port()
        self.places = [(WRITTEN, f"127.0.0.1:{server.port}"), (OWN, f"127.0.0.1:{own}"), (OWN_PORT, f"listen({own},")]
        # A reader's own settings must not change what curl does.
        environment = {**os.environ, "HOME": str(folder)}
        self.bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], cwd=folder, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def run(self, commands):
        for written, here in self.places:
            commands = commands.replace(written, here)
        self.bash.stdin.write(f"{commands}\nprintf '\\n{END} %s\\n' $?\n")
        self.bash.stdin.flush()
        printed = []
        for line in self.bash.stdout:
            if line.startswith(END):
                return self.as_written("".join(printed)[:-1]), int(line.split()[-1])
            printed.append(line)
        return "".join(printed), 1

    def as_written(self, text):
        for written, here in self.places:
            text = text.replace(here, written)
        return text

    def end(self):
        """Ends the shell, and what it has left in the background."""
        self.bash.stdin.close()
        self.bash.wait(10)
        try:
            os.killpg(self.bash.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass


def replay(page, heading, settings, ground):
    faults, compared, ran = [], 0, 0
    with tempfile.TemporaryDirectory(prefix="parlance-replay-") as folder:
        server = Server(Path(folder), Sqlite(ground or folder))
        server.settings = settings
        server.start()
        shell = Shell(folder, server)
        try:
            printed = None
            for marker, text, line in blocks(page, heading):
                if marker == "sh":
                    printed, status = shell.run(text)
                    ran += 1
                    if status != 0:
                        faults.append(f"{page.name}:{line}: exit code {status}: {printed}")
                elif marker in EXPECTING and printed is not None:
                    compared += 1
                    difference = COMPARE[marker](text, printed)
                    if difference:
                        faults.append(f"{page.name}:{line}: {difference}")
                    printed = None
        finally:
            shell.end()
            server.stop()
        if faults:
            faults.append(server.log())
    return faults, compared, ran


def main():
    words = sys.argv[1:]
    ground = None
    if "--on" in words:
        place = words.index("--on")
        ground = words[place + 1]
        del words[place:place + 2]
    page = Path(words[0])
    settings = dict(word.split("=", 1) for word in words[1:] if word.startswith("ROCKET_"))
    heading = next((word for word in words[1:] if not word.startswith("ROCKET_")), None)
    faults, compared, ran = replay(page, heading, settings, ground)
    for fault in faults:
        print(fault)
    print(f"{page.name}: {ran} blocks run, {compared} answers compared, {len(faults)} faults")
    # A page whose blocks were not found must not pass.
    sys.exit(1 if faults or compared < 5 else 0)


if __name__ == "__main__":
    main()
