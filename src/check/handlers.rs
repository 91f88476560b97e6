//! Notifications that no handler takes.

use crate::diagnostic::{Diagnostic, kinds};
use crate::playbook::is_template;
use crate::steps::Step;

use super::walk::View;

/// Whether a task that notifies changes anything is only known in the run, so this is never certain.
pub(super) fn check(view: &View, problems: &mut Vec<Diagnostic>) {
    if view.is_open() {
        return;
    }
    let mut names: Vec<String> = Vec::new();
    for handler in &view.handlers {
        match &handler.name {
            // Its name is known when it runs; it may be any.
            Some(name) if is_template(name) => return,
            Some(name) => names.extend(names_of(name.as_str().unwrap_or_default(), handler)),
            None => {}
        }
        names.extend(handler.listen.iter().cloned());
    }
    for step in view.steps.iter().map(|seen| &seen.step) {
        for node in step.keywords.notify.iter().filter(|node| !is_template(node)) {
            let Some(name) = node.as_str().filter(|name| !names.iter().any(|known| known == name)) else { continue };
            problems.push(
                Diagnostic::warning(node.span, format!("no handler is named `{name}` or listens to it"))
                    .of(&kinds::UNKNOWN_HANDLER)
                    .suggest(name, names.iter().map(String::as_str))
                    .or_help(match names.is_empty() {
                        true => "this play has no handlers".to_owned(),
                        false => format!("the play's handlers: {}", names.join(", ")),
                    }),
            );
        }
    }
}

fn names_of(name: &str, handler: &Step) -> Vec<String> {
    let with_role = handler.role.as_ref().map(|role| format!("{role} : {name}"));
    std::iter::once(name.to_owned()).chain(with_role).collect()
}
