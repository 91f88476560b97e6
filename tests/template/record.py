#!/usr/bin/env python3
"""Writes what ansible-core makes of every case of tests/template/*.yml into the files.

Run it with the Python of an environment that has ansible-core 2.19: `python3 tests/template/record.py [FILE…]`.
A case has one of `template` (a text in YAML), `file` (the text of a template file), `expression` and `condition`;
`vars` (templates) and `data` (never templates); `expected`, or `fails` with ansible's words. `ours` and `why` are
written by hand where wodctl differs on purpose, and `error` a part of what wodctl says.
"""

import pathlib
import sys
import warnings

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template
from ansible.utils.display import Display

KEYS = ("name", "template", "file", "expression", "condition", "vars", "data", "expected", "fails", "ours", "error", "why")
yaml.SafeDumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if "\n" in text or "'" in text else None)
)
warnings.simplefilter("ignore")
init_plugin_loader()
Display.deprecated = Display.warning = lambda *args, **kwargs: None


def trusted(value):
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


def plain(value):
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value if value is None else str(value)


def result(case):
    folder = pathlib.Path(__file__).parent / "files"
    variables = {**trusted(case.get("vars") or {}), **(case.get("data") or {})}
    templar = Templar(loader=DataLoader(), variables=variables)
    if "file" in case:
        templar = templar.copy_with_new_env(searchpath=[str(folder)], available_variables=variables)
        text = templar.template(trust_as_template(case["file"]), escape_backslashes=False)
        return "" if text is None else str(text)
    if "template" in case:
        return plain(templar.template(trust_as_template(case["template"])))
    if "expression" in case:
        return plain(templar.evaluate_expression(trust_as_template(case["expression"])))
    return templar.evaluate_conditional(trust_as_template(case["condition"]))


def record(path):
    cases = yaml.safe_load(path.read_text())
    for case in cases:
        case.pop("expected", None)
        case.pop("fails", None)
        try:
            case["expected"] = result(case)
        except Exception as error:  # whatever ansible says is what is recorded
            # Without the folders of the machine that it was recorded on.
            case["fails"] = str(error).split("\n")[0].split(" in search path")[0][:150]
    ordered = [{key: case[key] for key in KEYS if key in case} for case in cases]
    text = [yaml.safe_dump([case], sort_keys=False, allow_unicode=True, width=110) for case in ordered]
    path.write_text("\n".join(text))


for name in sys.argv[1:] or sorted(str(path) for path in pathlib.Path(__file__).parent.glob("*.yml")):
    record(pathlib.Path(name))
