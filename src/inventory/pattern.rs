//! Patterns that choose hosts: `web`, `web*`, `~web\d+`, `web[0:2]`, joined by `,` or `:`, with `!` and `&`.
#![expect(clippy::disallowed_methods, reason = "reads the file that a limit names")]

use std::ops::Range;
use std::path::Path;

use fancy_regex::Regex;
use indexmap::IndexSet;

use super::{Inventory, LOCALHOSTS, names};
use crate::diagnostic::Diagnostic;
use crate::failure;
use crate::probe::glob;
use crate::source::{self, Span};
use crate::value::Value;
use crate::yaml::{Node, NodeKind};

type Read<T> = Result<T, Box<Diagnostic>>;

/// The hosts that a pattern chooses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// Their names, in the order of the pattern and of the groups.
    pub hosts: Vec<String>,
    /// Parts of the pattern that name nothing. As errors: the caller knows whether tasks may still add what they name.
    pub unknown: Vec<Diagnostic>,
}

/// `--limit`: the hosts that a run is limited to.
#[derive(Clone, Debug)]
pub struct Limit {
    terms: Vec<Term>,
}

/// One part of a pattern.
#[derive(Clone, Debug)]
struct Term {
    kind: Kind,
    text: String,
    span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Add,
    /// `&`
    Keep,
    /// `!`
    Remove,
}

impl Inventory {
    /// The hosts that `hosts:` of a play or a pattern of the command line chooses: text, or a list of texts.
    ///
    /// As in Ansible all that adds hosts is looked at first, then every `&`, then every `!`; with neither, all hosts are
    /// the start. Fails on a pattern that cannot be understood.
    pub fn select(&self, pattern: &Node) -> Result<Selection, Diagnostic> {
        let mut terms = Vec::new();
        collect(pattern, &mut terms).map_err(|problem| *problem)?;
        self.evaluate(&terms).map_err(|problem| *problem)
    }

    /// Those of `hosts` that a limit leaves; the unknown parts are those of the limit.
    pub fn limit(&self, hosts: &[String], limit: &Limit) -> Result<Selection, Diagnostic> {
        let Selection { hosts: allowed, unknown } = self.evaluate(&limit.terms).map_err(|problem| *problem)?;
        let allowed: IndexSet<String> = allowed.into_iter().collect();
        Ok(Selection { hosts: hosts.iter().filter(|host| allowed.contains(*host)).cloned().collect(), unknown })
    }

    fn evaluate(&self, terms: &[Term]) -> Read<Selection> {
        let mut hosts: IndexSet<String> = IndexSet::new();
        let mut unknown = Vec::new();
        if !terms.iter().any(|term| term.kind == Kind::Add) {
            hosts.extend(self.members("all").into_iter().map(str::to_owned));
        }
        let mut ordered: Vec<&Term> = terms.iter().collect();
        ordered.sort_by_key(|term| term.kind);
        for term in ordered {
            let found = match self.matches(term)? {
                Some(found) => found,
                None => {
                    unknown.push(self.unknown(term));
                    Vec::new()
                }
            };
            match term.kind {
                Kind::Add => hosts.extend(found),
                Kind::Keep => hosts.retain(|host| found.contains(host)),
                Kind::Remove => hosts.retain(|host| !found.contains(host)),
            }
        }
        Ok(Selection { hosts: hosts.into_iter().collect(), unknown })
    }

    /// The hosts of one part; `None` if it names neither a group nor a host.
    fn matches(&self, term: &Term) -> Read<Option<Vec<String>>> {
        if let Some(host) = self.hosts.get(&term.text) {
            return Ok(Some(vec![host.name.clone()]));
        }
        let (expression, subscript) = subscript(&term.text);
        let matcher = Matcher::new(expression, term)?;
        let mut hosts: IndexSet<String> = IndexSet::new();
        let mut known = false;
        for group in self.groups.keys().filter(|group| matcher.fits(group)) {
            known = true;
            hosts.extend(self.members(group).into_iter().map(str::to_owned));
        }
        if !known || expression.starts_with('~') || expression.contains(['.', '?', '*', '[']) {
            hosts.extend(self.hosts.keys().filter(|host| matcher.fits(host)).cloned());
        }
        if hosts.is_empty() && !known {
            if !LOCALHOSTS.contains(&expression) {
                return Ok(None);
            }
            hosts.extend(self.host(expression).map(|host| host.name.clone()));
        }
        let hosts: Vec<String> = hosts.into_iter().collect();
        match subscript {
            Some(subscript) if !hosts.is_empty() => Ok(Some(subscript.apply(&hosts, term)?)),
            _ => Ok(Some(hosts)),
        }
    }

    fn unknown(&self, term: &Term) -> Diagnostic {
        let special = term.text.starts_with('~') || glob::is_pattern(&term.text);
        if special {
            return Diagnostic::error(term.span, format!("no host or group matches `{}`", term.text));
        }
        let names = self.groups.keys().chain(self.hosts.keys()).map(String::as_str);
        Diagnostic::error(term.span, format!("the inventory has no host or group `{}`", term.text))
            .suggest(&term.text, names)
    }
}

impl Limit {
    /// Reads `--limit`: a pattern, in which `@FILE` stands for the lines of a file.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        let whole = source::add("<--limit>", text);
        let mut terms = Vec::new();
        for range in split(text) {
            let span = whole.part(range.start, range.end);
            match text[range.clone()].strip_prefix('@') {
                Some(path) => from_file(Path::new(path), span, &mut terms)?,
                None => terms.push(Term::new(&text[range], span)),
            }
        }
        Ok(Limit { terms })
    }
}

