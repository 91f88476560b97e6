//! The first of several files that exists.

use minijinja::{Error, Value};

use super::{Asked, Lookup, lookup};
use crate::template::Asks;
use crate::template::arguments::wrong;
use crate::template::filters::home_expanded;
use crate::template::python;

pub const LOOKUPS: &[Lookup] = &[lookup("first_found", "files paths skip", first_found).asking(Asks::FILES)];

/// Files to look for, in which folders, and whether none may be found.
#[derive(Default)]
struct Search {
    files: Vec<String>,
    skip: bool,
}

impl Search {
    /// Adds `files`, each in each of `paths`.
    fn add(&mut self, files: Vec<String>, paths: &[String]) {
        for path in paths {
            self.files.extend(files.iter().map(|file| format!("{}/{file}", path.trim_end_matches('/'))));
        }
        if paths.is_empty() {
            self.files.extend(files);
        }
    }

    fn term(&mut self, term: &Value, paths: &[String]) -> Result<(), Error> {
        if python::is_list(term) {
            return python::items(term)?.iter().try_for_each(|item| self.term(item, paths));
        }
        if !python::is_map(term) {
            let text =
                term.as_str().ok_or_else(|| wrong(format!("needs files, one term is {}", python::described(term))))?;
            self.add(separated(text), paths);
            return Ok(());
        }
        let part = |name: &str| term.get_item(&name.into());
        for (name, _) in python::pairs(term)? {
            if !matches!(name.as_str(), Some("files" | "paths" | "skip")) {
                return Err(wrong(format!("has no option `{name}`; it has files, paths, skip")));
            }
        }
        self.skip |= part("skip")?.is_true();
        let paths = texts(&part("paths")?)?;
        self.add(texts(&part("files")?)?, &paths);
        Ok(())
    }
}

/// A text with several names, separated by commas, semicolons or (for paths) colons.
fn separated(text: &str) -> Vec<String> {
    text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn texts(value: &Value) -> Result<Vec<String>, Error> {
    if value.is_undefined() || value.is_none() {
        return Ok(Vec::new());
    }
    match value.as_str() {
        Some(text) => Ok(separated(text)),
        None => Ok(python::list(value)?.iter().flat_map(|item| separated(&python::text(item))).collect()),
    }
}

fn first_found(asked: &Asked) -> Result<Vec<Value>, Error> {
    let mut search = Search { skip: asked.flag("skip", false), ..Search::default() };
    let option = |name: &str| asked.option(name).map_or(Ok(Vec::new()), texts);
    let (files, paths) = (option("files")?, option("paths")?);
    asked.terms.iter().try_for_each(|term| search.term(term, &paths))?;
    search.add(files, &paths);
    let kind = asked.context.kind();
    let mut tried = Vec::new();
    for file in &search.files {
        for candidate in asked.context.candidates(kind, &home_expanded(file)?) {
            if candidate.exists() {
                return Ok(vec![candidate.to_string_lossy().into()]);
            }
            tried.push(candidate.display().to_string());
        }
    }
    if search.skip {
        return Ok(Vec::new());
    }
    Err(wrong(format!("none of the files exists; looked for {}", tried.join(", "))))
}
