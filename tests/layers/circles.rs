//! Within these folders no file uses one that, directly or by others, uses it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::sources;

const WITHOUT_CIRCLES: &[&str] = &["agent", "commands", "inventory", "steps"];

/// A path in code, `super::child::Child`, by its parts.
type Names = Vec<String>;

/// All files of `src` by the paths of their modules.
struct Modules(BTreeMap<Names, File>);

#[derive(Default)]
struct File {
    uses: Vec<Names>,
    /// What `pub use` passes on: it belongs to the file that it comes from.
    passes_on: Vec<Names>,
}

#[test]
fn files_are_used_in_no_circle() {
    let modules = Modules::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let circles: Vec<String> = WITHOUT_CIRCLES.iter().filter_map(|folder| modules.circle(folder)).collect();
    assert!(circles.is_empty(), "\n{}", circles.join("\n"));
}

impl Modules {
    fn read(root: &Path) -> Self {
        let mut modules = BTreeMap::new();
        for path in sources(root).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs")) {
            let below = path.strip_prefix(root).expect("it lies in src").with_extension("");
            let mut names: Names = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            names.pop_if(|last| matches!(last.as_str(), "mod" | "lib"));
            modules.insert(names, File::read(&fs::read_to_string(&path).expect("a source file can be read")));
        }
        Modules(modules)
    }

    /// The first circle among the files of a folder, `a → b → a`.
    fn circle(&self, folder: &str) -> Option<String> {
        let mut done = BTreeSet::new();
        let inside = self.0.keys().filter(|module| module.first().is_some_and(|top| top == folder));
        let circle = inside.into_iter().find_map(|module| self.walk(module, &mut Vec::new(), &mut done))?;
        Some(circle.iter().map(|module| module.join("::")).collect::<Vec<_>>().join(" → "))
    }

    fn walk(&self, module: &Names, way: &mut Vec<Names>, done: &mut BTreeSet<Names>) -> Option<Vec<Names>> {
        if let Some(start) = way.iter().position(|earlier| earlier == module) {
            return Some(way[start..].iter().chain([module]).cloned().collect());
        }
        if !done.insert(module.clone()) {
            return None;
        }
        way.push(module.clone());
        let used: BTreeSet<Names> = self.0[module].uses.iter().filter_map(|path| self.defines(module, path)).collect();
        let inside = used.iter().filter(|other| *other != module && other.first() == module.first());
        let circle = inside.into_iter().find_map(|other| self.walk(other, way, done));
        way.pop();
        circle
    }

    /// The module that defines what a path in `module` names.
    fn defines(&self, module: &[String], path: &[String]) -> Option<Names> {
        let whole = self.absolute(module, path)?;
        let depth = (0..=whole.len()).rev().find(|depth| self.0.contains_key(&whole[..*depth]))?;
        let (found, rest) = whole.split_at(depth);
        let Some(wanted) = rest.first() else { return Some(found.to_vec()) };
        let passed_on = self.0[found].passes_on.iter().find(|path| path.last() == Some(wanted));
        let origin = passed_on.and_then(|path| self.defines(found, path));
        Some(origin.unwrap_or_else(|| found.to_vec()))
    }

    fn absolute(&self, module: &[String], path: &[String]) -> Option<Names> {
        let ups = path.iter().take_while(|name| *name == "super").count();
        let (base, rest) = match path.first()?.as_str() {
            "crate" => (&[][..], &path[1..]),
            "self" => (module, &path[1..]),
            "super" => (&module[..module.len().checked_sub(ups)?], &path[ups..]),
            child if self.0.contains_key(&[module, &[child.to_owned()]].concat()) => (module, path),
            _ => return None,
        };
        Some([base, rest].concat())
    }
}

impl File {
    fn read(text: &str) -> Self {
        let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let tokens: Vec<String> =
            text.lines().flat_map(|line| tokens(line.split("//").next().unwrap_or_default())).collect();
        let mut file = File::default();
        let mut at = 0;
        while at < tokens.len() {
            let is_public = at > 0 && (tokens[at - 1] == "pub" || tokens[at - 1] == ")");
            let paths = if is_public { &mut file.passes_on } else { &mut file.uses };
            at = match tokens[at].as_str() {
                "use" => tree(&tokens, at + 1, &[], paths),
                _ if tokens.get(at + 1).is_some_and(|next| next == "::") => tree(&tokens, at, &[], &mut file.uses),
                _ => at + 1,
            };
        }
        file
    }
}

/// Words, `::`, and single letters.
fn tokens(line: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut last = ' ';
    for letter in line.chars().filter(|letter| *letter != '\r') {
        match tokens.last_mut() {
            Some(token) if is_word(last) && is_word(letter) || *token == ":" && last == ':' && letter == ':' => {
                token.push(letter)
            }
            _ if letter.is_whitespace() => {}
            _ => tokens.push(letter.to_string()),
        }
        last = letter;
    }
    tokens
}

/// Reads a path, or a tree of them, that begins at a token; where the next thing begins.
fn tree(tokens: &[String], mut at: usize, before: &[String], paths: &mut Vec<Names>) -> usize {
    let mut path = before.to_vec();
    while at < tokens.len() {
        match tokens[at].as_str() {
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token != "}") {
                    at = tree(tokens, at, &path, paths);
                    at += usize::from(tokens.get(at).is_some_and(|token| token == ","));
                }
                return at + 1;
            }
            name => path.push(name.to_owned()),
        }
        at += 1;
        match tokens.get(at).map(String::as_str) {
            Some("::") => at += 1,
            Some("as") => {
                at += 2;
                break;
            }
            _ => break,
        }
    }
    paths.push(path);
    at
}

#[test]
fn circles_are_found() {
    let names = |path: &str| path.split("::").map(str::to_owned).collect::<Names>();
    let file = |text: &str| File::read(text);
    let mut modules = Modules(BTreeMap::from([
        (vec![], file("pub mod a;")),
        (names("a"), file("mod b;\nmod c;\nmod d;\npub use b::{B, Other as Another};\nfn f() { c::run() }")),
        (names("a::b"), file("use crate::x::Y;\nuse super::{\n    d,\n};\n// super::c\n")),
        (names("a::d"), file("")),
        (names("a::c"), file("use super::B;\n#[cfg(test)]\nmod tests { use super::super::f; }")),
    ]));
    assert_eq!(modules.circle("a"), None);
    modules.0.insert(names("a::b"), file("fn g(it: super::c::C) {}"));
    assert_eq!(modules.circle("a").as_deref(), Some("a::c → a::b → a::c"));
}
