//! Plays of one task that no file holds: what `ping`, `facts` and `exec` run.

use std::path::Path;

use serde_json::Value as Json;

use super::content::Content;
use super::job::{About, Job};
use super::options::{Selection, Work};
use super::walk::{How, walk};
use super::{Error, Exit};
use crate::protocol::Mode;
use crate::report::Question;

/// What is asked of which hosts.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The command that asks; messages name it as the file.
    pub question: Question,
    /// The inventory.
    pub inventory: &'a Path,
    /// The hosts.
    pub pattern: &'a str,
    /// The module.
    pub module: &'a str,
    /// Its arguments.
    pub args: &'a Json,
    /// How.
    pub work: &'a Work,
}

impl Ask<'_> {
    /// Asks, and shows the answers.
    pub fn run(self) -> Result<Exit, Error> {
        let name = match self.question {
            Question::Ping => "<ping>",
            Question::Facts => "<facts>",
            Question::Exec => "<exec>",
        };
        let work = self.work;
        let selection = Selection::default();
        let job = Job::open(About {
            inventory: self.inventory,
            content: Content::lent(self.inventory, name, &playbook(self.pattern, self.module, self.args)),
            selection: &selection,
            variables: &work.variables,
            limit: work.limit.as_deref(),
            becomes: work.become_.become_,
        })?;
        job.accept(false)?;
        walk(job, How { work, selection: &selection, mode: Mode::Apply, strict: false, question: Some(self.question) })
    }
}

/// The text of a playbook with one task: `module` with `args` on the hosts of `pattern`. It goes the same way as a
/// playbook in a file, so checks, templates and positions are the same.
fn playbook(pattern: &str, module: &str, args: &Json) -> String {
    // JSON is YAML, with quotes that need no thought.
    let [pattern, module] = [pattern, module].map(|text| Json::from(text).to_string());
    let args = if args.is_null() { String::new() } else { format!(" {args}") };
    format!("- hosts: {pattern}\n  gather_facts: false\n  tasks:\n    - {module}:{args}\n")
}

/// Arguments as `-a` gives them: a mapping in JSON, or one line of `key=value` and free form.
pub fn arguments(text: &str) -> Result<Json, Error> {
    let text = text.trim();
    match text.starts_with('{') && !text.starts_with("{{") {
        true => serde_json::from_str(text).map_err(|error| format!("the arguments are not valid JSON: {error}").into()),
        false if text.is_empty() => Ok(Json::Null),
        false => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_play_of_one_task() {
        let text = |args: &str| playbook("web*:!web3", "command", &arguments(args).unwrap());
        insta::assert_snapshot!(text("echo \"a b\""), @r#"
        - hosts: "web*:!web3"
          gather_facts: false
          tasks:
            - "command": "echo \"a b\""
        "#);
        insta::assert_snapshot!(text(r#"{"cmd": "ls", "chdir": "/"}"#), @r#"
        - hosts: "web*:!web3"
          gather_facts: false
          tasks:
            - "command": {"cmd":"ls","chdir":"/"}
        "#);
        assert!(text(" ").ends_with("- \"command\":\n"));
    }

    #[test]
    fn broken_json_is_refused() {
        assert!(matches!(arguments("{\"a\": }"), Err(Error::Other(why)) if why.contains("JSON")));
        assert!(arguments("{{ x }} y").is_ok());
    }
}
