//! Regular expressions with Python's language and Python's meaning, which playbooks are written for.
//!
//! A pattern is translated (`$`, `\Z`, classes, literal braces, …) and carried out by `fancy-regex`.

mod replacement;
mod translate;

use std::cell::OnceCell;

use fancy_regex::{Regex, RegexBuilder, RegexInput};

pub use replacement::Replacement;

/// The groups of one match.
pub type Captures<'t> = fancy_regex::Captures<'t, str>;

/// Python's flags; patterns may set them themselves with `(?i)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `re.IGNORECASE`.
    pub ignore_case: bool,
    /// `re.MULTILINE`: `^` and `$` hold at every line.
    pub multiline: bool,
    /// `re.DOTALL`: `.` matches line ends too.
    pub dot_all: bool,
    /// `re.VERBOSE`: blanks and comments in the pattern mean nothing.
    pub verbose: bool,
    /// `re.ASCII`, and how patterns on bytes behave: `\w`, `\d`, `\s`, `\b` know ASCII only.
    pub ascii: bool,
}

impl Flags {
    /// Those that a pattern sets itself at its start, `(?im)`.
    pub fn leading(pattern: &str) -> Flags {
        translate::leading(pattern)
    }
}

/// Where a match must lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anchor {
    /// Anywhere: `re.search`.
    #[default]
    None,
    /// At the start: `re.match`.
    Start,
    /// From start to end: `re.fullmatch`.
    Whole,
}

/// So many steps back are taken before a match is given up: enough for every honest pattern.
const PATIENCE: usize = 50_000_000;

/// A compiled pattern.
#[derive(Debug)]
pub struct Pattern {
    regex: Regex,
    /// The same, but it never matches nothing; made when it is first needed.
    not_empty: OnceCell<Option<Regex>>,
}

impl Pattern {
    /// Compiles a pattern. The error says what is wrong, for people.
    pub fn new(pattern: &str, flags: Flags) -> Result<Pattern, String> {
        Pattern::anchored(pattern, flags, Anchor::None)
    }

    /// Compiles a pattern whose matches must lie at a certain place.
    pub fn anchored(pattern: &str, flags: Flags, anchor: Anchor) -> Result<Pattern, String> {
        let inner = translate::translate(pattern, flags).map_err(|why| wrong(pattern, &why))?;
        let text = match anchor {
            Anchor::None => inner,
            Anchor::Start => format!(r"\A(?:{inner})"),
            Anchor::Whole => format!(r"\A(?:{inner})\z"),
        };
        let built = RegexBuilder::new(&text).backtrack_limit(PATIENCE).build();
        let regex = built.map_err(|error| wrong(pattern, &error.to_string()))?;
        Ok(Pattern { regex, not_empty: OnceCell::new() })
    }

