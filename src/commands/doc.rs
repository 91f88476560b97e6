//! `wodctl doc [MODULE]`: the manual of modules, made from their argument structs.

use std::fmt::Write as _;
use std::sync::LazyLock;

use indexmap::IndexMap;
use serde::Deserialize;

use super::{Error, Exit, answer};
use crate::module::{Kind, ModuleSpec, Param, Place};
use crate::modules;
use crate::playbook::nearest_module;

/// Arguments.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Module name, short or fully qualified; lists all modules if omitted
    module: Option<String>,
    /// Print Markdown
    #[arg(long)]
    markdown: bool,
}

/// What the manual says of a module beside its arguments.
#[derive(Debug, Default, Deserialize)]
pub struct Usage {
    /// What it returns, by name.
    #[serde(default)]
    pub returns: IndexMap<String, String>,
    /// Tasks that use it, as a playbook has them.
    pub examples: String,
}

/// What the manual says of modules beside their arguments, by the modules' names.
pub static USAGE: LazyLock<IndexMap<String, Usage>> =
    LazyLock::new(|| serde_yaml::from_str(include_str!("doc/manual.yml")).expect("the manual is YAML of this form"));

/// Prints the manual of a module, or a line for each module.
pub fn run(args: &Args) -> Result<Exit, Error> {
    answer(&text(args)?)
}

fn text(args: &Args) -> Result<String, String> {
    match &args.module {
        None if args.markdown => Ok(reference()),
        None => Ok(list()),
        Some(name) => {
            let spec = modules::find(name).ok_or_else(|| unknown(name))?;
            Ok(if args.markdown { markdown(spec) } else { manual(spec) })
        }
    }
}

/// All modules, as `docs/modules.md` holds them.
fn reference() -> String {
    let mut out = "# Modules\n\nMade by `wodctl doc --markdown`.\n\n".to_owned();
    for spec in modules::ALL {
        let _ = writeln!(out, "- [{}](#{}): {}", spec.name, spec.name, summary((spec.doc)()));
    }
    modules::ALL.iter().for_each(|spec| out += &format!("\n{}", markdown(spec)));
    out
}

fn unknown(name: &str) -> String {
    match nearest_module(name) {
        Some(near) => format!("there is no module `{name}`; did you mean `{near}`?"),
        None => format!("there is no module `{name}`; `wodctl doc` lists them all"),
    }
}

/// One line for each module, all in columns.
fn list() -> String {
    let names: Vec<String> = modules::ALL.iter().map(|spec| listed_name(spec)).collect();
    let width = names.iter().map(String::len).max().unwrap_or_default();
    let lines = modules::ALL.iter().zip(&names);
    lines.map(|(spec, name)| format!("{name:width$}  {}\n", summary((spec.doc)()))).collect()
}

/// The short name of Ansible's own modules, the full name of others.
fn listed_name(spec: &ModuleSpec) -> String {
    match spec.collection {
        "ansible.builtin" => spec.name.to_owned(),
        collection => format!("{collection}.{}", spec.name),
    }
}

fn manual(spec: &ModuleSpec) -> String {
    let mut out = format!("{}.{}\n\n", spec.collection, spec.name);
    for line in paragraphs((spec.doc)()) {
        let _ = writeln!(out, "{line}");
    }
    for note in notes(spec) {
        let _ = writeln!(out, "\n{note}");
    }
    if spec.public_params().next().is_some() {
        out.push_str("\nArguments\n");
    }
    for param in spec.public_params() {
        let _ = writeln!(out, "\n  {}  {}", param.name, facts(param));
        for line in paragraphs(param.doc) {
            let _ = writeln!(out, "      {line}");
        }
    }
    if let Some(usage) = USAGE.get(spec.name) {
        if !usage.returns.is_empty() {
            out.push_str("\nReturn values\n\n");
        }
        for (name, about) in &usage.returns {
            let _ = writeln!(out, "  {name}  {about}");
        }
        let _ = write!(out, "\nExamples\n\n{}", indented(&usage.examples, "  "));
    }
    out
}

/// Every line with something in front.
fn indented(text: &str, front: &str) -> String {
    text.lines().map(|line| format!("{front}{line}\n")).collect()
}

