//! One entry of a list: `[default:]user:NAME:rwx`.

/// An entry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// It is for what is made in a directory later.
    pub default: bool,
    /// `user`, `group`, `mask` or `other`.
    pub kind: String,
    /// Name or number; empty for the owner and the owning group.
    pub entity: String,
    /// The permissions; none where the entry is to be removed.
    pub permissions: Option<String>,
}

impl Entry {
    /// Reads it; without permissions if it is to be removed.
    pub fn parse(text: &str, absent: bool) -> Result<Entry, String> {
        let mut parts: Vec<&str> = text.split(':').collect();
        let default = matches!(parts[0].to_lowercase().as_str(), "d" | "default");
        if default {
            parts.remove(0);
        }
        let expected = |form: &str| Err(format!("expected {form}, found `{text}`"));
        let kind = match parts.first().and_then(|kind| kind.chars().next()).map(|letter| letter.to_ascii_lowercase()) {
            Some('u') => "user",
            Some('g') => "group",
            Some('m') => "mask",
            Some('o') => "other",
            _ => return expected("an entry that begins with user, group, mask or other"),
        };
        let (entity, permissions) = match (parts.as_slice(), absent) {
            ([_, entity, permissions], false) => (*entity, Some((*permissions).to_owned())),
            ([_, entity] | [_, entity, _], true) => (*entity, None),
            (_, false) => return expected("KIND:NAME:PERMISSIONS"),
            (_, true) => return expected("KIND:NAME"),
        };
        Ok(Entry { default, kind: kind.to_owned(), entity: entity.to_owned(), permissions })
    }
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}:{}", self.kind, self.entity)?;
        self.permissions.as_ref().map_or(Ok(()), |permissions| write!(f, ":{permissions}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries() {
        let entry = Entry::parse("d:u:wod:rwx", false).unwrap();
        assert!(entry.default);
        assert_eq!(entry.to_string(), "user:wod:rwx");
        assert_eq!(Entry::parse("group:adm", true).unwrap().to_string(), "group:adm");
        assert!(Entry::parse("group:adm", false).is_err() && Entry::parse("x:adm:r", false).is_err());
    }
}
