//! Keywords whose value asks for something that does not exist here.

use crate::diagnostic::Diagnostic;
use crate::playbook::is_template;
use crate::steps::Step;

const CONNECTIONS: &[&str] = &["ssh", "smart", "local"];
const BECOME_METHODS: &[&str] = &["sudo", "su", "doas"];

pub(super) fn check(step: &Step, problems: &mut Vec<Diagnostic>) {
    let keywords = &step.keywords;
    for (what, node, known) in
        [("connection", &keywords.connection, CONNECTIONS), ("become_method", &keywords.become_method, BECOME_METHODS)]
    {
        let Some(node) = node.as_ref().filter(|node| !is_template(node)) else { continue };
        let text = node.as_str().unwrap_or_default();
        let word = text.strip_prefix("ansible.builtin.").unwrap_or(text);
        if !known.contains(&word) {
            problems.push(
                Diagnostic::error(node.span, format!("there is no {what} `{text}`"))
                    .suggest(word, known.iter().copied())
                    .or_help(format!("it can be {}", known.join(", "))),
            );
        }
    }
}
