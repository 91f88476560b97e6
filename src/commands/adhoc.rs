//! Plays of one task that no file holds: what `ping`, `facts` and `exec` run.

use serde_json::Value as Json;

use super::Error;

/// The text of a playbook with one task: `module` with `args` on the hosts of `pattern`. It goes the same way as a
/// playbook in a file, so checks, templates and positions are the same.
pub fn playbook(pattern: &str, module: &str, args: &Json) -> String {
    // JSON is YAML, with quotes that need no thought.
    let [pattern, module] = [pattern, module].map(|text| Json::from(text).to_string());
    let args = if args.is_null() { String::new() } else { format!(" {args}") };
    format!("- hosts: {pattern}\n  gather_facts: false\n  tasks:\n    - {module}:{args}\n")
}

/// Arguments as `-a` gives them: a mapping in JSON, or one line of `key=value` and free form.
pub fn arguments(text: &str) -> Result<Json, Error> {
    let text = text.trim();
    match text.starts_with('{') && !text.starts_with("{{") {
        true => serde_json::from_str(text).map_err(|error| format!("the arguments are not valid JSON: {error}").into()),
        false if text.is_empty() => Ok(Json::Null),
        false => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_play_of_one_task() {
        let text = |args: &str| playbook("web*:!web3", "command", &arguments(args).unwrap());
        insta::assert_snapshot!(text("echo \"a b\""), @r#"
        - hosts: "web*:!web3"
          gather_facts: false
          tasks:
            - "command": "echo \"a b\""
        "#);
        insta::assert_snapshot!(text(r#"{"cmd": "ls", "chdir": "/"}"#), @r#"
        - hosts: "web*:!web3"
          gather_facts: false
          tasks:
            - "command": {"cmd":"ls","chdir":"/"}
        "#);
        assert!(text(" ").ends_with("- \"command\":\n"));
    }

    #[test]
    fn broken_json_is_refused() {
        assert!(matches!(arguments("{\"a\": }"), Err(Error::Other(why)) if why.contains("JSON")));
        assert!(arguments("{{ x }} y").is_ok());
    }
}
