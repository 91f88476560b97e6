//! Files of the controller: their content, their names, templates.

use minijinja::{Error, Value};

use super::{Asked, Lookup, lookup};
use crate::template::Asks;
use crate::template::TemplateOptions;
use crate::template::arguments::wrong;
use crate::template::filters::glob;
use crate::template::python;

pub const LOOKUPS: &[Lookup] = &[
    lookup("file", "lstrip rstrip", file).asking(Asks::FILES),
    lookup("fileglob", "", fileglob).asking(Asks::FILES),
    lookup(
        "template",
        "convert_data variable_start_string variable_end_string block_start_string block_end_string \
         comment_start_string comment_end_string trim_blocks lstrip_blocks template_vars",
        template,
    )
    .asking(Asks::FILES),
    lookup("unvault", "", unvault).asking(Asks::FILES),
];

fn file(asked: &Asked) -> Result<Vec<Value>, Error> {
    let content = |name: &String| {
        let text = asked.read_text(&asked.find("files", name)?)?;
        let text = if asked.flag("lstrip", false) { text.trim_start() } else { &text };
        Ok(if asked.flag("rstrip", true) { text.trim_end() } else { text }.into())
    };
    asked.texts()?.iter().map(content).collect()
}

/// The content as it is, decrypted.
fn unvault(asked: &Asked) -> Result<Vec<Value>, Error> {
    asked.texts()?.iter().map(|name| Ok(asked.read_text(&asked.find("files", name)?)?.into())).collect()
}

/// The files that match, in the first folder that has any.
fn fileglob(asked: &Asked) -> Result<Vec<Value>, Error> {
    let mut found = Vec::new();
    for pattern in asked.texts()? {
        for candidate in asked.context.candidates("files", &pattern) {
            let files: Vec<_> = glob(&candidate.to_string_lossy())?.into_iter().filter(|path| path.is_file()).collect();
            if !files.is_empty() {
                found.extend(files.into_iter().map(|path| Value::from(path.to_string_lossy())));
                break;
            }
        }
    }
    Ok(found)
}

fn template(asked: &Asked) -> Result<Vec<Value>, Error> {
    if asked.flag("convert_data", false) {
        return Err(wrong("`convert_data` is not supported: the result is text; write `| from_json` or `| from_yaml`"));
    }
    let mut options =
        TemplateOptions { lstrip_blocks: asked.flag("lstrip_blocks", false), ..TemplateOptions::default() };
    options.trim_blocks = asked.flag("trim_blocks", true);
    for (name, place) in [
        ("variable_start_string", &mut options.variable_start_string),
        ("variable_end_string", &mut options.variable_end_string),
        ("block_start_string", &mut options.block_start_string),
        ("block_end_string", &mut options.block_end_string),
        ("comment_start_string", &mut options.comment_start_string),
        ("comment_end_string", &mut options.comment_end_string),
    ] {
        if let Some(text) = asked.text(name) {
            *place = text;
        }
    }
    let vars = match asked.option("template_vars") {
        Some(vars) => python::pairs(vars)?,
        None => Vec::new(),
    };
    let vars: Vec<(String, Value)> =
        vars.into_iter().map(|(name, value)| (python::text(&name).into_owned(), value)).collect();
    let rendered = |name: &String| {
        let path = asked.find("templates", name)?;
        Ok(asked.context.render_file(&path, &asked.read_text(&path)?, &options, &vars)?.into())
    };
    asked.texts()?.iter().map(rendered).collect()
}
