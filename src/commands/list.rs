//! `--list-hosts`, `--list-tasks`, `--list-tags`: what would be run, in ansible-playbook's form.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use crate::check::CheckedPlay;
use crate::playbook::Play;
use crate::source;
use crate::steps::{Item, Step, Work};

/// What is listed instead of being run.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct Listing {
    /// List matching hosts without running anything
    #[arg(long)]
    pub list_hosts: bool,
    /// List the tasks, and run nothing
    #[arg(long)]
    pub list_tasks: bool,
    /// List the tags, and run nothing
    #[arg(long)]
    pub list_tags: bool,
}

impl Listing {
    /// Whether anything is to be listed.
    pub fn any(self) -> bool {
        self.list_hosts || self.list_tasks || self.list_tags
    }

    /// The list for the plays of one playbook.
    pub fn text<'a>(self, playbook: &Path, plays: impl Iterator<Item = &'a CheckedPlay>) -> String {
        let mut out = format!("\nplaybook: {}\n", playbook.display());
        for (index, play) in plays.enumerate() {
            self.play(index + 1, play, &mut out);
        }
        out
    }

    fn play(self, number: usize, checked: &CheckedPlay, out: &mut String) {
        let steps = &checked.steps;
        let play = &steps.play;
        let patterns = patterns(play);
        let own: BTreeSet<String> = play.base.tags.iter().filter_map(|tag| tag.as_str()).map(str::to_owned).collect();
        let own_text = own.iter().cloned().collect::<Vec<_>>().join(",");
        let _ = writeln!(out, "\n  play #{number} ({}): {}\tTAGS: [{own_text}]", patterns.join(","), play.title());
        if self.list_hosts {
            let shown: Vec<_> = patterns.iter().map(|pattern| format!("'{pattern}'")).collect();
            let _ = writeln!(out, "    pattern: [{}]\n    hosts ({}):", shown.join(", "), checked.hosts.len());
            for host in &checked.hosts {
                let _ = writeln!(out, "      {host}");
            }
        }
        let mut tags = own;
        if self.list_tasks {
            out.push_str("    tasks:\n");
        }
        for step in written(&steps.items) {
            tags.extend(step.tags.iter().cloned());
            if self.list_tasks {
                let mut shown = step.tags.clone();
                shown.sort();
                let _ = writeln!(out, "      {}\tTAGS: [{}]", title(step), shown.join(", "));
            }
        }
        if self.list_tags {
            let _ = writeln!(out, "      TASK TAGS: [{}]", tags.into_iter().collect::<Vec<_>>().join(", "));
        }
    }
}

fn patterns(play: &Play) -> Vec<String> {
    let text = |node: &crate::yaml::Node| node.as_str().unwrap_or_default().to_owned();
    play.hosts.as_list().map_or_else(|| vec![text(&play.hosts)], |items| items.iter().map(text).collect())
}

/// The steps that somebody wrote, without those of `rescue` and `always`.
pub(super) fn written(items: &[Item]) -> Vec<&Step> {
    let mut steps = Vec::new();
    for item in items {
        match item {
            Item::Step(step) if step.span.is_somewhere() => steps.push(step.as_ref()),
            Item::Step(_) => {}
            Item::Block(block) => steps.extend(written(&block.main)),
        }
    }
    steps
}

fn title(step: &Step) -> String {
    match (step.name.as_ref().and_then(|name| name.as_str()), &step.role) {
        (Some(name), Some(role)) => format!("{role} : {name}"),
        (Some(name), None) => name.to_owned(),
        (None, _) => action(step),
    }
}

/// The module as it was written.
fn action(step: &Step) -> String {
    match &step.work {
        Work::Call { spec, name, .. } => source::text(*name).unwrap_or_else(|| spec.name.to_owned()),
        Work::IncludeTasks { .. } => "include_tasks".to_owned(),
        Work::IncludeRole { .. } => "include_role".to_owned(),
        Work::Flush | Work::Gather | Work::RoleEnd => "meta".to_owned(),
    }
}
