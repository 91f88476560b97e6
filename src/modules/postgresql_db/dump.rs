//! Dumping a database into a file and reading it back: `pg_dump`, `pg_restore`, `psql`.

use std::path::PathBuf;

use super::{Args, State};
use crate::change::{Action, Change, ran};
use crate::failure::Failure;
use crate::map;
use crate::module::ArgError;
use crate::probe::paths;
use crate::system::{Output, System};
use crate::words;

/// The file and its form.
enum Form {
    Plain,
    PlainGzip,
    Archive(&'static str),
}

fn form(args: &Args) -> Option<Form> {
    let name = args.target.as_ref().map_or_else(|| "x.sql".into(), |target| target.to_string_lossy());
    match name.rsplit('.').next().unwrap_or_default() {
        "tar" => Some(Form::Archive("t")),
        "pgc" => Some(Form::Archive("c")),
        "dir" => Some(Form::Archive("d")),
        "gz" if args.state == State::Dump => Some(Form::PlainGzip),
        "gz" | "bz2" | "xz" => None,
        _ => Some(Form::Plain),
    }
}

/// Refuses forms that are not supported, and options that are none.
pub fn check(args: &Args) -> Result<(), ArgError> {
    if !matches!(args.state, State::Dump | State::Restore) {
        return Ok(());
    }
    if form(args).is_none() {
        let message =
            "packed files cannot be restored, and only `.gz` can be written; use `.pgc`, which packs by itself";
        return Err(ArgError::new("target", message));
    }
    for (name, options) in [("target_opts", &args.target_opts), ("dump_extra_args", &args.dump_extra_args)] {
        words::split(options.as_deref().unwrap_or_default()).map_err(|why| ArgError::new(name, why))?;
    }
    Ok(())
}

/// Dumps or restores.
pub fn plan(args: &Args, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
    if let Some(output) = done.first() {
        let mut values = ran::values(output, false);
        values.extend(map! { "db" => args.name.as_str(), "msg" => output.text(), "cmd" => output.argv.join(" ") });
        return Ok(Change::none(values));
    }
    let target = args.target.clone().unwrap_or_else(|| PathBuf::from(format!("{}.sql", args.name)));
    let target = paths::for_program(system, &target)?.to_string_lossy().into_owned();
    let options = |text: &Option<String>| {
        words::split(text.as_deref().unwrap_or_default()).map_err(|why| Failure::new(why).argument("target_opts"))
    };
    let mut words = options(&args.dump_extra_args)?;
    words.extend(options(&args.target_opts)?);
    let form = form(args).unwrap_or(Form::Plain);
    let (program, own): (&str, Vec<String>) = match (args.state, form) {
        (State::Dump, Form::Plain) => ("pg_dump", vec!["-f".into(), target]),
        (State::Dump, Form::PlainGzip) => ("pg_dump", vec!["-Z".into(), "6".into(), "-f".into(), target]),
        (State::Dump, Form::Archive(kind)) => ("pg_dump", vec![format!("-F{kind}"), "-f".into(), target]),
        (_, Form::Archive(kind)) => ("pg_restore", vec![format!("-F{kind}"), target]),
        (_, _) => ("psql", vec!["-XqAtw".into(), "-v".into(), "ON_ERROR_STOP=1".into(), "-f".into(), target]),
    };
    let server = args.access().server(system, &args.name);
    let command = server.tool(program, own.into_iter().chain(words));
    let verb = if args.state == State::Dump { "dump" } else { "restore" };
    let action = Action::run(command, format!("cannot {verb} the database {}", args.name)).expect(Output::default());
    Ok(Change::again(vec![action], map! { "db" => args.name.as_str() }))
}
