//! Warnings of templates, each said once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// Where templates leave their warnings until the run reports them.
#[derive(Clone, Debug, Default)]
pub struct Warnings(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    said: HashSet<(Span, String)>,
    waiting: Vec<Diagnostic>,
}

impl Warnings {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one up, unless it was there before: a condition is judged for each host and each item.
    pub fn add(&self, warning: Diagnostic) {
        let mut inner = self.inner();
        if inner.said.insert((warning.span, warning.message.clone())) {
            inner.waiting.push(warning);
        }
    }

    /// Those that were not reported yet.
    pub fn take(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.inner().waiting)
    }
}
