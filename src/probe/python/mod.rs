//! What is installed for Python, read from the folders of its packages: no Python is started.

pub mod files;
pub mod marker;
pub mod requirement;
pub mod site;

/// The name of a distribution as they are compared: lower case, `-` for each run of `-`, `_` and `.`.
pub fn normalized(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            letter => out.extend(letter.to_lowercase()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_compared_as_pip_does() {
        assert_eq!(super::normalized("Foo__Bar.-baz"), "foo-bar-baz");
    }
}
