"""The work that is measured: playbooks of a hundred tasks, and what they leave."""
import os
import random

SCRATCH = "/var/tmp/wodctl-bench"
VARIABLES = {"app_name": "demo", "app_port": "8080", "app_user": "svc", "app_level": "info"}
TEMPLATE = "# {{ app_name }} unit NUMBER\nport={{ app_port }}\nuser={{ app_user }}\nlevel={{ app_level }}\n"
PLAY = "- hosts: all\n  gather_facts: GATHER\n  become: BECOME\n  vars:\n" + "".join(
    f"    {name}: '{value}'\n" for name, value in VARIABLES.items()
)


def text(seed, size):
    """So many bytes of lines that are the same each time."""
    letters = random.Random(seed)
    line = lambda: "".join(letters.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(62)) + "\n"
    lines = "".join(line() for _ in range(size // 63 + 1))
    return lines[: size - 1] + "\n"


class Work:
    """Tasks, the files of the controller that they use, and the entries that they leave: path -> (mode, content)."""

    def __init__(self, folder):
        self.folder, self.left, self.tasks = folder, {}, []
        os.makedirs(f"{folder}/files", exist_ok=True)
        os.makedirs(f"{folder}/templates", exist_ok=True)

    def add(self, name, module, extra=""):
        self.tasks.append(f"    - name: {name}\n      {module}\n{extra}")

    def directory(self, number, extra=""):
        path = self.entry(f"d{number}", 0o755)
        self.add(f"Directory {number}", f"file: {{path: {path}, state: directory, mode: '0755'}}", extra)

    def touch(self, number, extra=""):
        path = self.entry(f"f{number}", 0o640, "")
        times = "access_time: preserve, modification_time: preserve"
        self.add(f"File {number}", f"file: {{path: {path}, state: touch, mode: '0640', {times}}}", extra)

    def template(self, number, extra=""):
        source = TEMPLATE.replace("NUMBER", str(number)) + text(f"t{number}", 1900)
        self.source(f"templates/t{number}.j2", source)
        for name, value in VARIABLES.items():
            source = source.replace("{{ %s }}" % name, value)
        path = self.entry(f"t{number}", 0o644, source)
        self.add(f"Template {number}", f"template: {{src: t{number}.j2, dest: {path}, mode: '0644'}}", extra)

    def copy(self, number, extra=""):
        content = text(f"c{number}", 2048)
        self.source(f"files/c{number}", content)
        path = self.entry(f"c{number}", 0o644, content)
        self.add(f"Copy {number}", f"copy: {{src: c{number}, dest: {path}, mode: '0644'}}", extra)

    def line(self, number, extra=""):
        path, line = f"{SCRATCH}/l{number // 5}", f"option_{number}=value {number}"
        self.left[path] = (0o644, self.left.get(path, (0, ""))[1] + line + "\n")
        self.add(f"Line {number}", f"lineinfile: {{path: {path}, line: '{line}', create: true, mode: '0644'}}", extra)

    def command(self, number, extra=""):
        path = self.entry(f"x{number}", 0o644, "")
        self.add(f"Command {number}", f"command: {{cmd: touch {path}, creates: {path}}}", extra)

    def entry(self, name, mode, content=None):
        self.left[f"{SCRATCH}/{name}"] = (mode, content)
        return f"{SCRATCH}/{name}"

    def source(self, name, content):
        with open(f"{self.folder}/{name}", "w") as file:
            file.write(content)

    def write(self, name, become=False, gather=False, rest="", repeat=1):
        head = PLAY.replace("GATHER", str(gather).lower()).replace("BECOME", str(become).lower())
        self.source(name, head + "  tasks:\n" + "".join(self.tasks) * repeat + rest)
        return f"{self.folder}/{name}"

    def manifest(self):
        """What `limit.c` looks at."""
        return "".join(f"{mode:o} {fnv(content)} {path}\n" for path, (mode, content) in self.left.items())


def fnv(content):
    if content is None:
        return "-"
    value = 14695981039346656037
    for byte in content.encode():
        value = (value ^ byte) * 1099511628211 & (1 << 64) - 1
    return f"{value:x}"


def hundred(folder):
    """20 directories, 20 files, 15 templates, 15 copies of 2 KiB, 20 lines, 10 commands with `creates`."""
    work = Work(folder)
    kinds = [(work.directory, 20), (work.touch, 20), (work.template, 15), (work.copy, 15), (work.line, 20)]
    for make, count in kinds + [(work.command, 10)]:
        for number in range(count):
            make(number)
    return work


def realistic(folder):
    """A hundred tasks in ten groups, each with a registered result that a later task uses and a handler; one role."""
    work = Work(folder)
    for group in range(10):
        work.directory(group)
        work.add(f"Look {group}", f"stat: {{path: {SCRATCH}/d{group}}}", f"      register: look{group}\n")
        notify = f"      notify: Restart {group}\n"
        for number in (2 * group, 2 * group + 1):
            work.template(number, notify)
            work.copy(number, notify)
            work.line(number)
        work.touch(group)
        work.command(group, f"      when: look{group}.stat.isdir\n")
    # One of a hundred brings in a role.
    work.tasks.pop()
    del work.left[f"{SCRATCH}/x9"]
    work.add("A role", "include_role: {name: bench}")
    os.makedirs(f"{folder}/roles/bench/tasks", exist_ok=True)
    path = work.entry("role", 0o755)
    role = f"- name: In the role\n  file: {{path: {path}, state: directory, mode: '0755'}}\n"
    work.source("roles/bench/tasks/main.yml", role)
    handlers = "".join(f"    - name: Restart {group}\n      command: 'true'\n" for group in range(10))
    return work, "  handlers:\n" + handlers
