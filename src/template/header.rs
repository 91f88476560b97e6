//! The first line `#jinja2: name: value, …` of a template, which overrides how it is read.

use super::templar::TemplateOptions;

const MARK: &str = "#jinja2:";

/// The options that the header sets, and how many bytes it takes.
pub fn read(text: &str, options: &TemplateOptions) -> Result<(TemplateOptions, usize), String> {
    let Some(rest) = text.strip_prefix(MARK) else { return Ok((options.clone(), 0)) };
    let Some(length) = rest.find('\n') else {
        return Err(format!("nothing but the options of `{MARK}`: the template starts in the next line"));
    };
    let mut options = options.clone();
    for pair in rest[..length].split(',') {
        let Some((name, value)) = pair.split_once(':') else {
            return Err(format!("`{MARK}` takes `name: value` pairs, and `{}` is none", pair.trim()));
        };
        set(&mut options, name.trim(), value.trim())?;
    }
    Ok((options, MARK.len() + length + 1))
}

fn set(options: &mut TemplateOptions, name: &str, value: &str) -> Result<(), String> {
    match name {
        "trim_blocks" => options.trim_blocks = flag(name, value)?,
        "lstrip_blocks" => options.lstrip_blocks = flag(name, value)?,
        "newline_sequence" => options.newline_sequence = text(name, value)?,
        "variable_start_string" => options.variable_start_string = text(name, value)?,
        "variable_end_string" => options.variable_end_string = text(name, value)?,
        "block_start_string" => options.block_start_string = text(name, value)?,
        "block_end_string" => options.block_end_string = text(name, value)?,
        "comment_start_string" => options.comment_start_string = text(name, value)?,
        "comment_end_string" => options.comment_end_string = text(name, value)?,
        _ => return Err(format!("`{MARK}` has no option `{name}`")),
    }
    Ok(())
}

fn flag(name: &str, value: &str) -> Result<bool, String> {
    match value {
        "True" => Ok(true),
        "False" => Ok(false),
        _ => Err(format!("`{name}` is True or False, not `{value}`")),
    }
}

fn text(name: &str, value: &str) -> Result<String, String> {
    let inner = ['\'', '"'].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    let inner = inner.ok_or_else(|| format!("`{name}` is a text in quotes, not `{value}`"))?;
    Ok(inner.replace("\\n", "\n").replace("\\r", "\r"))
}
