//! What programs on the controller print.
#![expect(clippy::disallowed_methods, reason = "runs programs of the controller")]

use std::process::{Command, Output, Stdio};

use minijinja::{Error, Value};

use super::{Asked, Lookup, lookup};
use crate::failure::plain;
use crate::template::Asks;
use crate::template::arguments::wrong;

pub const LOOKUPS: &[Lookup] =
    &[lookup("lines", "", lines).asking(Asks::ONCE), lookup("pipe", "", pipe).asking(Asks::ONCE)];

fn shell(asked: &Asked, line: &str) -> Result<String, Error> {
    let output: Output = Command::new("/bin/sh")
        .args(["-c", line])
        .current_dir(asked.context.folder())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| wrong(format!("cannot start /bin/sh: {}", plain(&error))))?;
    if !output.status.success() {
        return Err(wrong(format!("`{line}` failed ({})", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The output, without the blanks at its end.
fn pipe(asked: &Asked) -> Result<Vec<Value>, Error> {
    asked.texts()?.iter().map(|line| Ok(shell(asked, line)?.trim_end().into())).collect()
}

fn lines(asked: &Asked) -> Result<Vec<Value>, Error> {
    let mut out = Vec::new();
    for line in asked.texts()? {
        out.extend(crate::template::python::split_lines(&shell(asked, &line)?).into_iter().map(Value::from));
    }
    Ok(out)
}
