"""Measures wodctl on the lab beside the least that the same work could cost: a bare cold ssh.

W1         100 tasks with nothing to do on one host, as root; the limit is an ssh that runs limit.c
W3         the same on three hosts; the limit is three of them side by side
W7         W1 with 50 ms of round-trip time
realistic  a hundred tasks by a user who becomes root: facts, ten registered results that later tasks use, ten handlers,
           one include_role; the limit is `ssh HOST sudo true`
start      `wodctl --version`; the limit is `true`
check      `wodctl check` of 2,000 tasks
memory     the peak of all agent processes on the host during W1
"""
import argparse
import glob
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import work

HERE = os.path.dirname(os.path.abspath(__file__))
HOSTS = ["backend", "api-db", "frontend"]
LAB = f"{HERE}/../tests/lab/lab"
TARGETS = {"W1": 1.5, "W3": 1.5, "W7": 1.3, "realistic": 2.0}


def output(*argv, **options):
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    if done.returncode:
        sys.exit(f"{' '.join(argv)}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def timed(*commands):
    """Seconds until all commands, started together, have ended well."""
    began = time.perf_counter()
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    running = [subprocess.Popen(command, **quiet) for command in commands]
    said = [process.communicate()[0] for process in running]
    took = time.perf_counter() - began
    for process, text in zip(running, said):
        if process.returncode:
            sys.exit(f"{process.args} ended with {process.returncode}:\n{text.decode()}")
    return took, b"".join(said).decode()


class Bench:
    def __init__(self, options, folder):
        self.wodctl, self.runs, self.folder = options.wodctl, options.runs, folder
        lab_env = output(LAB, "env")
        self.config = next(line.split("=", 1)[1].strip("'") for line in lab_env.splitlines() if "SSH_CONFIG" in line)
        output("gcc", "-O2", "-static", "-o", f"{folder}/limit", f"{HERE}/limit.c")
        self.hundred = work.hundred(f"{folder}/w1")
        self.w1 = self.hundred.write("w1.yml")
        realistic, handlers = work.realistic(f"{folder}/realistic")
        self.realistic = realistic.write("realistic.yml", become=True, gather=True, rest=handlers)

    def ssh(self, host, *command, user="root"):
        return ["ssh", "-F", self.config, "-l", user, host, *command]

    def inventory(self, name, hosts, user):
        path = f"{self.folder}/{name}.ini"
        with open(path, "w") as file:
            for host in hosts:
                file.write(f"{host} ansible_user={user} ansible_ssh_common_args='-F {self.config}'\n")
        return path

    def apply(self, name, playbook, hosts, user="root"):
        return [self.wodctl, "apply", self.inventory(name, hosts, user), playbook]

    def fresh(self, hosts):
        """Removes what another shape has left."""
        for host in hosts:
            output(*self.ssh(host, f"rm -rf {work.SCRATCH}; mkdir -p {work.SCRATCH}"))

    def limit(self, hosts):
        """Commands that look at everything once, one for each host."""
        self.hundred.source("manifest", self.hundred.manifest())
        for host in hosts:
            files = [f"{self.folder}/limit", f"{self.hundred.folder}/manifest"]
            output("scp", "-q", "-F", self.config, *files, f"root@{host}:/var/tmp")
        return [self.ssh(host, "/var/tmp/limit /var/tmp/manifest") for host in hosts]

    def compare(self, name, ours, limits):
        """Runs both in turn, the first time without counting, and shows medians and the median of the ratios."""
        pairs = []
        timed(ours)
        for run in range(self.runs + 1):
            took, said = timed(ours)
            if re.search("changed=[1-9]", said):
                sys.exit(f"{name}: something was changed:\n{said}")
            least, _ = timed(*limits)
            if run:
                pairs.append((took, least))
        ratio = statistics.median(took / least for took, least in pairs)
        target = TARGETS[name]
        columns = [spread([pair[0] for pair in pairs]), spread([pair[1] for pair in pairs])]
        row(name, *columns, f"{ratio:.2f} (at most {target})")

    def run_W1(self):
        self.fresh(HOSTS[:1])
        self.compare("W1", self.apply("one", self.w1, HOSTS[:1]), self.limit(HOSTS[:1]))

    def run_W3(self):
        self.fresh(HOSTS)
        self.compare("W3", self.apply("three", self.w1, HOSTS), self.limit(HOSTS))

    def run_W7(self):
        self.fresh(HOSTS[:1])
        output(LAB, "slow", HOSTS[0], "50ms")
        try:
            self.compare("W7", self.apply("one", self.w1, HOSTS[:1]), self.limit(HOSTS[:1]))
        finally:
            output(LAB, "slow", HOSTS[0], "0")

    def run_realistic(self):
        self.fresh(HOSTS[:1])
        ours = self.apply("user", self.realistic, HOSTS[:1], user="wod")
        self.compare("realistic", ours, [self.ssh(HOSTS[0], "sudo true", user="wod")])

    def run_start(self):
        many = 10 * self.runs
        ours = [timed([self.wodctl, "--version"])[0] for _ in range(many)]
        least = [timed(["true"])[0] for _ in range(many)]
        row("start", spread(ours), spread(least), "at most 5 ms more")

    def run_check(self):
        playbook = self.hundred.write("check.yml", repeat=20)
        check = [self.wodctl, "check", self.inventory("one", HOSTS[:1], "root"), playbook]
        row("check", spread([timed(check)[0] for _ in range(self.runs)]), "", "at most 100 ms")

    def run_memory(self):
        self.fresh(HOSTS[:1])
        ours = self.apply("one", self.w1, HOSTS[:1])
        timed(ours)
        machine = output(LAB, "exec", HOSTS[0], "readlink", "/proc/self/ns/mnt").strip()
        peaks = [self.peak(ours, machine) for _ in range(3)]
        shown = f"{statistics.median(peaks) / 1024:.1f} MiB ({min(peaks) / 1024:.1f} to {max(peaks) / 1024:.1f})"
        row("memory", shown, "", "at most 10 MB")

    def peak(self, command, machine):
        """The sum of the greatest resident sizes of all agents on a machine while a command runs, in KiB. The host sees
        the processes of the lab's machines; each machine has a mount namespace of its own."""
        seen, ended = {}, threading.Event()

        def look():
            while not ended.is_set():
                for exe in glob.glob("/proc/[0-9]*/exe"):
                    try:
                        process = os.path.dirname(exe)
                        is_agent = os.path.basename(os.readlink(exe)).startswith("agent-")
                        if is_agent and os.readlink(f"{process}/ns/mnt") == machine:
                            with open(f"{process}/status") as status:
                                size = [line.split()[1] for line in status if line.startswith("VmHWM")]
                            seen[exe] = max(seen.get(exe, 0), *map(int, size))
                    except (OSError, TypeError):
                        pass  # it has ended meanwhile

        watcher = threading.Thread(target=look)
        watcher.start()
        timed(command)
        ended.set()
        watcher.join()
        return sum(seen.values())


def spread(times):
    """`median (least to greatest)` in milliseconds"""
    low, middle, high = (1000 * time for time in (min(times), statistics.median(times), max(times)))
    return f"{middle:.1f} ms ({low:.1f} to {high:.1f})"


def row(*columns):
    print("| " + " | ".join(columns) + " |", flush=True)


def main():
    shapes = ["W1", "W3", "W7", "realistic", "start", "check", "memory"]
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form, prog="benches/run")
    parser.add_argument("--wodctl", default="wodctl", help="the program to measure")
    parser.add_argument("--runs", type=int, default=15, help="so many pairs of runs [%(default)s]")
    parser.add_argument("--shapes", default=",".join(shapes), help="which [%(default)s]")
    options = parser.parse_args()
    wanted = options.shapes.split(",")
    if unknown := set(wanted) - set(shapes):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(shapes)}")
    row("", "wodctl", "limit", "ratio")
    row("---", "---", "---", "---")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, folder)
        for shape in wanted:
            getattr(bench, f"run_{shape}")()


if __name__ == "__main__":
    main()