fn markdown(spec: &ModuleSpec) -> String {
    let mut out = format!("## {}\n\n`{}.{}`\n\n", spec.name, spec.collection, spec.name);
    for line in paragraphs((spec.doc)()) {
        let _ = writeln!(out, "{line}");
    }
    for note in notes(spec) {
        let _ = writeln!(out, "\n{note}");
    }
    out.push('\n');
    for param in spec.public_params() {
        let doc = paragraphs(param.doc).collect::<Vec<_>>().join(" ");
        let _ = writeln!(out, "- `{}` ({}): {doc}", param.name, facts(param));
    }
    if let Some(usage) = USAGE.get(spec.name) {
        if !usage.returns.is_empty() {
            out.push_str("\nReturns:\n\n");
        }
        for (name, about) in &usage.returns {
            let _ = writeln!(out, "- `{name}`: {about}");
        }
        let _ = write!(out, "\n```yaml\n{}```\n", usage.examples);
    }
    out
}

/// What the manual says of the module as a whole.
fn notes(spec: &ModuleSpec) -> Vec<String> {
    let mut notes = Vec::new();
    if !spec.aliases.is_empty() {
        notes.push(format!("Also known as {}.", spec.aliases.join(", ")));
    }
    if let Some(argument) = spec.free_form {
        notes.push(format!("Text in place of arguments is `{argument}`: `{}: …`.", spec.name));
    }
    if spec.any_arguments {
        notes.push("Takes any further arguments.".to_owned());
    }
    if spec.place != Place::Target {
        notes.push("Carried out by wodctl itself; the target is not asked.".to_owned());
    }
    notes
}

/// Type, default, other names.
fn facts(param: &Param) -> String {
    let mut facts = vec![param.kind.to_string()];
    if param.required {
        facts.push("required".to_owned());
    }
    if let Some(default) = param.default.and_then(|code| shown_default(code, param.kind)) {
        facts.push(format!("default: {default}"));
    }
    if !param.aliases.is_empty() {
        facts.push(format!("or {}", param.aliases.join(", ")));
    }
    facts.join("; ")
}

/// A default is kept as the code that makes it; this is how a playbook would write it. `None`: it cannot be told.
fn shown_default(code: &str, kind: Kind) -> Option<String> {
    if let Kind::Choice(choices) = kind {
        let last = code.rsplit("::").next().unwrap_or(code);
        let plain = |text: &str| text.replace(['_', '-'], "").to_ascii_lowercase();
        return choices.iter().find(|choice| plain(choice) == plain(last)).map(|choice| (*choice).to_owned());
    }
    Some(match code {
        "true" => "yes".to_owned(),
        "false" => "no".to_owned(),
        "Map::new()" => "{}".to_owned(),
        "\"\"" => code.to_owned(),
        // A list of texts, or a number with its type.
        _ => match code.strip_suffix(".map(str::to_owned)") {
            Some(list) => list.replace('"', "").split_whitespace().collect::<Vec<_>>().join(" "),
            None => code.trim_end_matches("u32").trim_end_matches('_').trim_matches('"').to_owned(),
        },
    })
}

fn summary(doc: &str) -> &str {
    doc.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
}

/// The lines of a doc comment without what surrounds them.
fn paragraphs(doc: &str) -> impl Iterator<Item = &str> {
    doc.trim().lines().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_has_a_manual() {
        for spec in modules::ALL {
            assert!(!summary((spec.doc)()).is_empty(), "{} has no summary", spec.name);
            for param in (spec.params)() {
                assert!(!param.doc.trim().is_empty(), "{}: {} is not documented", spec.name, param.name);
            }
            assert!(manual(spec).contains(spec.name));
            assert!(USAGE.contains_key(spec.name), "{} has no examples in doc/manual.yml", spec.name);
        }
    }

    #[test]
    fn the_manual_is_about_modules_that_exist() {
        for name in USAGE.keys() {
            assert!(modules::ALL.iter().any(|spec| spec.name == name), "there is no module {name}");
        }
    }

    #[test]
    fn a_wrong_name_gets_a_suggestion() {
        let found = text(&Args { module: Some("pnig".into()), markdown: false });
        assert_eq!(found.unwrap_err(), "there is no module `pnig`; did you mean `ping`?");
    }

    #[test]
    fn a_manual_names_types_defaults_and_aliases() {
        let found = text(&Args { module: Some("ansible.builtin.include_role".into()), markdown: false }).unwrap();
        assert!(found.contains("  name  text; required; or role\n      The role.\n"), "{found}");
        assert!(found.contains("  public  a boolean; default: no\n"), "{found}");
    }
}
