//! What the `ansible` package brings, by name: modules, filters, tests and lookups with their old names.
//!
//! So a name that exists and that wodctl lacks is told from one that nobody has. The data is `catalog/ansible.txt`; how it
//! is written anew, `catalog/generate` says.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a name may stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A module.
    Module,
    /// A filter.
    Filter,
    /// A test.
    Test,
    /// A lookup.
    Lookup,
}

impl Kind {
    /// Its word, for people.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Module => "module",
            Kind::Filter => "filter",
            Kind::Test => "test",
            Kind::Lookup => "lookup",
        }
    }

    /// The kind of a word.
    pub fn of(word: &str) -> Option<Kind> {
        [Kind::Module, Kind::Filter, Kind::Test, Kind::Lookup].into_iter().find(|kind| kind.word() == word)
    }
}

static TEXT: &str = include_str!("catalog/ansible.txt");

/// Lines by kind and collection: names, or old names with the collection that they have moved to.
type Lines = HashMap<(Kind, &'static str), Vec<Line>>;

struct Line {
    moved: Option<&'static str>,
    names: &'static str,
}

static LINES: LazyLock<Lines> = LazyLock::new(|| {
    let mut lines = Lines::new();
    for line in TEXT.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.splitn(3, ' ');
        let (Some(kind), Some(collection), Some(rest)) = (words.next().and_then(Kind::of), words.next(), words.next())
        else {
            continue;
        };
        let (moved, names) = match rest.strip_prefix("> ").and_then(|rest| rest.split_once(' ')) {
            Some((collection, names)) => (Some(collection), names),
            None => (None, rest),
        };
        lines.entry((kind, collection)).or_default().push(Line { moved, names });
    }
    lines
});

/// The full name of what is meant by a name that may be short, or an old one; `None` if the package has no such thing.
pub fn find(kind: Kind, name: &str) -> Option<String> {
    let mut parts = name.splitn(3, '.');
    let (collection, short) = match (parts.next(), parts.next(), parts.next()) {
        (Some("ansible"), Some("builtin" | "legacy"), Some(short)) => ("ansible.builtin", short),
        (Some(space), Some(collection), Some(short)) => (&name[..space.len() + 1 + collection.len()], short),
        _ => ("ansible.builtin", name),
    };
    let lines = LINES.get(&(kind, collection))?;
    lines.iter().find_map(|line| {
        let entry = line.names.split(' ').find(|entry| entry.split('=').next() == Some(short))?;
        let now = entry.split('=').next_back().unwrap_or(entry);
        let place = line.moved.unwrap_or(collection);
        // A collection that has left the package brings nothing.
        LINES.contains_key(&(kind, place)).then(|| format!("{place}.{now}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_short_and_in_full() {
        let module = |name| find(Kind::Module, name);
        assert_eq!(module("apt").as_deref(), Some("ansible.builtin.apt"));
        assert_eq!(module("ansible.legacy.apt").as_deref(), Some("ansible.builtin.apt"));
        assert_eq!(module("community.general.pacman").as_deref(), Some("community.general.pacman"));
        assert_eq!(module("community.general.no_such_thing"), None);
        assert_eq!(module("my.own.thing"), None);
        assert_eq!(find(Kind::Test, "ansible.utils.ipv4").as_deref(), Some("ansible.utils.ipv4"));
        assert_eq!(find(Kind::Filter, "community.general.dict").as_deref(), Some("community.general.dict"));
    }

    #[test]
    fn old_names_lead_to_new_ones() {
        assert_eq!(find(Kind::Module, "docker_container").as_deref(), Some("community.docker.docker_container"));
        assert_eq!(find(Kind::Module, "ansible.builtin.sysctl").as_deref(), Some("ansible.posix.sysctl"));
        assert_eq!(find(Kind::Lookup, "flattened").as_deref(), Some("community.general.flattened"));
        assert_eq!(find(Kind::Module, "cloudscale_server").as_deref(), Some("cloudscale_ch.cloud.server"));
    }
}
