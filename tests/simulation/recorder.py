"""Notes what happens in a run of ansible-playbook, in the form of `src/runner/simulation/history.rs`."""

import json
import os

from ansible.plugins.callback import CallbackBase

COUNTERS = ["ok", "changed", "dark", "failures", "skipped", "rescued", "ignored"]


def short(result):
    """A registered result in a few words."""
    flags = ["failed", "changed", "skipped", "unreachable"]
    words = [flag for flag in flags if result.get(flag)]
    words += [f"{key}={result[key]}" for key in ("stdout", "attempts") if key in result]
    if "results" in result:
        words.append("[" + "; ".join(short(item) for item in result["results"]) + "]")
    return " ".join(words) or "ok"


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "recorder"

    def __init__(self):
        super().__init__()
        self.results = []
        self.manager = None

    def v2_playbook_on_play_start(self, play):
        self.manager = play.get_variable_manager()

    def note(self, result, status):
        name = result.task_name.split(" : ")[-1]
        if not name.startswith(("inc", "meta")):
            self.results.append(f"{name} {result.host.name} {status}")

    def v2_runner_on_ok(self, result):
        self.note(result, "changed" if result.is_changed() else "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.note(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_skipped(self, result):
        self.note(result, "skipped")

    def v2_runner_on_unreachable(self, result):
        self.note(result, "unreachable")

    def values(self, host):
        known = self.manager._nonpersistent_fact_cache.get(host, {})
        return {
            name: short(value) if isinstance(value, dict) else str(value)
            for name, value in known.items()
            if name[0] in "rv" and name[1:].isdigit()
        }

    def v2_playbook_on_stats(self, stats):
        hosts = [host.name for host in self.manager._inventory.get_hosts("all", ignore_restrictions=True)]
        counts = {host: [getattr(stats, name).get(host, 0) for name in COUNTERS] for host in hosts}
        values = {host: self.values(host) for host in hosts}
        with open(os.environ["SIMULATION_NOTES"], "w") as notes:
            json.dump({"results": self.results, "recap": counts, "values": values}, notes)
