//! Which steps `--tags` and `--skip-tags` leave.

use super::Options;

/// The tags that were asked for, as Ansible selects by them.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `--tags`; empty means `all`.
    pub only: Vec<String>,
    /// `--skip-tags`.
    pub skip: Vec<String>,
}

impl Options {
    /// Whether the command line selects a step with these tags.
    pub fn selects(&self, tags: &[String]) -> bool {
        Selection { only: self.tags.clone(), skip: self.skip_tags.clone() }.takes(tags)
    }
}

impl Selection {
    /// Whether a step with these tags is run: `always` unless it is skipped by name, `never` only if it is asked for,
    /// `tagged`, `untagged` and `all` as words for sets.
    pub fn takes(&self, tags: &[String]) -> bool {
        let has = |tag: &str| tags.iter().any(|own| own == tag);
        let any = |asked: &[String]| asked.iter().any(|tag| has(tag) || (tag == "untagged" && tags.is_empty()));
        let asks = |asked: &[String], word: &str| asked.iter().any(|tag| tag == word);
        let wanted = has("always")
            || ((self.only.is_empty() || asks(&self.only, "all")) && !has("never"))
            || any(&self.only)
            || (asks(&self.only, "tagged") && !tags.is_empty() && !has("never"));
        let skipped = if asks(&self.skip, "all") {
            !has("always") || asks(&self.skip, "always")
        } else {
            any(&self.skip) || (asks(&self.skip, "tagged") && !tags.is_empty())
        };
        wanted && !skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(only: &str, skip: &str, tags: &str) -> bool {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        Selection { only: words(only), skip: words(skip) }.takes(&words(tags))
    }

    #[test]
    fn without_options_all_but_never() {
        assert!(takes("", "", ""));
        assert!(takes("", "", "a"));
        assert!(takes("", "", "always"));
        assert!(!takes("", "", "never"));
        assert!(!takes("", "", "never a"));
        assert!(takes("", "", "never always"));
    }

    #[test]
    fn only_some() {
        assert!(takes("a", "", "a b"));
        assert!(takes("a", "", "always"));
        assert!(takes("a", "", "never a"));
        assert!(!takes("a", "", "b"));
        assert!(!takes("a", "", ""));
        assert!(takes("untagged", "", ""));
        assert!(!takes("untagged", "", "a"));
        assert!(takes("tagged", "", "a"));
        assert!(!takes("tagged", "", ""));
        assert!(!takes("tagged", "", "never"));
        assert!(takes("all", "", "a"));
        assert!(!takes("all", "", "never"));
    }

    #[test]
    fn skipping() {
        assert!(!takes("", "a", "a b"));
        assert!(takes("", "a", "b"));
        assert!(takes("", "all", "always"));
        assert!(!takes("", "all always", "always"));
        assert!(!takes("", "always", "always"));
        assert!(!takes("", "tagged", "a"));
        assert!(takes("", "tagged", ""));
        assert!(!takes("", "untagged", ""));
        assert!(!takes("a", "b", "a b"));
    }
}
