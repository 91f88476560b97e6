//! Imports go only downward: every `crate::…` path in `src` is compared with the layers of `ARCHITECTURE.md`.

mod circles;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The top-level modules, from the surface down. Those of one line may use each other.
const LAYERS: &[&[&str]] = &[
    // surface
    &["main"],
    &["cli"],
    &["commands"],
    &["report"],
    // execution
    &["runner"],
    &["transport"],
    &["event"],
    // decision
    &["check", "steps"],
    // language
    &["inventory", "playbook", "template", "vars"],
    // text
    &["yaml"],
    &["diagnostic"],
    &["source"],
    &["vault"],
    // the agent's boundary: below it nothing knows of YAML, playbooks, templates or SSH
    &["agent"],
    &["protocol"],
    &["modules"],
    &["module"],
    &["probe"],
    &["change"],
    &["system"],
    &["failure"],
    // base
    &["catalog", "value", "error", "python_regex", "words"],
];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

#[test]
fn imports_go_downward() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut problems = Vec::new();
    for file in sources(&root) {
        let text = fs::read_to_string(&file).expect("a source file can be read");
        let file = file.strip_prefix(&root).expect("it lies in src");
        let module = top_module(file);
        if module == "lib" {
            continue;
        }
        let Some(own) = layer(&module) else {
            problems.push(format!("src/{}: give `{module}` its place in LAYERS of {}", file.display(), file!()));
            continue;
        };
        for (line, used) in uses(&text) {
            // Names that are no module are macros, which have no layer.
            if layer(&used).is_some_and(|other| other < own) {
                problems.push(format!(
                    "src/{}:{line}: `{module}` must not use `{used}`, which lies above it",
                    file.display()
                ));
            }
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// A file that no `mod` line declares is compiled only through a macro, and then `cargo fmt` never sees it.
#[test]
fn every_file_is_declared() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let undeclared: Vec<_> = ["src", "tests"]
        .iter()
        .flat_map(|folder| sources(&project.join(folder)).into_iter().map(move |file| (project.join(folder), file)))
        .filter(|(root, file)| file.extension().is_some_and(|ending| ending == "rs") && !is_declared(root, file))
        .map(|(_, file)| file.strip_prefix(project).expect("it lies in the project").display().to_string())
        .collect();
    assert!(undeclared.is_empty(), "no `mod` line declares {}", undeclared.join(", "));
}

/// Whether the file of the module above has a `mod` line for this one.
fn is_declared(root: &Path, file: &Path) -> bool {
    let (folder, name) = (file.parent().expect("it lies in a folder"), file.file_stem().expect("a file has a name"));
    let (folder, name) = if name == "mod" {
        (folder.parent().expect("a module's folder lies in another"), folder.file_name().expect("a folder has a name"))
    } else {
        (folder, name)
    };
    // Each folder of tests with a `main.rs` is a program of its own.
    let is_top = folder == root || folder.parent() == Some(root) && root.ends_with("tests");
    if is_top && ["main", "lib"].iter().any(|top| name == *top) {
        return true;
    }
    let line = format!("mod {};", name.to_string_lossy());
    let above = [folder.join("mod.rs"), folder.with_extension("rs"), folder.join("lib.rs"), folder.join("main.rs")];
    above.iter().filter_map(|above| fs::read_to_string(above).ok()).any(|text| {
        text.lines().any(|code| code == line || (code.starts_with("pub") && code.ends_with(&format!(" {line}"))))
    })
}

/// All files below a folder, sorted.
fn sources(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).expect("src can be read").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { BTreeSet::from([path]) }).collect()
}

/// `yaml` for `yaml.rs` and for `yaml/scalar.rs`.
fn top_module(file: &Path) -> String {
    let first = file.components().next().expect("a path has a part").as_os_str();
    Path::new(first).file_stem().expect("a file has a name").to_string_lossy().into_owned()
}

/// The modules that a text names behind `crate::` (in `main.rs`: behind `wodctl::`), each with its line.
fn uses(text: &str) -> Vec<(usize, String)> {
    // Links in documentation may point anywhere.
    let code: String = text.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect();
    let mut found = Vec::new();
    for prefix in ["crate::", "wodctl::"] {
        for (at, _) in code.match_indices(prefix) {
            let line = code[..at].matches('\n').count() + 1;
            found.extend(heads(&code[at + prefix.len()..]).into_iter().map(|name| (line, name)));
        }
    }
    found
}

/// The first names of a path: one, or those of a group `{a::b, c::{d, e}}`.
fn heads(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let mut depth = 0;
    let mut heads = vec![name(group.trim_start())];
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(name(group[at + 1..].trim_start())),
            _ => {}
        }
    }
    heads
}

fn name(path: &str) -> String {
    path.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

#[test]
fn imports_are_found() {
    let text = "use crate::yaml::Node;\n// crate::cli\nuse crate::{\n    change::{Action, Change},\n    value,\n};\nfn f(x: crate::system::Request) {}\n";
    let found: Vec<_> = uses(text).into_iter().filter(|(_, name)| !name.is_empty()).collect();
    let expected = [(1, "yaml"), (3, "change"), (3, "value"), (7, "system")];
    assert_eq!(found, expected.map(|(line, name)| (line, name.to_owned())));
}
