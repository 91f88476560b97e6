//! What running programs print, as it comes, in whole lines behind the host's name.

use std::collections::HashMap;
use std::fmt::Write;

use super::style::{Paint, Palette};
use super::text::printed;
use crate::system::Stream;

/// A line that grows longer than this is cut, so that a program that never ends its line costs no memory.
const LONGEST: usize = 8192;

/// Collects pieces into lines.
#[derive(Debug, Default)]
pub struct Live {
    /// What has come of a line, for each host: standard output and standard error.
    begun: HashMap<String, [String; 2]>,
}

impl Live {
    /// Takes a piece and writes the lines that it ends.
    pub fn add(&mut self, host: &str, stream: Stream, text: &str, palette: Palette, out: &mut String) {
        let begun = &mut self.begun.entry(host.to_owned()).or_default()[stream as usize];
        begun.push_str(text);
        if let Some(end) = begun.rfind('\n') {
            let rest = begun.split_off(end + 1);
            let lines = std::mem::replace(begun, rest);
            write_lines(host, stream, &lines, palette, out);
        }
        if begun.len() > LONGEST {
            write_lines(host, stream, &std::mem::take(begun), palette, out);
        }
    }

    /// A step ended on a host: what has come of a line is written too. Says whether the host had printed anything.
    pub fn end(&mut self, host: &str, palette: Palette, out: &mut String) -> bool {
        let Some(begun) = self.begun.remove(host) else { return false };
        for (stream, text) in [Stream::Stdout, Stream::Stderr].into_iter().zip(begun) {
            write_lines(host, stream, &text, palette, out);
        }
        true
    }
}

fn write_lines(host: &str, stream: Stream, text: &str, palette: Palette, out: &mut String) {
    let paint = if stream == Stream::Stderr { Paint::Magenta } else { Paint::Dim };
    for line in printed(text).lines() {
        let _ = writeln!(out, "{} | {line}", palette.paint(paint, host));
    }
}
