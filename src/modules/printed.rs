//! What programs printed, as Ansible returns it. Shared by modules that run one.

use crate::system::Output;
use crate::value::Map;

/// Adds `stdout` and `stderr` where something was printed.
pub fn add_printed(values: &mut Map, done: &[Output]) {
    let joined = |part: fn(&Output) -> String| done.iter().map(part).collect::<String>();
    for (name, text) in [("stdout", joined(Output::text)), ("stderr", joined(Output::errors))] {
        if !text.is_empty() {
            values.insert(name.into(), text.into());
        }
    }
}

/// Whether the program `name` is among those that have run.
pub fn has_run(done: &[Output], name: &str) -> bool {
    done.iter().any(|output| output.argv.first().is_some_and(|program| program == name))
}
