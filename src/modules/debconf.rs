use std::path::Path;

use crate::change::{Action, Change};
use crate::failure::{During, Failure};
use crate::module::{Arg, ArgError, Effects, Given, Module, ModuleSpec};
use crate::probe::dpkg;
use crate::system::{Command, Output, Subject, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

const ANSWERS: &str = "/var/cache/debconf/config.dat";
const PASSWORDS: &str = "/var/cache/debconf/passwords.dat";

choices! {
    /// What a question of debconf is answered with.
    pub enum Type {
        /// `true` or `false`.
        Boolean = "boolean",
        /// A message.
        Error = "error",
        /// Several of a list.
        Multiselect = "multiselect",
        /// A message.
        Note = "note",
        /// A password.
        Password = "password",
        /// Whether it was asked.
        Seen = "seen",
        /// One of a list.
        Select = "select",
        /// A line.
        String = "string",
        /// A text.
        Text = "text",
        /// A title.
        Title = "title",
    }
}

args! {
    /// Answers the questions that packages ask while they are installed.
    ///
    /// Without a question it returns the answers of a package. They are read from debconf's own files.
    pub struct Args {
        /// The package.
        name: String, alias("pkg");
        /// The question.
        question: Option<String>, alias("selection", "setting");
        /// What it is answered with.
        vtype: Option<Type>;
        /// The answer.
        value: Option<Value>, alias("answer");
        /// The question shall be asked all the same.
        unseen: bool = false;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "debconf");

impl Module for Args {
    fn plan(&self, system: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        let (Some(question), Some(vtype), Some(value)) = (&self.question, self.vtype, &self.value) else {
            return Ok(Change::none(map! { "msg" => "", "current" => answers(system, ANSWERS, &self.name)? }));
        };
        let wanted = self.wanted(vtype, value)?;
        let file = if vtype == Type::Password { PASSWORDS } else { ANSWERS };
        let subject = Subject::Other("debconf".into(), format!("{} {question}", self.name));
        let now = match system.predicted(&subject) {
            Some(planned) => Some(planned),
            None => answers(system, file, &self.name)?.get(question).cloned(),
        };
        let mut values = map! { "msg" => "" };
        // A password is not shown.
        if vtype != Type::Password {
            values.insert("current".into(), map! { question.clone() => wanted.as_str() }.into());
        }
        if now.as_ref().and_then(Value::as_str).is_some_and(|now| self.is_same(vtype, now, &wanted)) {
            return Ok(Change::none(values));
        }
        if vtype != Type::Password {
            let before = now.unwrap_or_else(|| "".into());
            values.insert("previous".into(), map! { question.clone() => before }.into());
        }
        if system.which("debconf-set-selections").is_none() && !dpkg::has_planned(system) {
            return Err(Failure::new("this machine has no debconf; is it of the Debian family?"));
        }
        let line = format!("{} {question} {} {wanted}\n", self.name, vtype.as_str());
        let words = ["debconf-set-selections"].into_iter().chain(self.unseen.then_some("-u"));
        let action = Action::run(Command::new(words).stdin(line), format!("cannot answer {question}"));
        Ok(Change::of(vec![action.expect(Output::default()).settles(subject, wanted)], values))
    }

    fn check(&self) -> Result<(), ArgError> {
        let given = [self.question.is_some(), self.vtype.is_some(), self.value.is_some()];
        match given.iter().all(|it| *it) || !given.iter().any(|it| *it) {
            true => Ok(()),
            false => Err(ArgError::whole("`question`, `vtype` and `value` belong together")),
        }
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}

impl Args {
    fn wanted(&self, vtype: Type, value: &Value) -> Result<String, Failure> {
        let text = match value {
            Value::List(_) if vtype == Type::Multiselect => Vec::<String>::read(value).map(|items| items.join(", ")),
            value => String::read(value),
        };
        let text = text.map_err(|message| Failure::new(message).argument("value"))?;
        if text.contains('\n') {
            return Err(Failure::new("an answer is one line").argument("value"));
        }
        Ok(if vtype == Type::Boolean { text.to_lowercase() } else { text })
    }

    fn is_same(&self, vtype: Type, now: &str, wanted: &str) -> bool {
        let sorted = |text: &str| {
            let mut items: Vec<String> = text.split(',').map(|item| item.trim().to_owned()).collect();
            items.sort();
            items
        };
        match vtype {
            Type::Boolean => now.to_lowercase() == wanted,
            Type::Multiselect if matches!(self.value, Some(Value::List(_))) => sorted(now) == sorted(wanted),
            _ => now == wanted,
        }
    }
}

/// The answers to the questions that a package owns.
fn answers(system: &dyn System, file: &str, package: &str) -> Result<Map, Failure> {
    let bytes = system.read(Path::new(file)).during(|| format!("read {file}"))?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut answers = Map::new();
    for stanza in text.split("\n\n") {
        let field = |name: &str| {
            let line = stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.map(|value| value.trim().to_owned())
        };
        let owners = field("Owners").unwrap_or_default();
        if let Some(name) = field("Name").filter(|_| owners.split(',').any(|owner| owner.trim() == package)) {
            answers.insert(name, field("Value").unwrap_or_default().into());
        }
    }
    Ok(answers)
}
