//! The lines of a file, and what is done to them.

use super::Args;
use crate::failure::Failure;
use crate::modules::edit::{byte_pattern, bytes, gave_up, latin};
use crate::python_regex::Pattern;

/// Lines with their ends, as letters of one byte each.
pub struct Lines(Vec<String>);

/// What was found.
#[derive(Default)]
struct Found {
    /// The line that is replaced.
    line: Option<usize>,
    /// What it becomes.
    replacement: Option<String>,
    /// Where a new line goes.
    place: Option<usize>,
}

impl Lines {
    /// Cuts a content into its lines.
    pub fn of(content: &[u8]) -> Lines {
        Lines(content.split_inclusive(|byte| *byte == b'\n').map(latin).collect())
    }

    /// The content.
    pub fn join(&self) -> Vec<u8> {
        self.0.iter().flat_map(|line| bytes(line)).collect()
    }

    /// Puts the line where it belongs; what was done, in Ansible's words.
    pub fn put(&mut self, args: &Args) -> Result<&'static str, Failure> {
        let line = latin(args.line.as_deref().unwrap_or_default().as_bytes());
        let found = self.find(args, &line)?;
        if let Some(at) = found.line {
            let mut new = found.replacement.unwrap_or(line);
            if !new.ends_with('\n') {
                new.push('\n');
            }
            if self.0[at] == new {
                return Ok("");
            }
            self.0[at] = new;
            return Ok("line replaced");
        }
        if args.backrefs {
            return Ok("");
        }
        let at_start = args.insertbefore.as_deref() == Some("BOF") || args.insertafter.as_deref() == Some("BOF");
        match found.place {
            _ if at_start => self.0.insert(0, line + "\n"),
            None => self.append(line),
            // What stands there already is not added twice.
            Some(at) if args.insertbefore.is_none() && self.stands(at, &line) => return Ok(""),
            Some(at) => {
                if at == self.0.len() {
                    self.end_last();
                }
                self.0.insert(at, line + "\n");
            }
        }
        Ok("line added")
    }

    fn stands(&self, at: usize, line: &str) -> bool {
        let there = if at == self.0.len() { self.0.last() } else { self.0.get(at) };
        there.is_some_and(|there| bare(there) == line)
    }

    fn append(&mut self, line: String) {
        self.end_last();
        self.0.push(line + "\n");
    }

    /// A last line without an end gets one.
    fn end_last(&mut self) {
        if let Some(last) = self.0.last_mut().filter(|last| !last.ends_with(['\n', '\r'])) {
            last.push('\n');
        }
    }

    fn find(&self, args: &Args, line: &str) -> Result<Found, Failure> {
        let mut found = Found::default();
        if let Some(regexp) = &args.regexp {
            self.find_pattern(args, &byte_pattern(regexp, "regexp")?, line, &mut found)?;
        }
        if let Some(text) = &args.search_string {
            let text = latin(text.as_bytes());
            let mut matching = (0..self.0.len()).filter(|at| self.0[*at].contains(&text));
            found.line = if args.firstmatch { matching.next() } else { matching.next_back() };
        }
        if found.line.is_none() {
            self.find_place(args, line, &mut found)?;
        }
        Ok(found)
    }

    fn find_pattern(&self, args: &Args, pattern: &Pattern, line: &str, found: &mut Found) -> Result<(), Failure> {
        let search = |at: usize| pattern.search(&self.0[at], 0).map_err(gave_up("regexp"));
        for at in 0..self.0.len() {
            if search(at)?.is_some() {
                found.line = Some(at);
                if args.firstmatch {
                    break;
                }
            }
        }
        if let (Some(at), true) = (found.line, args.backrefs) {
            let replacement = pattern.replacement(line).map_err(gave_up("line"))?;
            if let Some(captures) = search(at)? {
                replacement.expand(&captures, found.replacement.get_or_insert_default());
            }
        }
        Ok(())
    }

    /// The line itself, or else where it goes.
    fn find_place(&self, args: &Args, line: &str, found: &mut Found) -> Result<(), Failure> {
        let (name, text) = match (args.insertafter.as_deref(), args.insertbefore.as_deref()) {
            (Some(text), _) if !matches!(text, "EOF" | "BOF") => ("insertafter", Some(text)),
            (None, Some(text)) if text != "BOF" => ("insertbefore", Some(text)),
            _ => ("", None),
        };
        let pattern = text.map(|text| byte_pattern(text, name)).transpose()?;
        for (at, there) in self.0.iter().enumerate() {
            if bare(there) == line {
                found.line = Some(at);
            } else if let Some(pattern) = &pattern
                && pattern.is_match(there).map_err(gave_up(name))?
            {
                found.place = Some(if name == "insertafter" { at + 1 } else { at });
                if args.firstmatch {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Removes all lines that match; how many.
    pub fn remove(&mut self, args: &Args) -> Result<i64, Failure> {
        let pattern = args.regexp.as_ref().map(|regexp| byte_pattern(regexp, "regexp")).transpose()?;
        let text = args.search_string.as_ref().or(args.line.as_ref()).map(|text| latin(text.as_bytes()));
        let mut kept = Vec::new();
        for line in std::mem::take(&mut self.0) {
            let matches = match (&pattern, &text) {
                (Some(pattern), _) => pattern.is_match(&line).map_err(gave_up("regexp"))?,
                (None, Some(text)) if args.search_string.is_some() => line.contains(text),
                (None, text) => Some(bare(&line)) == text.as_deref(),
            };
            kept.push((line, matches));
        }
        let removed = kept.iter().filter(|(_, matches)| *matches).count();
        self.0 = kept.into_iter().filter(|(_, matches)| !matches).map(|(line, _)| line).collect();
        Ok(removed as i64)
    }
}

/// A line without its end.
fn bare(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}
