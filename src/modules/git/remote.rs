//! What the server has.

use super::Args;
use crate::failure::{During, Failure};
use crate::system::System;

/// What the wanted version is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A branch of the server.
    Branch(String),
    /// A tag.
    Tag(String),
    /// A commit, perhaps only the beginning of its number.
    Commit,
    /// Something else with a name.
    Ref(String),
}

/// The version that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// What it is.
    pub kind: Kind,
    /// The number of the commit, or its beginning.
    pub commit: String,
}

impl Target {
    /// A commit given by its number, of which the server need not be asked.
    pub fn commit(version: &str) -> Option<Target> {
        let is_number = version.len() == 40 && version.chars().all(|c| c.is_ascii_hexdigit());
        is_number.then(|| Target { kind: Kind::Commit, commit: version.to_lowercase() })
    }

    /// Asks the server.
    pub fn ask(args: &Args, system: &dyn System, git: &str) -> Result<Target, Failure> {
        let version = args.version.as_str();
        if let Some(target) = Target::commit(version) {
            return Ok(target);
        }
        let repo = args.shown_repo(system)?;
        let names =
            [format!("refs/heads/{version}"), format!("refs/tags/{version}"), format!("refs/tags/{version}^{{}}")];
        let mut words = vec!["ls-remote", "--symref", repo.as_str(), "HEAD", version];
        words.extend(names.iter().map(String::as_str));
        let output = system.query(&args.command(system, git, None, &words)?).during(|| "ask git")?;
        if !output.ok() {
            let why = output.errors().trim().to_owned();
            return Err(Failure::new(format!("cannot ask {repo}: {why}")).argument("repo").with("rc", output.rc));
        }
        find(&output.text(), version)
            .ok_or_else(|| Failure::new(format!("{repo} has no branch, tag or commit `{version}`")).argument("version"))
    }
}

/// Finds the version in what the server lists.
fn find(list: &str, version: &str) -> Option<Target> {
    let lines = || list.lines().filter_map(|line| line.split_once('\t'));
    let commit = |name: &str| {
        lines().find(|(left, right)| *right == name && !left.starts_with("ref: ")).map(|(left, _)| left.to_owned())
    };
    if version == "HEAD" {
        let branch =
            lines().find_map(|(left, right)| left.strip_prefix("ref: refs/heads/").filter(|_| right == "HEAD"));
        let kind = branch.map_or(Kind::Ref("HEAD".into()), |branch| Kind::Branch(branch.to_owned()));
        return Some(Target { kind, commit: commit("HEAD")? });
    }
    if let Some(commit) = commit(&format!("refs/heads/{version}")) {
        return Some(Target { kind: Kind::Branch(version.to_owned()), commit });
    }
    let tag = commit(&format!("refs/tags/{version}^{{}}")).or_else(|| commit(&format!("refs/tags/{version}")));
    if let Some(commit) = tag {
        return Some(Target { kind: Kind::Tag(version.to_owned()), commit });
    }
    if let Some(commit) = commit(version) {
        return Some(Target { kind: Kind::Ref(version.to_owned()), commit });
    }
    let is_start = version.len() >= 7 && version.chars().all(|c| c.is_ascii_hexdigit());
    is_start.then(|| Target { kind: Kind::Commit, commit: version.to_lowercase() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let list = "ref: refs/heads/main\tHEAD\n11\tHEAD\n11\trefs/heads/main\n22\trefs/heads/v1\n33\trefs/tags/v2\n\
                    44\trefs/tags/v2^{}\n55\trefs/pull/1\n";
        let kind = |version: &str| find(list, version).map(|target| (target.kind, target.commit));
        assert_eq!(kind("HEAD"), Some((Kind::Branch("main".into()), "11".into())));
        assert_eq!(kind("v1"), Some((Kind::Branch("v1".into()), "22".into())));
        assert_eq!(kind("v2"), Some((Kind::Tag("v2".into()), "44".into())));
        assert_eq!(kind("refs/pull/1"), Some((Kind::Ref("refs/pull/1".into()), "55".into())));
        assert_eq!(kind("abcdef1"), Some((Kind::Commit, "abcdef1".into())));
        assert_eq!(kind("nope"), None);
        assert!(Target::commit(&"a".repeat(40)).is_some() && Target::commit("abcdef1").is_none());
    }
}
