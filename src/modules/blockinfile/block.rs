//! The block among the lines of a file.

use super::{Args, State};
use crate::failure::Failure;
use crate::modules::edit::{byte_pattern, bytes, gave_up, latin};
use crate::python_regex::Flags;

/// The new content, and whether it has the block.
pub fn place(args: &Args, content: &[u8]) -> Result<(Vec<u8>, bool), Failure> {
    let mut lines = split(content);
    let marker = |mark: &str| format!("{}\n", latin(args.marker.replace("{mark}", mark).as_bytes()));
    let (begin, end) = (marker(&args.marker_begin), marker(&args.marker_end));
    let present = args.state == State::Present;
    let block = match present && !args.block.is_empty() {
        true => wrapped(&args.block, &begin, &end),
        false => Vec::new(),
    };
    let mut at = match take_out(&mut lines, &begin, &end) {
        Some(at) => at,
        None => place_of(args, content, &lines)?,
    };
    if let Some(before) = at.checked_sub(1).and_then(|before| lines.get_mut(before))
        && !before.ends_with('\n')
    {
        before.push('\n');
    }
    if args.prepend_newline && present && at > 0 && lines[at - 1] != "\n" {
        lines.insert(at, "\n".to_owned());
        at += 1;
    }
    let behind = at + block.len();
    let has_block = !block.is_empty();
    lines.splice(at..at, block);
    if args.append_newline && present && lines.get(behind).is_some_and(|line| line != "\n") {
        lines.insert(behind, "\n".to_owned());
    }
    Ok((lines.iter().flat_map(|line| bytes(line)).collect(), has_block))
}

/// The lines of the block with its markers.
fn wrapped(block: &str, begin: &str, end: &str) -> Vec<String> {
    let mut text = latin(block.as_bytes());
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let inner = split(&bytes(&text));
    [vec![begin.to_owned()], inner, vec![end.to_owned()]].concat()
}

/// Removes a block that is there; where it was.
fn take_out(lines: &mut Vec<String>, begin: &str, end: &str) -> Option<usize> {
    let last = |marker: &str| lines.iter().rposition(|line| line == marker);
    let (begin, end) = (last(begin)?, last(end)?);
    let (first, last) = (begin.min(end), begin.max(end));
    lines.drain(first..=last);
    Some(first)
}

/// Where a new block goes.
fn place_of(args: &Args, content: &[u8], lines: &[String]) -> Result<usize, Failure> {
    let (name, text) = match (args.insertafter.as_deref(), args.insertbefore.as_deref()) {
        (Some("EOF"), _) | (None, None) => return Ok(lines.len()),
        (Some(text), _) => ("insertafter", text),
        (None, Some("BOF")) => return Ok(0),
        (None, Some(text)) => ("insertbefore", text),
    };
    let pattern = byte_pattern(text, name)?;
    let after = name == "insertafter";
    // As in Ansible, `(?m)` says that the pattern is about the whole text.
    if is_multiline(text) {
        let whole = latin(content);
        let found = pattern.search(&whole, 0).map_err(gave_up(name))?;
        let Some(found) = found.as_ref().and_then(|found| found.get(0)) else { return Ok(lines.len()) };
        let line = whole[..if after { found.end() } else { found.start() }].matches('\n').count();
        return Ok(if after { line + 1 } else { line }.min(lines.len()));
    }
    let mut place = None;
    for (at, line) in lines.iter().enumerate() {
        if pattern.is_match(line).map_err(gave_up(name))? {
            place = Some(if after { at + 1 } else { at });
        }
    }
    Ok(place.unwrap_or(lines.len()))
}

fn is_multiline(pattern: &str) -> bool {
    Flags::leading(pattern).multiline
}

/// Lines with their ends, which may be `\n`, `\r\n` or `\r`.
fn split(content: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut start = 0;
    for at in 0..content.len() {
        let ends = match content[at] {
            b'\n' => true,
            b'\r' => content.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        if ends || at + 1 == content.len() {
            lines.push(latin(&content[start..=at]));
            start = at + 1;
        }
    }
    lines
}
