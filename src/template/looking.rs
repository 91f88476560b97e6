//! Lookups inside a rendering: what they may ask of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::{Error, Value as Jinja};

use super::convert::from_jinja;
use super::lookups::LookupContext;
use super::report::Ended;
use super::run::Run;
use super::{Binding, RenderError, Scope, SearchPath, TemplateOptions, eval};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::vault;
use crate::yaml::Node;

/// The rendering that a lookup is part of.
pub struct Looking<'a> {
    run: &'a Arc<Run>,
    /// Where the lookup stands.
    span: Span,
    kind: &'a str,
}

impl<'a> Looking<'a> {
    /// A lookup in a text.
    pub fn new(run: &'a Arc<Run>, span: Span) -> Self {
        Looking { run, span, kind: "" }
    }

    /// A lookup that a loop asks (`with_*`) of a task that works with a kind of files.
    pub fn looping(run: &'a Arc<Run>, kind: &'a str) -> Self {
        Looking { run, span: Span::default(), kind }
    }

    /// What ends a rendering ends the lookup.
    fn ended(&self, why: RenderError) -> Error {
        self.run.shared().end(why.clone());
        Ended::error(why)
    }
}

impl LookupContext for Looking<'_> {
    fn render(&self, text: &str) -> Result<Jinja, Error> {
        self.run.text(text, &Node::scalar(self.span, text)).map_err(|why| self.ended(why))
    }

    fn render_file(
        &self,
        path: &Path,
        text: &str,
        options: &TemplateOptions,
        vars: &[(String, Jinja)],
    ) -> Result<String, Error> {
        let mut more = Vec::with_capacity(vars.len());
        for (name, value) in vars {
            more.push((name.clone(), Binding::Data(Arc::new(from_jinja(value)?))));
        }
        let scope: Arc<dyn Scope> = Arc::new(With { base: self.run.scope().clone(), more });
        let run = self.run.elsewhere(&scope);
        let value = run.engine().file(path, text, options, &run).map_err(|why| self.ended(why))?;
        let mut rendered = String::new();
        eval::write(&value, &mut rendered)?;
        Ok(rendered)
    }

    fn variable(&self, name: &str) -> Result<Option<Jinja>, Error> {
        match (self.run.variable(name), self.run.shared().ended()) {
            (_, Some(why)) => Err(Ended::error(why)),
            (found, None) => Ok(found),
        }
    }

    fn names(&self) -> Vec<String> {
        self.run.scope().names()
    }

    fn candidates(&self, kind: &str, name: &str) -> Vec<PathBuf> {
        self.run.scope().files().candidates(kind, name)
    }

    fn kind(&self) -> &str {
        self.kind
    }

    fn folder(&self) -> PathBuf {
        // One that is named without a folder lies in the current one.
        Path::new(".").join(&self.run.scope().files().playbook)
    }

    fn warn(&self, message: &str) {
        self.run.warn(Diagnostic::warning(self.span, message));
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, Error> {
        vault::read_file(path).map_err(|why| Error::new(minijinja::ErrorKind::InvalidOperation, why))
    }
}

/// A scope with a few more variables on top.
#[derive(Debug)]
struct With {
    base: Arc<dyn Scope>,
    more: Vec<(String, Binding)>,
}

impl Scope for With {
    fn lookup(&self, name: &str) -> Option<Binding> {
        let own = self.more.iter().find(|(known, _)| known == name).map(|(_, binding)| binding.clone());
        own.or_else(|| self.base.lookup(name))
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.base.names();
        names.extend(self.more.iter().map(|(name, _)| name.clone()));
        names
    }

    fn files(&self) -> &SearchPath {
        self.base.files()
    }
}
