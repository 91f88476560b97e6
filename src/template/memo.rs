//! What happens once for a task, host and item, however often its texts are rendered while it waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use minijinja::Value as Jinja;
use minijinja::value::ValueKind;

use super::convert::{from_jinja, to_jinja};
use super::run::{Run, lock};
use crate::source::Span;
use crate::value::Value;

/// The answers of `pipe`, `url`, `password`, `random`, `now` and their kin. The caller keeps one for each task, host and
/// item, hands it in by [`Templar::remembering`](super::Templar::remembering), and starts another for another attempt.
#[derive(Debug, Default)]
pub struct Memo {
    answers: Mutex<HashMap<Question, Answers>>,
}

/// What was asked: where, and with which arguments.
pub(super) type Question = (Span, String);

/// A loop in a template may ask the same several times: each time has an answer of its own.
#[derive(Debug, Default)]
struct Answers {
    kept: Vec<Answer>,
    given: usize,
}

#[derive(Clone, Debug)]
enum Answer {
    Data(Arc<Value>),
    /// A moment, which knows more than its text.
    Object(Jinja),
}

impl Memo {
    /// The texts are rendered from the start again: the same questions get the same answers.
    pub fn rewind(&self) {
        lock(&self.answers).values_mut().for_each(|answers| answers.given = 0);
    }

    /// The answer that was kept, or the one that is found now.
    pub(super) fn once<E>(
        &self,
        question: Question,
        run: &Arc<Run>,
        find: impl FnOnce() -> Result<Jinja, E>,
    ) -> Result<Jinja, E> {
        if let Some(answer) = self.next(&question) {
            return Ok(answer.to_jinja(run));
        }
        let value = find()?;
        if let Some(answer) = Answer::of(&value) {
            let mut answers = lock(&self.answers);
            let answers = answers.entry(question).or_default();
            answers.kept.push(answer);
            answers.given = answers.kept.len();
        }
        Ok(value)
    }

    fn next(&self, question: &Question) -> Option<Answer> {
        let mut answers = lock(&self.answers);
        let answers = answers.get_mut(question)?;
        let answer = answers.kept.get(answers.given).cloned()?;
        answers.given += 1;
        Some(answer)
    }
}

impl Answer {
    /// What is not known yet is no answer.
    fn of(value: &Jinja) -> Option<Self> {
        match value.kind() {
            ValueKind::Plain => Some(Answer::Object(value.clone())),
            _ => {
                from_jinja(value).ok().filter(|data| data.unknown().is_none()).map(|data| Answer::Data(Arc::new(data)))
            }
        }
    }

    fn to_jinja(&self, run: &Arc<Run>) -> Jinja {
        match self {
            Answer::Data(data) => to_jinja(data, run),
            Answer::Object(value) => value.clone(),
        }
    }
}
