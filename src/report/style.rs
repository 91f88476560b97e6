//! Colours, and whether there are any.
#![expect(clippy::disallowed_methods, reason = "whether there are colours is in the environment")]

use std::io::IsTerminal;

use crate::event::Status;

/// How a word is painted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Each is what it says.
pub enum Paint {
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Magenta,
    Cyan,
    BrightRed,
}

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Paint::Bold => "1",
            Paint::Dim => "2",
            Paint::Red => "31",
            Paint::Green => "32",
            Paint::Yellow => "33",
            Paint::Magenta => "35",
            Paint::Cyan => "36",
            Paint::BrightRed => "91",
        }
    }

    /// The colour of a status, as Ansible's users know them.
    pub fn of(status: Status) -> Paint {
        match status {
            Status::Ok => Paint::Green,
            Status::Changed => Paint::Yellow,
            Status::Skipped => Paint::Cyan,
            Status::Failed => Paint::Red,
            Status::Unreachable => Paint::BrightRed,
            Status::Unknown => Paint::Magenta,
        }
    }
}

/// Paints, or does not.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// Whether there are colours.
    pub on: bool,
}

impl Palette {
    /// `text` in a colour.
    pub fn paint(self, paint: Paint, text: &str) -> String {
        match self.on && !text.is_empty() {
            true => format!("\u{1b}[{}m{text}\u{1b}[0m", paint.code()),
            false => text.to_owned(),
        }
    }

    /// For standard output.
    pub fn stdout() -> Palette {
        Palette { on: wanted(&|name| std::env::var(name).ok(), std::io::stdout().is_terminal()) }
    }

    /// For standard error.
    pub fn stderr() -> Palette {
        Palette { on: wanted(&|name| std::env::var(name).ok(), std::io::stderr().is_terminal()) }
    }
}

/// Whether a stream is coloured: `NO_COLOR` forbids it, `CLICOLOR_FORCE` demands it, `CLICOLOR=0` and `TERM=dumb` forbid
/// it on a terminal.
fn wanted(env: &dyn Fn(&str) -> Option<String>, is_terminal: bool) -> bool {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    is_terminal && set("CLICOLOR").is_none_or(|value| value != "0") && set("TERM").is_none_or(|value| value != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(variables: &[(&str, &str)], is_terminal: bool, expected: bool) {
        let env = |name: &str| variables.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned());
        assert_eq!(wanted(&env, is_terminal), expected, "{variables:?} {is_terminal}");
    }

    #[test]
    fn colours_follow_the_environment() {
        case(&[], true, true);
        case(&[], false, false);
        case(&[("NO_COLOR", "1")], true, false);
        case(&[("NO_COLOR", "")], true, true);
        case(&[("CLICOLOR_FORCE", "1")], false, true);
        case(&[("CLICOLOR_FORCE", "0")], false, false);
        case(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true, false);
        case(&[("CLICOLOR", "0")], true, false);
        case(&[("TERM", "dumb")], true, false);
    }

    #[test]
    fn nothing_is_painted_without_colours() {
        assert_eq!(Palette { on: false }.paint(Paint::Red, "x"), "x");
        assert_eq!(Palette { on: true }.paint(Paint::Red, "x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
