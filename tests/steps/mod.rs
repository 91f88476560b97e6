//! Playbooks as steps: each folder here has a `playbook.yml` and what is expected of it in `steps.txt`. Lines
//! `# options: --tags a --skip-tags b --start-at-task c` at the top of the playbook select. `UPDATE_FIXTURES=1` writes what is found.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wodctl::playbook::Project;
use wodctl::steps::{self, Expander, Item, Options, Step, Work};
use wodctl::value::Value;
use wodctl::vars::Level;
use wodctl::yaml::Node;

#[test]
fn playbooks_expand_as_expected() {
    let folder = Path::new("tests/steps");
    let mut failures = Vec::new();
    for case in cases(folder) {
        let found = listing(&case.join("playbook.yml"));
        let file = case.join("steps.txt");
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            std::fs::write(&file, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_default();
        if found != expected {
            failures.push(format!("== {}\n-- expected\n{expected}\n-- found\n{found}", case.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn cases(folder: &Path) -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

fn listing(path: &Path) -> String {
    let options = options(&std::fs::read_to_string(path).unwrap());
    let project = Arc::new(Project::default());
    let (plays, mut problems) = steps::plays(path, &project, &options);
    let mut out = String::new();
    for play in plays {
        let (steps, more) = Expander::expand(&play, &project, &options);
        problems.extend(more);
        writeln!(out, "play {}{}", play.title(), if steps.started { "" } else { " (not started)" }).unwrap();
        list(&steps.items, 1, &steps.expander, &mut out);
        if !steps.handlers.is_empty() {
            out.push_str("  handlers\n");
        }
        for handler in &steps.handlers {
            writeln!(out, "    {}", line(handler)).unwrap();
            included(handler, 3, &steps.expander, &mut out);
        }
        for layer in steps.layers.iter().filter(|layer| layer.level != Level::Magic) {
            let names: Vec<_> = layer.values.keys().map(String::as_str).collect();
            writeln!(out, "  sees {}: {}", layer.origin.text, names.join(", ")).unwrap();
        }
    }
    for problem in problems {
        out.push_str(&problem.render(false));
    }
    out
}

fn options(text: &str) -> Options {
    let mut options = Options::default();
    let Some(line) = text.lines().find_map(|line| line.strip_prefix("# options: ")) else { return options };
    let words: Vec<&str> =
        line.split(" --").flat_map(|part| part.split_once(' ').map(|(k, v)| [k, v])).flatten().collect();
    for pair in words.chunks(2) {
        let value = pair[1].to_owned();
        match pair[0].trim_start_matches('-') {
            "tags" => options.tags.push(value),
            "skip-tags" => options.skip_tags.push(value),
            "start-at-task" => options.start_at_task = Some(value),
            other => panic!("no option {other}"),
        }
    }
    options
}

fn list(items: &[Item], depth: usize, expander: &Expander, out: &mut String) {
    let indent = "  ".repeat(depth);
    for item in items {
        match item {
            Item::Step(step) => {
                writeln!(out, "{indent}{}", line(step)).unwrap();
                included(step, depth + 1, expander, out);
            }
            Item::Block(block) => {
                writeln!(out, "{indent}block {}", block.name.as_deref().unwrap_or("")).unwrap();
                list(&block.main, depth + 1, expander, out);
                for (word, section) in [("rescue", &block.rescue), ("always", &block.always)] {
                    if !section.is_empty() || (word == "rescue" && block.has_rescue) {
                        writeln!(out, "{indent}{word}").unwrap();
                        list(section, depth + 1, expander, out);
                    }
                }
            }
        }
    }
}

/// What an include brings, as the run would find it: the loop's variable is there, the rest is as written.
fn included(step: &Step, depth: usize, expander: &Expander, out: &mut String) {
    let params = step.repeat.iter().map(|repeat| (repeat.var.clone(), Value::from("x"))).collect();
    let found = match &step.work {
        Work::IncludeTasks { file, .. } => expander.include_tasks(step, file.as_str().unwrap(), &params),
        Work::IncludeRole { args, .. } => expander.include_role(step, args.to_value().as_map().unwrap(), &params),
        _ => return,
    };
    let (found, problems) = found;
    list(&found.items, depth, expander, out);
    for handler in &found.handlers {
        writeln!(out, "{}handler {}", "  ".repeat(depth), line(handler)).unwrap();
    }
    for layer in &found.layers {
        writeln!(out, "{}sees {}", "  ".repeat(depth), layer.origin.text).unwrap();
    }
    problems.iter().for_each(|problem| out.push_str(&problem.render(false)));
}

fn line(step: &Step) -> String {
    let mut out = String::new();
    if let Some(role) = &step.role {
        write!(out, "{role} : ").unwrap();
    }
    if let Some(name) = &step.name {
        write!(out, "{} ", show(name)).unwrap();
    }
    let work = match &step.work {
        Work::Call { spec, args, .. } => format!("<{} {}>", spec.name, show(args)),
        Work::IncludeTasks { file, .. } => format!("<include_tasks {}>", show(file)),
        Work::IncludeRole { args, .. } => format!("<include_role {}>", show(args)),
        other => format!("<{other:?}>"),
    };
    out.push_str(&work);
    if let Some(run) = step.run.filter(|run| run.again) {
        write!(out, " again={}", run.id).unwrap();
    }
    for (word, nodes) in [
        ("when", &step.when),
        ("changed_when", &step.keywords.changed_when),
        ("failed_when", &step.keywords.failed_when),
        ("until", &step.keywords.until),
    ] {
        if !nodes.is_empty() {
            write!(out, " {word}={}", nodes.iter().map(|node| show(node)).collect::<Vec<_>>().join(" & ")).unwrap();
        }
    }
    if !step.tags.is_empty() {
        write!(out, " tags={}", step.tags.join(",")).unwrap();
    }
    if let Some(repeat) = &step.repeat {
        write!(out, " {}={} as {}", repeat.kind, show(&repeat.over), repeat.var).unwrap();
    }
    if let Some(register) = &step.keywords.register {
        write!(out, " register={register}").unwrap();
    }
    for (name, node) in step.keywords.templates() {
        write!(out, " {name}={}", show(node)).unwrap();
    }
    if !step.listen.is_empty() {
        write!(out, " listen={}", step.listen.join(",")).unwrap();
    }
    for layer in step.layers.iter().filter(|layer| layer.level != Level::Magic) {
        let values: Vec<_> = layer.values.keys().map(String::as_str).collect();
        write!(out, " [{:?}: {}]", layer.level, values.join(",")).unwrap();
    }
    out
}

fn show(node: &Node) -> String {
    match node.to_value() {
        Value::Str(text) => text,
        other => other.to_json().to_string(),
    }
}