    /// The first match at or behind byte `from`.
    pub fn search<'t>(&self, text: &'t str, from: usize) -> Result<Option<Captures<'t>>, String> {
        self.regex.captures_from_pos(text, from).map_err(|error| gave_up(&error))
    }

    /// Whether it matches somewhere.
    pub fn is_match(&self, text: &str) -> Result<bool, String> {
        self.regex.is_match(text).map_err(|error| gave_up(&error))
    }

    /// Whether a match begins where the text does, as `re.match` wants it.
    pub fn matches_start(&self, text: &str) -> Result<bool, String> {
        Ok(self.search(text, 0)?.is_some_and(|found| found.get(0).is_some_and(|whole| whole.start() == 0)))
    }

    /// All matches, as `re.finditer` finds them: an empty one may follow another, but not twice at one place.
    pub fn all<'t>(&self, text: &'t str) -> Result<Vec<Captures<'t>>, String> {
        let mut found = Vec::new();
        let mut next = self.search(text, 0)?;
        while let Some(captures) = next {
            let (start, end) = captures.get(0).map_or((0, 0), |whole| (whole.start(), whole.end()));
            found.push(captures);
            next = if start < end { self.search(text, end)? } else { self.advance(text, end)? };
        }
        Ok(found)
    }

    /// The next match behind an empty one at `at`: one that begins there too if it is longer, else one further on.
    fn advance<'t>(&self, text: &'t str, at: usize) -> Result<Option<Captures<'t>>, String> {
        let not_empty = self.not_empty.get_or_init(|| {
            let mut builder = RegexBuilder::new(self.regex.as_str());
            builder.backtrack_limit(PATIENCE).find_not_empty(true).build().ok()
        });
        if let Some(regex) = not_empty {
            let input = RegexInput::new(text).from_pos(at).anchored(true);
            if let Some(captures) = regex.captures_input(input).map_err(|error| gave_up(&error))? {
                return Ok(Some(captures));
            }
        }
        match text[at..].chars().next() {
            Some(letter) => self.search(text, at + letter.len_utf8()),
            None => Ok(None),
        }
    }

    /// `re.subn`: replaces at most `count` matches (all for 0); how many there were.
    pub fn sub(&self, text: &str, replacement: &Replacement, count: usize) -> Result<(String, usize), String> {
        let mut matches = self.all(text)?;
        if count > 0 {
            matches.truncate(count);
        }
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for captures in &matches {
            let Some(whole) = captures.get(0) else { continue };
            out.push_str(&text[done..whole.start()]);
            replacement.expand(captures, &mut out);
            done = whole.end();
        }
        out.push_str(&text[done..]);
        Ok((out, matches.len()))
    }

    /// Reads a replacement (`\1`, `\g<name>`, `\n`) whose groups are this pattern's.
    pub fn replacement(&self, text: &str) -> Result<Replacement, String> {
        let names: Vec<Option<&str>> = self.regex.capture_names().collect();
        Replacement::read(text, &names).map_err(|why| format!("`{text}` is no replacement: {why}"))
    }

    /// How many groups it has.
    pub fn groups(&self) -> usize {
        self.regex.captures_len() - 1
    }

    /// The names of its groups; `None` for those without. The first is the whole match.
    pub fn names(&self) -> Vec<Option<&str>> {
        self.regex.capture_names().collect()
    }
}

/// `re.escape`.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if "()[]{}?*+-|^$\\.&~# \t\n\r\x0b\x0c".contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

fn wrong(pattern: &str, why: &str) -> String {
    format!("`{pattern}` is no regular expression: {why}")
}

