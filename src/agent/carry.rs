//! Carries out one call: ask the module, perform, ask again.

use crate::change::perform::{Leave, Performed, Watch, perform};
use crate::change::ran;
use crate::failure::Failure;
use crate::module::Module;
use crate::probe::attributes;
use crate::protocol::Outcome;
use crate::system::Machine;
use crate::value::{Map, Value};

/// A module that asks to be asked again more often than this, and more often than ten times a second, never comes to an
/// end.
const ROUNDS: u64 = 200;

/// Carries out a call on any machine. `None`: it was cancelled while it waited for leave, and nothing was changed.
///
/// On the predicted machine it ends where an output would be needed that nobody can know: the outcome is then `opaque`,
/// with the values that the module expects, `changed` among them if it knows that a change will follow.
pub fn carry_out(
    module: &dyn Module,
    machine: &mut dyn Machine,
    with_diffs: bool,
    watch: &mut dyn Watch,
) -> Option<Outcome> {
    let began = std::time::Instant::now();
    let mut done = Performed::default();
    let mut warnings = Vec::new();
    let ended = rounds(module, machine, with_diffs, watch, &mut done, &mut warnings);
    let (mut values, mut failure, opaque) = match ended {
        Ok(End::Cancelled) => return None,
        Ok(End::Values(values, opaque)) => (values, None, opaque),
        Err(failure) => (Map::new(), Some(failure), false),
    };
    ran::add_lines(&mut values);
    if let Some(failure) = &mut failure {
        ran::add_lines(&mut failure.values);
        attributes::add_to_failure(machine, &mut failure.values);
    }
    let micros = began.elapsed().as_micros() as u64;
    let changed = done.changed || opaque && values.get("changed") == Some(&Value::Bool(true));
    Some(Outcome { changed, failure, values, diffs: done.diffs, warnings, opaque, micros })
}

enum End {
    Values(Map, bool),
    Cancelled,
}

fn rounds(
    module: &dyn Module,
    machine: &mut dyn Machine,
    with_diffs: bool,
    watch: &mut dyn Watch,
    done: &mut Performed,
    warnings: &mut Vec<String>,
) -> Result<End, Failure> {
    let began = std::time::Instant::now();
    let mut asked = false;
    for round in 0.. {
        if round >= ROUNDS + 10 * began.elapsed().as_secs() {
            break;
        }
        let change = match module.plan(machine, &done.outputs) {
            Ok(change) => change,
            // It would have to read what an earlier step of the plan will have brought.
            Err(_) if machine.asked_unknown() => {
                done.changed = true;
                return Ok(End::Values(Map::new(), true));
            }
            Err(failure) => return Err(failure),
        };
        if !change.actions.is_empty() && !asked {
            asked = true;
            match watch.ask() {
                Leave::Now => {}
                Leave::AfterAWait => continue,
                Leave::Never => return Ok(End::Cancelled),
            }
        }
        for warning in change.warnings {
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
        perform(machine, &change.actions, with_diffs, watch, done)?;
        if !change.again {
            return Ok(End::Values(change.values, false));
        }
        if done.unknown {
            return Ok(End::Values(change.values, true));
        }
    }
    Err(Failure::new("the module does not come to an end"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::perform::Unwatched;
    use crate::change::{Act, Action, Change, WriteFile};
    use crate::map;
    use crate::system::fake::Fake;
    use crate::system::{Command, Content, Output, System};
    use std::path::Path;

    /// Runs `probe`, then writes what it printed.
    struct Probe;

    impl Module for Probe {
        fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
            let Some(output) = done.first() else {
                let run = Action::housekeeping(Act::Run(Command::new(["probe"])));
                return Ok(Change::again(vec![run], map! { "text" => "?" }));
            };
            let values = map! { "text" => output.text() };
            if system.read(Path::new("/etc/said"))?.as_deref() == Some(&output.stdout[..]) {
                return Ok(Change::none(values));
            }
            let write = WriteFile {
                path: "/etc/said".into(),
                content: Content::Bytes(output.stdout.clone()),
                attributes: Default::default(),
                backup: None,
                validate: None,
                unsafe_writes: false,
                diff: true,
            };
            Ok(Change::of(vec![Action::change(Act::WriteFile(Box::new(write)))], values))
        }
    }

    #[test]
    fn asks_again_with_outputs() {
        let mut fake = Fake::new().answers(&["probe"], 0, "hello");
        let outcome = carry_out(&Probe, &mut fake, true, &mut Unwatched).unwrap();
        assert!(outcome.changed && outcome.values["text"] == "hello".into());
        assert_eq!(fake.read(Path::new("/etc/said")).unwrap().unwrap(), b"hello");
        assert_eq!(outcome.diffs.len(), 1, "{:?}", outcome.diffs);
        let second = carry_out(&Probe, &mut fake, true, &mut Unwatched).unwrap();
        assert!(!second.changed && second.diffs.is_empty());
    }

    #[test]
    fn a_plan_ends_where_an_output_is_needed() {
        let fake = Fake::new().answers(&["probe"], 0, "hello");
        let outcome = carry_out(&Probe, &mut fake.plan(), true, &mut Unwatched).unwrap();
        assert!(outcome.opaque && !outcome.changed && outcome.values["text"] == "?".into());
        assert!(fake.ran().is_empty());
    }

    #[test]
    fn who_waited_looks_again() {
        struct Waits(u32);
        impl Watch for Waits {
            fn ask(&mut self) -> Leave {
                self.0 += 1;
                Leave::AfterAWait
            }
        }
        let mut fake = Fake::new().answers(&["probe"], 0, "hello");
        let mut watch = Waits(0);
        assert!(carry_out(&Probe, &mut fake, false, &mut watch).unwrap().changed);
        assert_eq!((watch.0, fake.ran().len()), (1, 1));
    }
}
