//! `vars_prompt`: what plays want to know is asked for before a host is touched.

use std::io::IsTerminal;
use std::sync::Arc;

use super::job::Job;
use super::terminal::{Echo, ask};
use super::{Error, print_diagnostics, say};
use crate::diagnostic::Diagnostic;
use crate::module::Arg;
use crate::playbook::Prompt;
use crate::runner::secrets;
use crate::steps;
use crate::template::filters::encrypted;
use crate::template::{Binding, RenderError, Scope, Templar};
use crate::value::Value;
use crate::vars::{Layer, Level, Origin};
use crate::yaml::{Node, NodeKind, Tag};

/// Asks for all that the plays want to know and `-e` does not say. A play that cannot have hosts is not asked for.
pub fn ask_all(job: &mut Job) -> Result<(), Error> {
    // As under Ansible: who redirects standard input has nobody who answers.
    let interactive = std::io::stdin().is_terminal();
    let mut problems = Vec::new();
    for play in job.checked.plays.iter_mut().filter(|play| play.may_grow || !play.hosts.is_empty()) {
        let steps = &mut play.steps;
        let scope = steps::scope(&steps.play, &job.early);
        let asker = Asker { templar: Templar::new(), scope, extra: job.machines.extra(), interactive };
        let mut values = indexmap::IndexMap::new();
        for prompt in &steps.play.vars_prompt {
            match asker.value(prompt) {
                Ok(Some(value)) => drop(values.insert(prompt.name.clone(), value)),
                Ok(None) => {}
                // All that is missing is told at once.
                Err(Error::Text(found)) => problems.extend(found),
                Err(error) => return Err(error),
            }
        }
        let origin = Origin { text: "vars_prompt".to_owned(), span: steps.play.span };
        steps.layers.push(Arc::new(Layer { level: Level::PlayPrompt, origin, values }));
    }
    if problems.is_empty() { Ok(()) } else { Err(Error::Text(problems)) }
}

struct Asker {
    templar: Templar,
    scope: Arc<dyn Scope>,
    extra: Vec<Arc<Layer>>,
    interactive: bool,
}

impl Asker {
    /// What the variable is; `None` if `-e` says it.
    fn value(&self, prompt: &Prompt) -> Result<Option<Binding>, Error> {
        let is_private = self.flag(&prompt.private, true)?;
        let learn = |text: &str| {
            if is_private {
                secrets::learn(text)
            }
        };
        if let Some(given) = self.extra.iter().find_map(|layer| layer.values.get(&prompt.name)) {
            if let Binding::Template(node) = given {
                node.as_str().into_iter().for_each(learn);
            }
            return Ok(None);
        }
        let text = self.answer(prompt, is_private)?;
        learn(&text);
        let text = match self.text(&prompt.encrypt)? {
            Some(hash) => self.encrypted(prompt, &text, &hash)?,
            None => text,
        };
        learn(&text);
        let tag = self.flag(&prompt.unsafe_, false)?.then_some(Tag::Unsafe);
        let node = Node { span: prompt.span, kind: NodeKind::Scalar(Value::Str(text)), tag };
        Ok(Some(Binding::Template(Arc::new(node))))
    }

    /// What is typed, or the default.
    fn answer(&self, prompt: &Prompt, is_private: bool) -> Result<String, Error> {
        let default = self.text(&prompt.default)?;
        let typed = match self.interactive {
            true => self.typed(prompt, default.as_deref(), is_private)?,
            false => None,
        };
        let name = &prompt.name;
        match (typed, default) {
            (Some(typed), None) => Ok(typed),
            (Some(typed), Some(default)) => Ok(if typed.is_empty() { default } else { typed }),
            (None, Some(default)) => {
                let message = format!("there is no terminal to ask for `{name}` on: it has its default");
                print_diagnostics(&[Diagnostic::warning(prompt.span, message)]);
                Ok(default)
            }
            (None, None) => {
                let message = format!("there is no terminal to ask for `{name}` on, and it has no default");
                Err(Diagnostic::error(prompt.span, message).help(format!("give it: -e {name}=VALUE")).into())
            }
        }
    }

    /// What is typed, twice if that is asked for; `None` if there is no terminal.
    fn typed(&self, prompt: &Prompt, default: Option<&str>, is_private: bool) -> Result<Option<String>, Error> {
        let question = self.text(&prompt.prompt)?.unwrap_or_else(|| prompt.name.clone());
        let question = match default {
            Some(default) => format!("{question} [{default}]: "),
            None => format!("{question}: "),
        };
        let echo = if is_private { Echo::Off } else { Echo::On };
        let twice = self.flag(&prompt.confirm, false)?;
        loop {
            let Some(typed) = ask(&question, echo)? else { return Ok(None) };
            if !twice || ask(&format!("confirm {question}"), echo)?.as_ref() == Some(&typed) {
                return Ok(Some(typed));
            }
            say("the two answers differ: once more\n");
        }
    }

    fn encrypted(&self, prompt: &Prompt, text: &str, hash: &str) -> Result<String, Error> {
        let span = prompt.encrypt.as_ref().map_or(prompt.span, |node| node.span);
        let wrong = |why: String| Error::from(Diagnostic::error(span, why));
        let salt = self.text(&prompt.salt)?.filter(|salt| !salt.is_empty());
        let size = self.text(&prompt.salt_size)?.map(|size| size.trim().parse());
        let size = size.transpose().map_err(|_| wrong("`salt_size` must be a whole number".to_owned()))?;
        encrypted(text, hash, salt.as_deref(), size).map_err(wrong)
    }

    fn rendered(&self, node: &Node) -> Result<Value, Error> {
        self.templar.render(node, &self.scope).map_err(|error| match error {
            RenderError::Undefined(problem) | RenderError::Wrong(problem) => Error::from(*problem),
            RenderError::Pending | RenderError::Unknown(_) => {
                Diagnostic::error(node.span, "this must be known before the operator is asked").into()
            }
        })
    }

    /// Rendered, as text; `None` where there is nothing.
    fn text(&self, node: &Option<Arc<Node>>) -> Result<Option<String>, Error> {
        let Some(node) = node else { return Ok(None) };
        let wrong = |why| Error::from(Diagnostic::error(node.span, why));
        match self.rendered(node)? {
            Value::Null => Ok(None),
            value => String::read(&value).map(Some).map_err(wrong),
        }
    }

    fn flag(&self, node: &Option<Arc<Node>>, otherwise: bool) -> Result<bool, Error> {
        let Some(node) = node else { return Ok(otherwise) };
        bool::read(&self.rendered(node)?).map_err(|why| Diagnostic::error(node.span, why).into())
    }
}