fn gave_up(error: &fancy_regex::Error) -> String {
    format!("the regular expression cannot be carried out: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, text: &str) -> Vec<String> {
        let pattern = Pattern::new(pattern, Flags::default()).unwrap();
        pattern.all(text).unwrap().iter().map(|found| found[0].to_owned()).collect()
    }

    fn sub(pattern: &str, replacement: &str, text: &str) -> String {
        let pattern = Pattern::new(pattern, Flags::default()).unwrap();
        pattern.sub(text, &pattern.replacement(replacement).unwrap(), 0).unwrap().0
    }

    /// The expected values are CPython's.
    #[test]
    fn empty_matches() {
        assert_eq!(found("|a", "a"), ["", "a", ""]);
        assert_eq!(sub("x*", "-", "abxd"), "-a-b--d-");
        assert_eq!(sub(r"\b", "|", "on no"), "|on| |no|");
        assert_eq!(sub("$", "!", "a\n"), "a!\n!");
    }

    #[test]
    fn replacements() {
        assert_eq!(sub(r"(\w)(?P<last>\w)", r"\g<last>\1\g<0>\n", "ab"), "baab\n");
        assert_eq!(sub("(a)|(b)", r"[\2]", "ab"), "[][b]");
        let pattern = Pattern::new("(a)", Flags::default()).unwrap();
        assert!(pattern.replacement(r"\2").unwrap_err().contains("there is no group 2"));
        assert_eq!(pattern.sub("aaa", &pattern.replacement("b").unwrap(), 2).unwrap(), ("bba".into(), 2));
    }

    #[test]
    fn anchors() {
        let is =
            |anchor, text: &str| Pattern::anchored("a|ab", Flags::default(), anchor).unwrap().is_match(text).unwrap();
        assert_eq!([is(Anchor::None, "xab"), is(Anchor::Start, "xab"), is(Anchor::Start, "abc")], [true, false, true]);
        assert_eq!([is(Anchor::Whole, "ab"), is(Anchor::Whole, "abc")], [true, false]);
    }

    #[test]
    fn escaped() {
        assert_eq!(escape("a.b c-/é"), r"a\.b\ c\-/é");
        assert_eq!(found(&escape("[a] & {b}~#"), "x[a] & {b}~#"), ["[a] & {b}~#"]);
    }

    #[test]
    fn what_is_no_pattern() {
        for (pattern, why) in [
            ("(a", "missing ), unterminated subpattern"),
            ("a)", "unbalanced parenthesis"),
            ("*a", "nothing to repeat"),
            ("a**", "multiple repeat"),
            (r"\h", r"bad escape \h"),
            ("[a", "unterminated character set"),
            ("[b-a]", "bad character range b-a"),
            ("a(?i)", "global flags not at the start"),
            ("(?<a>b)", "unknown extension ?<a"),
        ] {
            let error = Pattern::new(pattern, Flags::default()).unwrap_err();
            assert!(error.contains(why), "{pattern}: {error}");
        }
    }

    /// Pattern, text, the first match: CPython's.
    #[test]
    fn first_matches() {
        for (pattern, text, expected) in [
            ("a$", "a\n", Some("a")),
            ("a$", "a\n\n", None),
            (r"a\Z", "a\n", None),
            ("(?m)^b$", "a\nb\nc", Some("b")),
            (".+", "a\nb", Some("a")),
            ("(?s).+", "a\nb", Some("a\nb")),
            ("(?i)AB", "xab", Some("ab")),
            ("(?i:A)b", "aB", None),
            ("a{2}", "aaa", Some("aa")),
            ("a{,2}b", "aab", Some("aab")),
            ("a{x}", "a{x}", Some("a{x}")),
            ("{}", "{}", Some("{}")),
            ("a{", "a{", Some("a{")),
            (r"\<a\>", "<a>", Some("<a>")),
            ("[[a]", "[", Some("[")),
            ("[]a]+", "a]", Some("a]")),
            ("[^]a]+", "b]", Some("b")),
            ("[a&&b]+", "&&", Some("&&")),
            ("[a~~b-]+", "~-", Some("~-")),
            (r"[\w.-]+", "a.b-c d", Some("a.b-c")),
            (r"[\S]+", "ab c", Some("ab")),
            (r"(?P<x>a)(?P=x)", "aa", Some("aa")),
            (r"(a)\1", "aa", Some("aa")),
            (r"(a)\1\x30", "aa0", Some("aa0")),
            (r"\101\0", "A\0", Some("A\0")),
            ("(?x) a b # c\n c", "abc", Some("abc")),
            ("a(?#comment)b", "ab", Some("ab")),
            ("(?<=a)b(?!c)", "abc ab", Some("b")),
            ("(a)?(?(1)b|c)", "ab", Some("ab")),
            ("(?P<q>a)?(?(q)b|c)", "xc", Some("c")),
            ("(?>a+)b", "aab", Some("aab")),
            ("a++b", "aab", Some("aab")),
            ("a+?", "aa", Some("a")),
            (r"\u00e9\N", "é", None),
            (r"\s", "\x1c", Some("\x1c")),
            ("é+", "éé", Some("éé")),
            ("a#b c", "a#b c", Some("a#b c")),
            (r"a\ b\-\#\/", "a b-#/", Some("a b-#/")),
        ] {
            let Ok(compiled) = Pattern::new(pattern, Flags::default()) else {
                assert_eq!(expected, None, "{pattern}");
                continue;
            };
            let found = compiled.search(text, 0).unwrap();
            assert_eq!(found.as_ref().map(|found| &found[0]), expected, "{pattern} on {text:?}");
        }
    }

    #[test]
    fn ascii_classes() {
        let flags = Flags { ascii: true, ignore_case: true, ..Flags::default() };
        let is = |pattern: &str, text: &str| Pattern::new(pattern, flags).unwrap().is_match(text).unwrap();
        assert_eq!(
            [is(r"^\w$", "é"), is(r"^\W$", "é"), is("É", "é"), is("K", "\u{212a}")],
            [false, true, false, false]
        );
        assert_eq!([is(r"a\b", "aé"), is(r"a\B", "aé"), is(r"[^\W]", "é"), is("K", "k")], [true, false, false, true]);
    }
}
