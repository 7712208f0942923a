#!/usr/bin/env python3
"""Compares the README's table of settings with Rocket.toml: the same keys, the same defaults."""

import json
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def flat(table, prefix=""):
    for key, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", json.dumps(value)


def main():
    text = (ROOT / "Rocket.toml").read_text()
    in_file = dict(flat(tomllib.loads(text)["default"]))
    # Keys whose default depends on the machine are listed as comments.
    by_machine = set(re.findall(r"^# ([a-z_]+) = ", text, re.MULTILINE))
    readme = (ROOT / "README.md").read_text()
    section = readme.partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \|", section, re.MULTILINE)
    in_readme = {key: value.strip("`") for key, value in rows}
    faults = []
    for key in sorted(in_file.keys() | by_machine | in_readme.keys()):
        if key not in in_readme:
            faults.append(f"README.md does not list {key}")
        elif key not in in_file and key not in by_machine:
            faults.append(f"README.md lists {key}, which Rocket.toml does not")
        elif key in in_file and in_readme[key] != in_file[key]:
            faults.append(f"README.md says {key} is {in_readme[key]}, Rocket.toml {in_file[key]}")
    for fault in faults:
        print(fault)
    print(f"README.md: {len(in_readme)} settings compared, {len(faults)} faults")
    sys.exit(1 if faults or not in_readme else 0)


if __name__ == "__main__":
    main()
