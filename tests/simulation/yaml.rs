//! A playbook's text: the same for Ansible and for us.

use super::book::{Act, Block, Book, Condition, Deed, Include, Meta, Node, Notify, Play, State, Task, Text, host_name};

/// The name of the playbook's file.
pub const PLAYBOOK: &str = "play.yml";

/// The files of a playbook, by their names: itself, and what it includes. `base` is the folder on the hosts for files.
pub fn files(book: &Book, base: &str) -> Vec<(String, String)> {
    let mut writer = Writer { files: Vec::new(), free: false };
    let text = book.plays.iter().map(|play| writer.play(play, base)).collect();
    writer.files.insert(0, (PLAYBOOK.to_owned(), text));
    writer.files
}

/// All files below each other, for people.
pub fn shown(book: &Book) -> String {
    let mut text = format!("# {} hosts, forks {}, down: {:?}\n", book.hosts, book.forks, book.down);
    for (name, content) in files(book, "/r") {
        text.push_str(&format!("# {name}\n{content}"));
    }
    text
}

struct Writer {
    files: Vec<(String, String)>,
    free: bool,
}

/// The name of an include's loop variable.
fn loop_var(include: &Include) -> String {
    format!("inc{}", include.id)
}

impl Writer {
    fn play(&mut self, play: &Play, base: &str) -> String {
        self.free = play.free;
        let mut text = format!("- hosts: all\n  gather_facts: false\n  vars: {{base: {base}}}\n");
        if play.free {
            text += "  strategy: free\n";
        }
        if !play.serial.is_empty() {
            text += &format!("  serial: {:?}\n", play.serial);
        }
        if play.fatal {
            text += "  any_errors_fatal: true\n";
        }
        if let Some(percent) = play.max_fail {
            text += &format!("  max_fail_percentage: {percent}\n");
        }
        text += &format!("  tasks:\n{}", self.list(&play.tasks, 2));
        if !play.handlers.is_empty() {
            text += "  handlers:\n";
            for handler in &play.handlers {
                text += &self.task(&handler.task, 2);
                if let Some(topic) = handler.listen {
                    text += &format!("    listen: t{topic}\n");
                }
            }
        }
        text
    }

    fn list(&mut self, nodes: &[Node], indent: usize) -> String {
        nodes.iter().map(|node| self.node(node, indent)).collect()
    }

    fn node(&mut self, node: &Node, indent: usize) -> String {
        let pad = " ".repeat(indent);
        match node {
            Node::Task(task) => self.task(task, indent),
            Node::Block(block) => self.block(block, indent),
            Node::Include(include) => self.include(include, indent),
            Node::Meta(meta, when) => {
                let name = match meta {
                    Meta::Flush => "flush_handlers",
                    Meta::EndHost => "end_host",
                    Meta::EndBatch => "end_batch",
                    Meta::EndPlay => "end_play",
                };
                format!("{pad}- meta: {name}\n{}", keyword("when", when.as_ref(), indent, "item"))
            }
        }
    }

    fn block(&mut self, block: &Block, indent: usize) -> String {
        let pad = " ".repeat(indent);
        let mut text = format!("{pad}- block:\n{}", self.list(&block.main, indent + 4));
        for (name, nodes) in [("rescue", &block.rescue), ("always", &block.always)] {
            if !nodes.is_empty() {
                text += &format!("{pad}  {name}:\n{}", self.list(nodes, indent + 4));
            }
        }
        text + &keyword("when", block.when.as_ref(), indent, "item")
    }

    fn include(&mut self, include: &Include, indent: usize) -> String {
        let pad = " ".repeat(indent);
        let name = loop_var(include);
        let content = self.list(&include.tasks, 0);
        let (file, line) = match include.role {
            true => (format!("roles/{name}/tasks/main.yml"), format!("include_role: {{name: {name}}}")),
            false => (format!("{name}.yml"), format!("include_tasks: {name}.yml")),
        };
        self.files.push((file, content));
        let mut text = format!("{pad}- name: {name}\n{pad}  {line}\n");
        text += &keyword("when", include.when.as_ref(), indent, &name);
        if include.items > 0 {
            text += &format!("{pad}  loop: {}\n{pad}  loop_control: {{loop_var: {name}}}\n", items(include.items));
        }
        text
    }

