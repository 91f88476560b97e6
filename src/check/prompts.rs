//! What plays ask the operator for.

use crate::diagnostic::{Diagnostic, kinds};
use crate::playbook::{Play, is_template};
use crate::template::filters::is_hash;
use crate::template::{Reading, Templar};

pub(super) fn check(play: &Play, templar: &Templar, problems: &mut Vec<Diagnostic>) {
    for prompt in &play.vars_prompt {
        for node in prompt.templates() {
            problems.extend(templar.inspect(node, Reading::Text).problems);
        }
        let Some(node) = prompt.encrypt.as_ref().filter(|node| !is_template(node)) else { continue };
        let known = is_hash(node.as_str().unwrap_or_default());
        problems.extend(known.err().map(|why| Diagnostic::error(node.span, why).of(&kinds::WRONG_ARGUMENT)));
    }
}
