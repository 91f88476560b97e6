//! `vars_prompt`: variables that the operator is asked for.

use std::sync::Arc;

use super::Problems;
use super::fields;
use super::keywords::Takes;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::yaml::Node;

/// A variable that the operator is asked for. Everything but the name may be a template of the play's own variables.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// Where the name stands.
    pub span: Span,
    /// The variable.
    pub name: String,
    /// The question; absent means the name.
    pub prompt: Option<Arc<Node>>,
    /// The value where nothing is typed.
    pub default: Option<Arc<Node>>,
    /// Whether what is typed is hidden; absent means yes.
    pub private: Option<Arc<Node>>,
    /// Whether it is to be typed twice.
    pub confirm: Option<Arc<Node>>,
    /// How it is hashed.
    pub encrypt: Option<Arc<Node>>,
    /// The length of a salt that is made.
    pub salt_size: Option<Arc<Node>>,
    /// The salt.
    pub salt: Option<Arc<Node>>,
    /// Whether it is text in any case, also where it looks like a template.
    pub unsafe_: Option<Arc<Node>>,
}

const KEYS: &[(&str, Takes)] = &[
    ("name", Takes::Text),
    ("prompt", Takes::Text),
    ("default", Takes::Any),
    ("private", Takes::Bool),
    ("confirm", Takes::Bool),
    ("encrypt", Takes::Text),
    ("salt_size", Takes::Int),
    ("salt", Takes::Text),
    ("unsafe", Takes::Bool),
];

impl Prompt {
    /// All texts that may be templates.
    pub fn templates(&self) -> impl Iterator<Item = &Arc<Node>> {
        let all = [
            &self.prompt,
            &self.default,
            &self.private,
            &self.confirm,
            &self.encrypt,
            &self.salt_size,
            &self.salt,
            &self.unsafe_,
        ];
        all.into_iter().flatten()
    }

    fn read(node: Node, problems: &mut Problems) -> Option<Prompt> {
        let span = node.span;
        let mut entries = fields::entries(node, "an entry of `vars_prompt`", problems)?;
        for (key, entry) in &entries {
            match KEYS.iter().find(|(name, _)| name == key) {
                Some((_, takes)) => {
                    fields::check(key, *takes, &entry.value, problems);
                }
                None => {
                    let problem = Diagnostic::error(entry.key, format!("`vars_prompt` has no key `{key}`"));
                    problems.push(problem.suggest(key, KEYS.iter().map(|(name, _)| *name)));
                }
            }
        }
        let mut take = |key: &str| entries.shift_remove(key).map(|entry| entry.value).filter(|node| !node.is_null());
        let Some(name) = take("name") else {
            let problem = Diagnostic::error(span, "an entry of `vars_prompt` needs the `name` of a variable");
            problems.push(problem);
            return None;
        };
        let span = name.span;
        let name = fields::variable(&name, problems)?;
        let mut take = |key: &str| take(key).map(Arc::new);
        Some(Prompt {
            span,
            name,
            prompt: take("prompt"),
            default: take("default"),
            private: take("private"),
            confirm: take("confirm"),
            encrypt: take("encrypt"),
            salt_size: take("salt_size"),
            salt: take("salt"),
            unsafe_: take("unsafe"),
        })
    }
}

/// Reads `vars_prompt`: a list, or a single mapping.
pub(super) fn prompts(node: Node, problems: &mut Problems) -> Vec<Prompt> {
    let nodes = fields::many(node);
    nodes.into_iter().filter_map(|node| Prompt::read(Arc::unwrap_or_clone(node), problems)).collect()
}
