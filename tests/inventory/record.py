#!/usr/bin/env python3
"""Records what Ansible makes of the inventories beside this file, and of `patterns.txt`.

    tests/inventory/record.py        (run by the Python that has ansible-core)

A case is a folder with an `inventory*` file or folder, or a file `sources` with one source in a line. Where it has a
folder `playbooks`, that is the playbook's. Writes `list.json` and `graph.txt` into it, and `patterns.tsv`.
"""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent.resolve()
CONFIG = {"LC_ALL": "C.UTF-8", "ANSIBLE_DEPRECATION_WARNINGS": "0", "ANSIBLE_LOCALHOST_WARNING": "0"}


def sources(case):
    listed = case / "sources"
    if listed.exists():
        return listed.read_text().split("\n")[:-1]
    return [next(case.glob("inventory*")).name]


def inventory(case, *arguments):
    command = [pathlib.Path(sys.executable).parent / "ansible-inventory"]
    for source in sources(case):
        command += ["-i", source]
    if (case / "playbooks").is_dir():
        command += ["--playbook-dir", "playbooks"]
    return subprocess.run([*command, *arguments], cwd=case, env={**os.environ, **CONFIG}, check=True, capture_output=True, text=True).stdout


def patterns():
    from ansible.inventory.manager import InventoryManager
    from ansible.parsing.dataloader import DataLoader

    manager = InventoryManager(DataLoader(), [str(HERE / "patterns.yml")])
    for pattern in (HERE / "patterns.txt").read_text().splitlines():
        try:
            hosts = " ".join(host.name for host in manager.get_hosts(pattern))
        except Exception as error:
            hosts = "error"
        yield f"{pattern}\t{hosts}\n"


def main():
    for case in sorted(HERE.iterdir()):
        if case.is_dir() and case.name != "broken":
            data = json.loads(inventory(case, "--list"))
            (case / "list.json").write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
            (case / "graph.txt").write_text(inventory(case, "--graph"))
    (HERE / "patterns.tsv").write_text("".join(patterns()))


if __name__ == "__main__":
    os.environ.update(CONFIG)
    main()
