//! What is not as in Ansible on purpose.

use std::path::Path;

use wodctl::value::Value;
use wodctl::yaml::{self, Node};

/// The list, with the reasons.
pub struct Differences {
    meant: Vec<Node>,
}

impl Differences {
    /// Reads `differences.yml`.
    pub fn read() -> Self {
        let document =
            yaml::read_file(&Path::new(super::FOLDER).join("differences.yml")).expect("a list of differences");
        let root = document.root.expect("a list of differences");
        let meant = root.as_list().expect("a list of differences").to_vec();
        for entry in &meant {
            assert!(entry.get("why").is_some() && entry.get("parts").is_some(), "{entry:?} needs `parts` and `why`");
        }
        Differences { meant }
    }

    /// Whether a difference in this text is one of them: all of an entry's `parts` stand in it, and one of us refuses if
    /// the entry says so.
    pub fn are_meant(&self, text: &str, they_answer: bool, ours: Option<&Value>) -> bool {
        self.meant.iter().any(|entry| {
            let refuses = entry.get("refuses").and_then(Node::as_str);
            let parts = entry.get("parts").and_then(Node::as_list).unwrap_or_default();
            parts.iter().all(|part| part.as_str().is_some_and(|part| text.contains(part)))
                && match refuses {
                    Some("wodctl") => they_answer && ours.is_none(),
                    Some("ansible") => !they_answer && ours.is_some(),
                    _ => true,
                }
        })
    }
}
