//! Keywords whose value asks for something that does not exist here.

use super::walk::Seen;
use crate::diagnostic::{Diagnostic, kinds};
use crate::playbook::is_template;

const CONNECTIONS: &[&str] = &["ssh", "smart", "local"];
const BECOME_METHODS: &[&str] = &["sudo", "su", "doas"];

/// Ways to reach a host and to become another user that wodctl lacks, and keywords that it lacks.
pub(super) fn check(seen: &Seen, problems: &mut Vec<Diagnostic>) {
    let step = &seen.step;
    let certain = seen.is_carried_out();
    problems.extend(step.lacks.iter().map(|problem| Seen::weigh(certain, (**problem).clone())));
    let keywords = &step.keywords;
    for (what, node, known) in
        [("connection", &keywords.connection, CONNECTIONS), ("become_method", &keywords.become_method, BECOME_METHODS)]
    {
        let Some(node) = node.as_ref().filter(|node| !is_template(node)) else { continue };
        let text = node.as_str().unwrap_or_default();
        let word = text.strip_prefix("ansible.builtin.").unwrap_or(text);
        if !known.contains(&word) {
            let problem = Diagnostic::error(node.span, format!("there is no {what} `{text}`"))
                .of(&kinds::UNSUPPORTED_KEYWORD)
                .suggest(word, known.iter().copied())
                .or_help(format!("it can be {}", known.join(", ")));
            problems.push(Seen::weigh(certain, problem));
        }
    }
}
