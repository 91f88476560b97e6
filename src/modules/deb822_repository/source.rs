//! The text of a `.sources` file.

use super::Args;

/// The fields in the order of the arguments' names.
pub fn text(args: &Args, signed_by: Option<&str>) -> String {
    let flag = |value: Option<bool>| value.map(|value| if value { "yes" } else { "no" }.to_owned());
    let list = |value: &Option<Vec<String>>| value.as_ref().map(|value| value.join(" "));
    let types = args.types.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" ");
    let fields = [
        ("Allow-Downgrade-To-Insecure", flag(args.allow_downgrade_to_insecure)),
        ("Allow-Insecure", flag(args.allow_insecure)),
        ("Allow-Weak", flag(args.allow_weak)),
        ("Architectures", list(&args.architectures)),
        ("By-Hash", flag(args.by_hash)),
        ("Check-Date", flag(args.check_date)),
        ("Check-Valid-Until", flag(args.check_valid_until)),
        ("Components", list(&args.components)),
        ("Date-Max-Future", args.date_max_future.map(|seconds| seconds.to_string())),
        ("Enabled", flag(args.enabled)),
        ("Inrelease-Path", args.inrelease_path.clone()),
        ("Languages", list(&args.languages)),
        ("X-Repolib-Name", Some(args.name.clone())),
        ("Pdiffs", flag(args.pdiffs)),
        ("Signed-By", signed_by.map(str::to_owned)),
        ("Suites", list(&args.suites)),
        ("Targets", list(&args.targets)),
        ("Trusted", flag(args.trusted)),
        ("Types", Some(types)),
        ("URIs", list(&args.uris)),
    ];
    fields.into_iter().filter_map(|(name, value)| Some(field(name, &value?))).collect()
}

/// A field; a value of several lines goes on in lines that begin with blanks, where `.` stands for an empty one.
fn field(name: &str, value: &str) -> String {
    if !value.contains('\n') {
        return if value.is_empty() { format!("{name}:\n") } else { format!("{name}: {value}\n") };
    }
    let lines = value.trim().lines().map(|line| match line.trim() {
        "" => "    .\n".to_owned(),
        line => format!("    {line}\n"),
    });
    format!("{name}:\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_several_lines() {
        assert_eq!(field("Signed-By", "a\n\n b\n"), "Signed-By:\n    a\n    .\n    b\n");
        assert_eq!((field("A", "x").as_str(), field("A", "").as_str()), ("A: x\n", "A:\n"));
    }
}
