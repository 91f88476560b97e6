//! What is put into a text before it is parsed: where Jinja2's lexer and minijinja's differ.
//!
//! A brace that closes a mapping does not end the expression, also where another follows: `{{ {'a': {'b': 1}} }}`. All
//! of Unicode's blanks are blanks, also the ones that do not break.
//!
//! Backslashes in string literals. In a YAML text those inside `{{ }}` stand for themselves, as in Ansible: YAML has
//! read its own escapes already, and `'\1'` is a reference of `regex_replace`.

use super::templar::TemplateOptions;

/// What backslashes in string literals mean.
#[derive(Clone, Copy, Debug)]
pub enum Escapes<'a> {
    /// They begin an escape; the text is one expression.
    Kept,
    /// They begin an escape; the text is a template.
    KeptIn(&'a TemplateOptions),
    /// They stand for themselves inside `{{ }}`.
    LiteralIn(&'a TemplateOptions),
}

/// The text with backslashes doubled where they stand for themselves, and where something was inserted.
pub fn escape(text: &str, escapes: Escapes) -> (String, Vec<usize>) {
    let mut walk = Walk { text, at: 0, out: String::with_capacity(text.len() + 8), inserted: Vec::new() };
    match escapes {
        Escapes::Kept => walk.code(None, false),
        Escapes::KeptIn(options) => walk.template(options, false),
        Escapes::LiteralIn(options) => walk.template(options, true),
    }
    (walk.out, walk.inserted)
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
    out: String,
    inserted: Vec<usize>,
}

impl Walk<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn copy(&mut self, bytes: usize) {
        let end = (self.at + bytes).min(self.text.len());
        self.out.push_str(&self.text[self.at..end]);
        self.at = end;
    }

    fn template(&mut self, options: &TemplateOptions, double: bool) {
        while self.at < self.text.len() {
            let starts = [&options.variable_start_string, &options.block_start_string, &options.comment_start_string];
            let next = starts.iter().filter_map(|start| Some((self.rest().find(start.as_str())?, *start))).min();
            let Some((offset, start)) = next else { return self.copy(self.rest().len()) };
            self.copy(offset + start.len());
            if start == &options.comment_start_string {
                self.until(&options.comment_end_string);
            } else if start == &options.variable_start_string {
                self.code(Some(&options.variable_end_string), double);
            } else {
                let name = self.rest().trim_start_matches(['-', '+', ' ', '\t', '\n']);
                let is_raw = name.strip_prefix("raw").is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
                self.code(Some(&options.block_end_string), false);
                if is_raw {
                    // Jinja2 keeps the newline behind `{% raw %}`, minijinja would take it for that of a block.
                    if options.trim_blocks && self.rest().starts_with('\n') && !self.out.ends_with("-%}") {
                        self.insert('\n');
                    }
                    self.until("endraw");
                }
            }
        }
    }

    fn until(&mut self, end: &str) {
        let length = self.rest().find(end).map_or(self.rest().len(), |offset| offset + end.len());
        self.copy(length);
    }

    fn insert(&mut self, letter: char) {
        self.inserted.push(self.out.len());
        self.out.push(letter);
    }

    /// Copies code up to and with `end`, or all of it; strings in it are seen.
    fn code(&mut self, end: Option<&str>, double: bool) {
        let mut depth = 0usize;
        while let Some(letter) = self.rest().chars().next() {
            if let Some(end) = end.filter(|end| depth == 0 && self.rest().starts_with(end)) {
                return self.copy(end.len());
            }
            match letter {
                '\'' | '"' => self.string(letter, double),
                '{' => {
                    depth += 1;
                    self.copy(1);
                }
                '}' if depth > 0 => {
                    depth -= 1;
                    self.copy(1);
                    if end.is_some_and(|end| self.rest().starts_with(end)) {
                        self.insert(' ');
                    }
                }
                blank if blank.is_whitespace() && !blank.is_ascii() => {
                    self.out.extend(std::iter::repeat_n(' ', blank.len_utf8()));
                    self.at += blank.len_utf8();
                }
                other => self.copy(other.len_utf8()),
            }
        }
    }

    fn string(&mut self, quote: char, double: bool) {
        self.copy(1);
        while let Some(letter) = self.rest().chars().next() {
            if letter == '\\' {
                if double {
                    self.insert('\\');
                    self.copy(1);
                    // The lexer has found the end of the literal before backslashes are doubled.
                    if let Some(next @ ('\\' | '\'' | '"')) = self.rest().chars().next() {
                        self.insert('\\');
                        self.copy(next.len_utf8());
                    }
                    continue;
                }
                self.copy(1);
                let next = self.rest().chars().next().map_or(0, char::len_utf8);
                self.copy(next);
                continue;
            }
            self.copy(letter.len_utf8());
            if letter == quote {
                return;
            }
        }
    }
}
