//! The last lines of a run: Ansible's seven counters for each host.

use indexmap::IndexMap;

use super::style::{Paint, Palette};
use crate::event::Counters;

/// One line for each host, aligned.
pub fn render(recap: &IndexMap<String, Counters>, palette: Palette) -> String {
    let name_width = recap.keys().map(|host| host.chars().count()).max().unwrap_or(0);
    let width =
        |index: usize| recap.values().map(|counters| counters.named()[index].1.to_string().len()).max().unwrap_or(1);
    let widths: [usize; 7] = std::array::from_fn(width);
    let line = |(host, counters): (&String, &Counters)| {
        let fields: Vec<String> = counters
            .named()
            .iter()
            .zip(widths)
            .map(|((name, count), width)| field(name, *count, width, palette))
            .collect();
        let paint = match counters {
            Counters { unreachable: 1.., .. } => Paint::BrightRed,
            Counters { failed: 1.., .. } => Paint::Red,
            Counters { changed: 1.., .. } => Paint::Yellow,
            _ => Paint::Green,
        };
        let name = palette.paint(paint, host);
        let gap = " ".repeat(name_width - host.chars().count());
        format!("{name}{gap} : {}\n", fields.join(" ").trim_end())
    };
    recap.iter().map(line).collect()
}

fn field(name: &str, count: u32, width: usize, palette: Palette) -> String {
    let text = format!("{name}={count}");
    let gap = " ".repeat(width.saturating_sub(count.to_string().len()));
    let paint = match name {
        _ if count == 0 => return text + &gap,
        "changed" => Paint::Yellow,
        "unreachable" => Paint::BrightRed,
        "failed" => Paint::Red,
        "skipped" => Paint::Cyan,
        "rescued" | "ignored" => Paint::Magenta,
        _ => Paint::Green,
    };
    palette.paint(paint, &text) + &gap
}
