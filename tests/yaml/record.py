#!/usr/bin/env python3
"""Records what PyYAML makes of scalars and of the documents beside this file.

    python3 tests/yaml/record.py        (needs PyYAML with libyaml)

Writes `scalars.tsv` (text, type, value) and one `.json` for each `documents/*.yml`.
"""

import datetime
import itertools
import json
import pathlib

import yaml

HERE = pathlib.Path(__file__).parent


class Loader(yaml.CSafeLoader):
    """What the reader does on purpose beside PyYAML's rules: dates stay text, unknown markers are data."""


Loader.add_constructor("tag:yaml.org,2002:timestamp", yaml.SafeLoader.construct_yaml_str)
Loader.add_constructor("tag:yaml.org,2002:value", yaml.SafeLoader.construct_yaml_str)
Loader.add_constructor("tag:yaml.org,2002:merge", yaml.SafeLoader.construct_yaml_str)
Loader.add_constructor("!vault", yaml.SafeLoader.construct_yaml_str)
Loader.add_constructor("!unsafe", yaml.SafeLoader.construct_yaml_str)

WORDS = "y n yes no on off true false null none nil inf nan".split()
NUMBERS = """
0 1 -1 +1 -0 +0 00 007 0644 0755 -0644 +0644 08 09 0888 0o644 0O17 0x1F 0X1F 0xfg 0b101 0b12 -0x10 0b 0x 0_ 0_7 1_000
1__0 1_ _1 -_1 1,000 1 000 9223372036854775807 -9223372036854775807
12:30 12:30:00 1:2 01:30 1:60 1:59 10:5 10:05 1:2:3:4 22:22 0:30 -1:30 12:30:00.5 1:2. 09:30.5 9:99.5 1:a 5432:5432
1.0 1. .5 -.5 +.5 -1.5 +1.5 1.5.2 1.2.3 1e3 1E3 1e+3 1.e+3 1.0e3 1.0e+3 1.0E-3 1.5e+ .5e+3 .5e3 1_0.5 1.5_5 1._5 ._5
. .. ... - -- + +- .inf -.inf +.inf .Inf .INF .iNf .nan .NaN .NAN -.nan .Nan 1.inf
2024-01-02 2024-1-2 2001-12-14t21:59:43.10-05:00 2001-12-14 21:59:43 20240102
1a 0x 1-2 1/2 10% 1.2.3.4 10.0.0.1 ::1 fe80::1 10.0.0.0/8 1k 1M v1.2 1.10 3.10 3.9
""".split("\n")
OTHERS = ["=", "<<", "~", "~x", "", "a=b", "a:b", "a#b", "-a", "?a", ":a", "@x", "x@y", "text", "two words", "Yes!", "ye", "No.", "é", "ünïcode"]


def cases():
    yield from OTHERS
    for word in WORDS:
        yield from {word: 0, word.title(): 0, word.upper(): 0, word.swapcase(): 0, word[0] + word[1:].upper(): 0}
    for line in NUMBERS:
        yield from line.split()
    for sign, whole, dot, exponent in itertools.product(["", "-", "+"], ["", "0", "7", "010", "1_2"], ["", ".", ".0", ".25"], ["", "e3", "e+3", "E-2"]):
        yield sign + whole + dot + exponent


def plain(value):
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)


def main():
    seen = {}
    for text in cases():
        try:
            value = yaml.load("- " + text, Loader)[0]
        except (yaml.YAMLError, ValueError, IndexError):
            continue  # No plain scalar, or one that PyYAML cannot construct.
        if not isinstance(value, (list, dict)):
            seen[text] = f"{text}\t{type(value).__name__}\t{plain(value)}"
    (HERE / "scalars.tsv").write_text("".join(line + "\n" for line in seen.values()))
    for path in sorted((HERE / "documents").glob("*.yml")):
        try:
            data = json.loads(path.read_text())  # As Ansible does, JSON first.
        except ValueError:
            data = yaml.load(path.read_text(), Loader)
        path.with_suffix(".json").write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
