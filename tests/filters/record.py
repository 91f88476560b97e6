#!/usr/bin/env python3
"""Writes what ansible-core answers into the fixtures of this folder: `record.py [FILE.yml…]`.

A fixture is a list of expressions, each with variables where it needs some: a plain text, or a mapping with `expr` and
`vars`. Recording adds `expect`, the value, or `fails: true` where ansible-core refuses. An expression with `kept: true`
is left alone: ansible-core's answer is not ours (say why in `note`), or is a different one each time.

Needs ansible-core 2.19, and jmespath and netaddr for the filters of the collections.
"""

import datetime
import pathlib
import sys
from collections.abc import Mapping, Sequence

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

init_plugin_loader()
HERE = pathlib.Path(__file__).parent
FILES = HERE.parent / "lookups"


def plain(value):
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    for kind in (bool, int, float):
        if isinstance(value, kind):
            return kind(value)
    if value is None or isinstance(value, datetime.date):
        return value
    raise TypeError(type(value))


def trusted(value):
    """Variables as if they stood in a playbook: texts are templates."""
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


def record(case):
    case = dict(case) if isinstance(case, dict) else {"expr": case}
    if case.get("kept"):
        return case
    kept = {key: case[key] for key in ("expr", "vars", "note") if key in case}
    loader = DataLoader()
    loader.set_basedir(str(FILES))
    templar = Templar(loader=loader, variables=trusted(case.get("vars", {})))
    try:
        answer = plain(templar.template(trust_as_template("{{ " + case["expr"] + " }}")))
        return {**kept, "expect": answer}
    except Exception as error:
        print(f"{case['expr']}\n    {str(error).splitlines()[0]}", file=sys.stderr)
        return {**kept, "fails": True}


def quoted(dumper, text):
    style = '"' if any(letter in text for letter in "'\n\x85") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


yaml.SafeDumper.add_representer(str, quoted)
yaml.SafeDumper.ignore_aliases = lambda *_: True

for path in map(pathlib.Path, sys.argv[1:]) if sys.argv[1:] else sorted([*HERE.glob("*.yml"), *FILES.glob("*.yml")]):
    cases = [record(case) for case in yaml.safe_load(path.read_text())]
    text = yaml.safe_dump(cases, sort_keys=False, allow_unicode=True, width=110)
    path.write_text(text.replace("\n- ", "\n\n- "))