    fn task(&self, task: &Task, indent: usize) -> String {
        let pad = " ".repeat(indent);
        let mut text = format!("{pad}- name: s{}\n{pad}  {}\n", task.id, self.act(task));
        let mut add = |line: String| text.push_str(&format!("{pad}  {line}\n"));
        if task.items > 0 {
            add(format!("loop: {}", items(task.items)));
        }
        if matches!(task.act, Act::Write(..) | Act::Copy(..)) {
            let item = if task.items > 0 { "\"{{ item }}\"" } else { "'-'" };
            add(format!("environment: {{TASK: '{}', ITEM: {item}}}", task.id));
        }
        if !task.when.is_empty() {
            let list: Vec<String> = task.when.iter().map(|when| quoted(&condition(when, "item"))).collect();
            add(format!("when: [{}]", list.join(", ")));
        }
        if let Some(register) = task.register {
            add(format!("register: r{register}"));
        }
        match task.notify {
            Some(Notify::Name(id)) => add(format!("notify: s{id}")),
            Some(Notify::Topic(topic)) => add(format!("notify: t{topic}")),
            None => {}
        }
        for (is_set, name) in [
            (task.ignore, "ignore_errors"),
            (task.ignore_lost, "ignore_unreachable"),
            (task.once, "run_once"),
            (task.fatal, "any_errors_fatal"),
        ] {
            if is_set {
                add(format!("{name}: true"));
            }
        }
        if let Some((_, retries)) = &task.until {
            add(format!("retries: {retries}"));
            add("delay: 0".to_owned());
        }
        if let Some(host) = task.delegate {
            add(format!("delegate_to: {}", host_name(host)));
        }
        text += &keyword("until", task.until.as_ref().map(|(until, _)| until), indent, "item");
        text += &keyword("failed_when", task.failed_when.as_ref(), indent, "item");
        text + &keyword("changed_when", task.changed_when.as_ref(), indent, "item")
    }

    fn act(&self, task: &Task) -> String {
        let file = |number: &u32| format!("\"{{{{ base }}}}/{{{{ inventory_hostname }}}}-f{number}\"");
        match &task.act {
            Act::Debug => "debug: {msg: well}".to_owned(),
            Act::Fail => "fail: {msg: as told}".to_owned(),
            Act::Command(deeds) => {
                let item = if task.items > 0 { "{{ item }}" } else { "-" };
                let deeds: Vec<String> = deeds.iter().map(deed).collect();
                let view = if self.free { "own" } else { "all" };
                let deeds = deeds.join("/");
                format!("command: act s{} {{{{ inventory_hostname }}}} {item} {deeds} {view}", task.id)
            }
            Act::Write(number, content) => format!("copy: {{content: {}, dest: {}}}", text(content), file(number)),
            Act::Read(number) => format!("slurp: {{src: {}}}", file(number)),
            Act::Fetch(number) => {
                let dest = format!("\"x{number}-{{{{ inventory_hostname }}}}\"");
                format!("fetch: {{src: {}, dest: {dest}, flat: true}}", file(number))
            }
            Act::Copy(from, host, to) => format!("copy: {{src: x{from}-{}, dest: {}}}", host_name(*host), file(to)),
            Act::SetFact(fact, value) => format!("set_fact: {{v{fact}: {}}}", text(value)),
        }
    }
}

fn items(count: u32) -> String {
    let items: Vec<String> = (1..=count).map(|item| format!("i{item}")).collect();
    format!("[{}]", items.join(", "))
}

fn keyword(name: &str, when: Option<&Condition>, indent: usize, item: &str) -> String {
    let line = |when: &Condition| format!("{}  {name}: {}\n", " ".repeat(indent), quoted(&condition(when, item)));
    when.map(line).unwrap_or_default()
}

/// An expression as YAML: literals as they are, so that they are no text.
fn quoted(expression: &str) -> String {
    match expression {
        "true" | "false" => expression.to_owned(),
        other => format!("\"{other}\""),
    }
}

fn deed(deed: &Deed) -> String {
    match deed {
        Deed::Ok => "ok".to_owned(),
        Deed::Fail => "fail".to_owned(),
        Deed::At(tries) => format!("at{tries}"),
        Deed::Put(number) => format!("put{number}"),
    }
}

fn text(text: &Text) -> String {
    let template = match text {
        Text::Plain(text) => return text.clone(),
        Text::Printed(register) => format!("{{{{ r{register}.stdout | default('none') }}}}"),
        Text::Content(register) => format!("{{{{ r{register}.content | default('') | b64decode }}}}"),
        Text::Fact(fact) => format!("{{{{ v{fact} | default('none') }}}}"),
        Text::Append(fact) => format!("{{{{ v{fact} | default('') }}}}{{{{ item }}}}"),
        Text::Other(host, fact) => format!("{{{{ hostvars['{}'].v{fact} | default('none') }}}}", host_name(*host)),
        Text::Lookup(number, host) => format!("{{{{ lookup('file', 'x{number}-{}') }}}}", host_name(*host)),
    };
    format!("\"{template}\"")
}

fn condition(condition: &Condition, item: &str) -> String {
    let state = |state: &State| match state {
        State::Failed => "failed",
        State::Succeeded => "succeeded",
        State::Changed => "changed",
        State::Skipped => "skipped",
    };
    match condition {
        Condition::Just(value) => value.to_string(),
        Condition::Host(host) => format!("inventory_hostname == '{}'", host_name(*host)),
        Condition::NotHost(host) => format!("inventory_hostname != '{}'", host_name(*host)),
        Condition::Item(number) => format!("{item} == 'i{number}'"),
        Condition::Known(register, is) => format!("r{register} is defined and r{register} is {}", state(is)),
        Condition::Is(register, is) => format!("r{register} is {}", state(is)),
        Condition::Fact(fact, value) => format!("v{fact} | default('none') == '{value}'"),
        Condition::Other(host, fact, value) => {
            format!("hostvars['{}'].v{fact} | default('none') == '{value}'", host_name(*host))
        }
    }
}
