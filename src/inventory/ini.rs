//! Inventories in Ansible's INI form: `[group]`, `[group:vars]`, `[group:children]`.

use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;

use super::literal;
use super::reading::Reading;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::template::Binding;
use crate::yaml::Node;

type Read<T = ()> = Result<T, Box<Diagnostic>>;

#[derive(Clone, Copy, PartialEq)]
enum Section {
    Hosts,
    Vars,
    Children,
}

/// Takes up the groups of an INI text, which is registered as `whole`.
pub(super) fn read(text: &str, whole: Span, reading: &mut Reading) -> Read {
    let mut lines = Lines { group: "ungrouped".to_owned(), section: Section::Hosts, awaited: IndexMap::new() };
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim();
        if !content.is_empty() && !content.starts_with(['#', ';']) {
            let offset = start + (line.len() - line.trim_start().len());
            lines.line(content, whole.part(offset, offset + content.len()), reading)?;
        }
        start += line.len();
    }
    match lines.awaited.into_iter().next() {
        None => Ok(()),
        Some((name, (_, span))) => {
            let problem = Diagnostic::error(span, format!("there is no group `{name}`"));
            let others = reading.group_names().into_iter().filter(|group| *group != name);
            Err(Box::new(problem.help(format!("a section `[{name}]` makes it")).suggest(&name, others)))
        }
    }
}

struct Lines {
    group: String,
    section: Section,
    /// Groups that `:vars` or `:children` named before they have a section of their own, and their parents.
    awaited: IndexMap<String, (Vec<String>, Span)>,
}

impl Lines {
    fn line(&mut self, line: &str, span: Span, reading: &mut Reading) -> Read {
        if line.starts_with('[')
            && let Some(header) = header(line)
        {
            return self.start(&line[header], span, reading);
        }
        if line.starts_with('[') && line.ends_with(']') {
            let problem = Diagnostic::error(span, "this is no section");
            return Err(Box::new(
                problem.help("a section is [group], [group:vars] or [group:children], without spaces"),
            ));
        }
        match self.section {
            Section::Hosts => hosts(&self.group, line, span, reading),
            Section::Vars => {
                let Some((name, value)) = line.split_once('=') else {
                    return Err(Box::new(Diagnostic::error(span, "expected `name=value`")));
                };
                let value = value.trim();
                let at = span.part(line.len() - value.len(), line.len());
                reading.group_var(&self.group, name.trim(), binding(value, at), at)
            }
            Section::Children => self.child(line, span, reading),
        }
    }

    fn start(&mut self, header: &str, span: Span, reading: &mut Reading) -> Read {
        let (name, kind) = header.split_once(':').map_or((header, None), |(name, kind)| (name, Some(kind)));
        let at = span.part(1, 1 + name.len());
        self.section = match kind {
            None | Some("hosts") => Section::Hosts,
            Some("vars") => Section::Vars,
            Some("children") => Section::Children,
            Some(other) => {
                let start = 2 + name.len();
                let problem =
                    Diagnostic::error(span.part(start, start + other.len()), format!("sections have no `:{other}`"));
                let problem = problem.help("a section is [group], [group:vars] or [group:children]");
                return Err(Box::new(problem.suggest(other, ["vars", "children"])));
            }
        };
        self.group = name.to_owned();
        let new = reading.group(name, at);
        if self.section == Section::Vars {
            if new {
                self.awaited.insert(name.to_owned(), (Vec::new(), at));
            }
        } else if let Some((parents, at)) = self.awaited.shift_remove(name) {
            parents.iter().try_for_each(|parent| reading.child(parent, name, at))?;
        }
        Ok(())
    }

