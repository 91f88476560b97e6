//! Lines and words: shortening, wrapping, counting.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::filters::regex::with_pattern;
use crate::template::python;

pub const FILTERS: &[Entry] = &[
    entry(&["truncate"], "s length killwords end leeway", truncate),
    entry(&["wordcount"], "s", wordcount),
    entry(&["wordwrap"], "s width break_long_words wrapstring break_on_hyphens", wordwrap),
];

fn truncate(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    let length = given.size("length", 255)?;
    let leeway = given.size("leeway", 5)?;
    // A list that is short enough stays a list.
    if value.as_str().is_none() && python::items(value)?.len() <= length.saturating_add(leeway) {
        return Ok(value.clone());
    }
    let text: Vec<char> = given.value_str()?.chars().collect();
    let end = given.get("end").map(python::text).unwrap_or("...".into());
    let end_length = end.chars().count();
    if length < end_length {
        return Err(wrong(format!("`length` must be at least {end_length}, which the end takes")));
    }
    if text.len() <= length.saturating_add(leeway) {
        return Ok(text.into_iter().collect::<String>().into());
    }
    let mut kept = &text[..length - end_length];
    if !given.flag("killwords", false) {
        kept = kept.iter().rposition(|letter| *letter == ' ').map_or(kept, |at| &kept[..at]);
    }
    Ok((kept.iter().collect::<String>() + &end).into())
}

fn wordcount(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_text()?;
    let separators = |letter: char| !letter.is_alphanumeric() && letter != '_';
    Ok(text.split(separators).filter(|word| !word.is_empty()).count().into())
}

fn wordwrap(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_text()?;
    let width = given.size("width", 79)?;
    if width == 0 {
        return Err(wrong("`width` must be 1 or more"));
    }
    let newline = given.str("wrapstring")?.unwrap_or("\n");
    let wrapper = Wrapper {
        width,
        break_long_words: given.flag("break_long_words", true),
        break_on_hyphens: given.flag("break_on_hyphens", true),
    };
    let lines = python::split_lines(&text).into_iter().map(|line| Ok(wrapper.wrap(line)?.join(newline)));
    Ok(lines.collect::<Result<Vec<_>, Error>>()?.join(newline).into())
}

/// Python's `textwrap`, as Jinja2 calls it: white space is kept as it is, but dropped where a line breaks.
struct Wrapper {
    width: usize,
    break_long_words: bool,
    break_on_hyphens: bool,
}

impl Wrapper {
    fn wrap(&self, text: &str) -> Result<Vec<String>, Error> {
        let mut chunks = self.chunks(text)?;
        chunks.reverse();
        let mut lines: Vec<String> = Vec::new();
        while let Some(first) = chunks.last() {
            if !lines.is_empty() && first.trim().is_empty() {
                chunks.pop();
            }
            let mut line: Vec<String> = Vec::new();
            let mut length = 0;
            while let Some(chunk) = chunks.pop_if(|chunk| length + chunk.chars().count() <= self.width) {
                length += chunk.chars().count();
                line.push(chunk);
            }
            if let Some(chunk) = chunks.pop_if(|chunk| chunk.chars().count() > self.width) {
                self.long_word(chunk, length, &mut line, &mut chunks);
            }
            if line.last().is_some_and(|chunk| chunk.trim().is_empty()) {
                line.pop();
            }
            if !line.is_empty() {
                lines.push(line.concat());
            }
        }
        Ok(lines)
    }

    /// A chunk that is longer than a line: cut, where that is allowed, else on a line of its own.
    fn long_word(&self, chunk: String, length: usize, line: &mut Vec<String>, chunks: &mut Vec<String>) {
        let space = self.width.saturating_sub(length).max(1);
        if !self.break_long_words {
            if line.is_empty() {
                line.push(chunk)
            } else {
                chunks.push(chunk)
            }
            return;
        }
        let letters: Vec<char> = chunk.chars().collect();
        let mut end = space;
        if self.break_on_hyphens && letters.len() > space {
            let hyphen = letters[..space].iter().rposition(|letter| *letter == '-');
            if let Some(hyphen) = hyphen.filter(|at| *at > 0 && letters[..*at].iter().any(|letter| *letter != '-')) {
                end = hyphen + 1;
            }
        }
        line.push(letters[..end].iter().collect());
        chunks.push(letters[end..].iter().collect());
    }

    /// Words and the blanks between them; words that may be broken at hyphens in parts.
    fn chunks(&self, text: &str) -> Result<Vec<String>, Error> {
        let pattern =
            if self.break_on_hyphens { HYPHENATED } else { "[ \\t\\n\\x0b\\x0c\\r]+|[^ \\t\\n\\x0b\\x0c\\r]+" };
        with_pattern(pattern, false, false, |pattern| {
            Ok(pattern
                .all(text)?
                .iter()
                .filter_map(|found| found.get(0))
                .map(|whole| whole.as_str().to_owned())
                .collect())
        })
    }
}

/// A run of blanks, a dash between words, or a word up to its end, a hyphen between letters or a dash.
const HYPHENATED: &str = concat!(
    r#"[ \t\n\x0b\x0c\r]+|(?<=[\w!"'&.,?])-{2,}(?=\w)|[^ \t\n\x0b\x0c\r]+?(?:"#,
    r#"-(?:(?<=[^\d\W]{2}-)|(?<=[^\d\W]-[^\d\W]-))(?=[^\d\W]-?[^\d\W])"#,
    r#"|(?=[ \t\n\x0b\x0c\r]|\Z)|(?<=[\w!"'&.,?])(?=-{2,}\w))"#,
);