fn from_file(path: &Path, span: Span, terms: &mut Vec<Term>) -> Result<(), Diagnostic> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let why = failure::plain(&error);
        Diagnostic::error(span, format!("cannot read the file of hosts {}: {why}", path.display()))
    })?;
    let whole = source::add(path, text.as_str());
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let name = line.trim();
        if !name.is_empty() {
            let offset = start + (line.len() - line.trim_start().len());
            terms.push(Term::new(name, whole.part(offset, offset + name.len())));
        }
        start += line.len();
    }
    Ok(())
}

fn collect(pattern: &Node, terms: &mut Vec<Term>) -> Read<()> {
    match &pattern.kind {
        NodeKind::List(items) => items.iter().try_for_each(|item| collect(item, terms)),
        NodeKind::Scalar(Value::Str(text)) => {
            let parts = split(text).into_iter();
            terms.extend(parts.map(|range| Term::new(&text[range.clone()], pattern.position(range))));
            Ok(())
        }
        NodeKind::Scalar(Value::Int(number)) => {
            terms.push(Term::new(&number.to_string(), pattern.span));
            Ok(())
        }
        _ => {
            let problem = Diagnostic::error(pattern.span, "a pattern of hosts is text or a list of texts");
            Err(Box::new(problem.help("write for example `hosts: web:!web3` or `hosts: [web, db]`")))
        }
    }
}

impl Term {
    fn new(text: &str, span: Span) -> Self {
        let (kind, text) = match text.as_bytes().first() {
            Some(b'&') => (Kind::Keep, &text[1..]),
            Some(b'!') => (Kind::Remove, &text[1..]),
            _ => (Kind::Add, text),
        };
        Term { kind, text: text.to_owned(), span }
    }
}

/// The parts of a pattern: between commas if it has any, else between colons, but for those of an address or a range.
fn split(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    if text.contains(',') {
        let mut start = 0;
        for part in text.split(',') {
            parts.push(start..start + part.len());
            start += part.len() + 1;
        }
    } else if names::address(text).is_some() {
        parts.push(0..text.len());
    } else {
        let (mut start, mut depth) = (0, 0);
        for (at, letter) in text.char_indices() {
            match letter {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ if depth <= 0 && (letter == ':' || letter.is_whitespace()) => {
                    parts.push(start..at);
                    start = at + letter.len_utf8();
                }
                _ => {}
            }
        }
        parts.push(start..text.len());
    }
    parts.into_iter().filter_map(|range| trimmed(text, range)).collect()
}

fn trimmed(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    let end = start + part.trim().len();
    (start < end).then_some(start..end)
}

/// `[3]`, `[-1]`, `[1:3]` (both ends included) or `[1:]` at the end of a pattern.
enum Subscript {
    One(i64),
    Range(usize, Option<usize>),
}

/// Takes a subscript off. A regular expression has none.
fn subscript(text: &str) -> (&str, Option<Subscript>) {
    let found = || {
        let inner = text.strip_suffix(']')?;
        let (expression, inner) = inner.rsplit_once('[')?;
        let subscript = match inner.split_once([':', '-']) {
            Some((start, end)) if !start.is_empty() => {
                let end = if end.is_empty() { None } else { Some(end.parse().ok()?) };
                Subscript::Range(start.parse().ok()?, end)
            }
            _ => Subscript::One(inner.parse().ok()?),
        };
        (!expression.is_empty()).then_some((expression, Some(subscript)))
    };
    if text.starts_with('~') { (text, None) } else { found().unwrap_or((text, None)) }
}

impl Subscript {
    fn apply(&self, hosts: &[String], term: &Term) -> Read<Vec<String>> {
        let last = hosts.len() - 1;
        let found = match *self {
            Subscript::One(index) if index < 0 => {
                let back = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
                hosts.len().checked_sub(back).map(|index| vec![hosts[index].clone()])
            }
            Subscript::One(index) => {
                usize::try_from(index).ok().and_then(|index| hosts.get(index)).map(|host| vec![host.clone()])
            }
            Subscript::Range(start, end) => {
                let end = end.unwrap_or(last).min(last);
                Some(hosts.get(start..=end).unwrap_or_default().to_vec())
            }
        };
        found.ok_or_else(|| {
            let (expression, _) = subscript(&term.text);
            let problem =
                Diagnostic::error(term.span, format!("`{}` reaches beyond the hosts of `{expression}`", term.text));
            Box::new(problem.help(format!("the first one is [0], the last one [{last}] or [-1]")))
        })
    }
}

/// What a name has to look like.
enum Matcher<'t> {
    Exact(&'t str),
    Glob(&'t str),
    Regex(Regex),
}

impl<'t> Matcher<'t> {
    fn new(expression: &'t str, term: &Term) -> Read<Self> {
        let regex = match expression.strip_prefix('~') {
            Some(regex) => regex,
            None if glob::is_pattern(expression) => return Ok(Matcher::Glob(expression)),
            None => return Ok(Matcher::Exact(expression)),
        };
        match Regex::new(&format!("^(?:{regex})")) {
            Ok(regex) => Ok(Matcher::Regex(regex)),
            Err(error) => {
                let problem = Diagnostic::error(term.span, "this is no regular expression");
                Err(Box::new(problem.label(error.to_string())))
            }
        }
    }

    fn fits(&self, name: &str) -> bool {
        match self {
            Matcher::Exact(text) => *text == name,
            Matcher::Glob(pattern) => glob::matches(pattern, name),
            Matcher::Regex(regex) => regex.is_match(name).unwrap_or(false),
        }
    }
}
