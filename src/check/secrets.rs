//! Secrets where everybody on the target can read them.

use crate::diagnostic::{Diagnostic, kinds};
use crate::steps::{Step, Work};
use crate::yaml::{Node, NodeKind};

/// A command's arguments are shown to every user of the target by `ps`.
pub(super) fn check(step: &Step, problems: &mut Vec<Diagnostic>) {
    let Work::Call { spec, args, .. } = &step.work else { return };
    if !matches!(spec.name, "command" | "shell" | "raw") {
        return;
    }
    for key in ["cmd", "argv", "_raw_params"] {
        let Some(node) = args.get(key) else { continue };
        let mut names = Vec::new();
        secret_names(node, &mut names);
        if let Some(name) = names.first() {
            problems.push(
                Diagnostic::warning(node.span, format!("`{name}` will be visible in the target's list of processes"))
                    .of(&kinds::VISIBLE_SECRET)
                    .help("hand it over by `stdin:`, or by a file that only the user can read"),
            );
        }
    }
}

/// Variables in templates whose names say that they are secret.
fn secret_names(node: &Node, names: &mut Vec<String>) {
    match &node.kind {
        NodeKind::Scalar(value) => {
            let mut rest = value.as_str().unwrap_or_default();
            while let Some((_, inside)) = rest.split_once("{{") {
                let (expression, after) = inside.split_once("}}").unwrap_or((inside, ""));
                // What is quoted is no variable.
                let unquoted: String = expression.split(['\'', '"']).step_by(2).collect::<Vec<_>>().join(" ");
                let words = unquoted.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                names.extend(words.filter(|word| is_secret(word)).map(str::to_owned));
                rest = after;
            }
        }
        NodeKind::List(items) => items.iter().for_each(|item| secret_names(item, names)),
        NodeKind::Map(_) => {}
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "passwd", "secret", "token", "api_key", "private_key"]
        .iter()
        .any(|word| name.strip_suffix(word).is_some_and(|rest| rest.is_empty() || rest.ends_with('_')))
}