    fn child(&mut self, line: &str, span: Span, reading: &mut Reading) -> Read {
        let name = line.split('#').next().unwrap_or_default().trim_end();
        let at = span.part(0, name.len());
        if name.is_empty() || name.contains([':', ']']) || name.contains(char::is_whitespace) {
            return Err(Box::new(Diagnostic::error(span, "expected the name of a group")));
        }
        if reading.has_group(name) && !self.awaited.contains_key(name) {
            return reading.child(&self.group, name, at);
        }
        self.awaited.entry(name.to_owned()).or_insert((Vec::new(), at)).0.push(self.group.clone());
        Ok(())
    }
}

/// The text between the brackets of a section's line: a name, perhaps `:` and a word; a comment may follow.
fn header(line: &str) -> Option<Range<usize>> {
    let end = line.find(']')?;
    let rest = line[end + 1..].trim_start();
    let (name, kind) = line[1..end].split_once(':').unwrap_or((&line[1..end], "x"));
    let word = |text: &str| !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let fits = !name.is_empty() && !name.contains(char::is_whitespace) && word(kind);
    (fits && (rest.is_empty() || rest.starts_with('#'))).then_some(1..end)
}

/// A line of hosts: a name (with ranges and port) and `key=value` pairs.
fn hosts(group: &str, line: &str, span: Span, reading: &mut Reading) -> Read {
    let words = words(line).map_err(|at| {
        Box::new(Diagnostic::error(span.part(at, at + 1), "the quotes that open here are never closed"))
    })?;
    let Some((pattern, pairs)) = words.split_first() else { return Ok(()) };
    let at = span.part(pattern.range.start, pattern.range.end);
    if pattern.text == "---" {
        let problem = Diagnostic::error(at, "this looks like YAML in an INI inventory");
        return Err(Box::new(problem.help("give the file a name that ends in .yml")));
    }
    if pattern.text.ends_with(':') {
        let problem =
            Diagnostic::error(at, format!("`{}` ends in a colon, behind which a port is missing", pattern.text));
        return Err(Box::new(problem.help("an inventory in YAML needs a name that ends in .yml")));
    }
    let mut variables = Vec::new();
    for word in pairs {
        let at = span.part(word.range.start, word.range.end);
        let Some((name, value)) = word.text.split_once('=') else {
            let problem = Diagnostic::error(at, format!("expected `name=value`, found `{}`", word.text));
            return Err(Box::new(
                problem.help("a line holds one host and its variables; a value with spaces needs quotes"),
            ));
        };
        let written = &line[word.range.clone()];
        let offset = written.find('=').map_or(0, |equals| equals + 1);
        variables.push((name, binding(value, at.part(offset, written.len()))));
    }
    for host in reading.hosts(&pattern.text, group, at)? {
        for (name, value) in &variables {
            reading.host_var(&host, name, value.clone());
        }
    }
    Ok(())
}

fn binding(text: &str, span: Span) -> Binding {
    Binding::Template(Arc::new(Node::of(&literal::value(text), span)))
}

struct Word {
    text: String,
    range: Range<usize>,
}

/// The words of a line as a POSIX shell splits them, up to a `#`. The error is where quotes are opened and never closed.
fn words(line: &str) -> Result<Vec<Word>, usize> {
    let mut words: Vec<Word> = Vec::new();
    let mut open: Option<Word> = None;
    let mut letters = line.char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter.is_whitespace() {
            words.extend(open.take());
            continue;
        }
        if letter == '#' {
            break;
        }
        let word = open.get_or_insert(Word { text: String::new(), range: at..at });
        match letter {
            '\\' => word.text.extend(letters.next().map(|(_, letter)| letter)),
            '\'' | '"' => loop {
                let (_, inner) = letters.next().ok_or(at)?;
                if inner == letter {
                    break;
                }
                if inner == '\\' && letter == '"' {
                    let (_, escaped) = letters.next().ok_or(at)?;
                    if !matches!(escaped, '"' | '\\') {
                        word.text.push('\\');
                    }
                    word.text.push(escaped);
                } else {
                    word.text.push(inner);
                }
            },
            _ => word.text.push(letter),
        }
        word.range.end = letters.offset();
    }
    words.extend(open);
    Ok(words)
}
