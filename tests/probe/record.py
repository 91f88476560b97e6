#!/usr/bin/env python3
"""Carries out playbooks under ansible-core and says what each task came to on each host.

  record.py FOLDER

Below FOLDER lies a folder for each playbook, with `site.yml`, `inventory` and `options` (a JSON list). One JSON object a
line is printed: the folder's name, the exit status, what was said, the results in their order, the recap. Needs the Python
that Ansible is installed for: its start takes longer than a playbook, so it is loaded once and forked.
"""
import json
import os
import shutil
import sys
import tempfile

# Read by Ansible when it is loaded.
HOME = tempfile.mkdtemp(prefix="wodctl-ansible-")
CONFIG = os.path.join(HOME, "ansible.cfg")
open(CONFIG, "w").close()
SETTINGS = {
    "ANSIBLE_HOME": HOME,
    "ANSIBLE_CONFIG": CONFIG,
    "ANSIBLE_PIPELINING": "1",
    "ANSIBLE_RETRY_FILES_ENABLED": "0",
    "ANSIBLE_LOCALHOST_WARNING": "0",
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_FORKS": "1",
    "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
    "ANSIBLE_DEPRECATION_WARNINGS": "0",
}
os.environ.update(SETTINGS)

from ansible.cli.playbook import PlaybookCLI  # noqa: E402
from ansible.plugins.callback import CallbackBase  # noqa: E402
from ansible.plugins import loader  # noqa: E402

# Of the engine's own making, or different in each run: left out wherever they stand.
DROP = {"invocation", "warnings", "deprecations", "exception", "diff", "failed_when_suppressed_exception"}


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "record"

    def __init__(self):
        super().__init__()
        self.results = []
        self.recap = {}

    def add(self, result, status):
        values = plain(json.loads(json.dumps(dict(result.result), default=str)))
        name = result.task.name or result.task.action.rsplit(".", 1)[-1]
        self.results.append([result.host.get_name(), name, status, values])

    def v2_runner_on_ok(self, result):
        self.add(result, "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.add(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_skipped(self, result):
        self.add(result, "skipped")

    def v2_runner_on_unreachable(self, result):
        self.add(result, "unreachable")

    def v2_playbook_on_stats(self, stats):
        self.recap = {host: stats.summarize(host) for host in stats.processed}


def plain(value):
    """A result without what is of this engine only."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: plain(item) for key, item in value.items() if key not in DROP and not key.startswith("_ansible")}
    facts = kept.get("ansible_facts")
    if isinstance(facts, dict) and facts.pop("discovered_interpreter_python", None) and not facts:
        del kept["ansible_facts"]
    return kept


def carry_out(folder):
    """One playbook, in a process of its own."""
    os.chdir(folder)
    said = open("said", "w+")
    for stream, file in (0, open(os.devnull)), (1, open(os.devnull, "w")), (2, said):
        os.dup2(file.fileno(), stream)
    callback = CallbackModule()
    found = loader.callback_loader.get
    loader.callback_loader.get = lambda name, *rest, **named: callback if name == "default" else found(name, *rest, **named)
    command = ["ansible-playbook", "-i", "inventory", "site.yml", *json.load(open("options"))]
    try:
        status = PlaybookCLI(command).run()
    except SystemExit as end:
        status = end.code
    except Exception as error:  # what the program's own entry point says and ends with
        print(error, file=sys.stderr, flush=True)
        status = getattr(error, "_exit_code", 1)
    said.seek(0)
    return {"rc": status, "results": callback.results, "recap": callback.recap, "said": said.read()[-600:]}


def start(folder):
    """The id of the process that writes the answer into a file beside the playbook."""
    child = os.fork()
    if child:
        return child
    try:
        answer = json.dumps(carry_out(folder)).replace(json.dumps(folder)[1:-1], "<here>")
        with open(os.path.join(folder, "answer"), "w") as file:
            file.write(answer)
    finally:
        os._exit(0)


def load():
    """What each playbook would load, before the first is forked."""
    for kind in ("strategy", "connection", "shell", "inventory", "vars", "become", "action", "callback"):
        list(getattr(loader, kind + "_loader").all(class_only=True))


def main():
    root = os.path.realpath(sys.argv[1])
    folders = sorted(entry.path for entry in os.scandir(root) if entry.is_dir())
    load()
    at_once, running = os.cpu_count() or 1, 0
    for folder in folders:
        if running == at_once:
            os.wait()
            running -= 1
        start(folder)
        running += 1
    while running:
        os.wait()
        running -= 1
    for folder in folders:
        answer = os.path.join(folder, "answer")
        if not os.path.exists(answer):
            continue
        with open(answer) as file:
            print(json.dumps({"name": os.path.basename(folder), **json.load(file)}, sort_keys=True))
    shutil.rmtree(HOME)


if __name__ == "__main__":
    main()
