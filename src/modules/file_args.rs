//! The arguments that all modules have which place files: owner, group, permissions, SELinux context, `chattr` flags.

use std::path::Path;

use crate::change::{Act, Action, Attributes};
use crate::failure::{During, Failure};
use crate::probe::attributes::{self, Wanted};
use crate::system::{Command, FileKind, Output, Stat, System};

/// Declares an argument struct as [`args!`](crate::args) does, with the common arguments behind its own.
#[macro_export]
macro_rules! file_args {
    ( $(#[doc = $doc:expr])* pub struct $name:ident { $($fields:tt)* } ) => {
        $crate::args! {
            $(#[doc = $doc])*
            pub struct $name {
                $($fields)*
                /// Who owns it: a login name or a number.
                owner: Option<String>;
                /// The group that it belongs to: a name or a number.
                group: Option<String>;
                /// Permissions: `"0644"`, or symbolic such as `u=rwX,go-w`. Quote numbers, or give them a leading zero.
                mode: Option<$crate::module::Mode>;
                /// Flags as `chattr` takes them: `+i`, `-a`, `=e`.
                attributes: Option<String>, alias("attr");
                /// The user part of the SELinux context; `_default` for the policy's. Without SELinux it has no effect.
                seuser: Option<String>;
                /// The role part of the SELinux context; `_default` for the policy's.
                serole: Option<String>;
                /// The type part of the SELinux context; `_default` for the policy's.
                setype: Option<String>;
                /// The level part of the SELinux context; `_default` for the policy's.
                selevel: Option<String>;
                /// Where a file cannot be replaced as a whole (a bind mount), write it in place.
                unsafe_writes: bool = false;
            }
        }

        impl $name {
            fn common(&self) -> $crate::modules::file_args::Common<'_> {
                $crate::modules::file_args::Common {
                    owner: self.owner.as_deref(),
                    group: self.group.as_deref(),
                    mode: self.mode.as_ref(),
                    flags: self.attributes.as_deref(),
                    context: [
                        self.seuser.as_deref(),
                        self.serole.as_deref(),
                        self.setype.as_deref(),
                        self.selevel.as_deref(),
                    ],
                }
            }
        }
    };
}

/// The values of the common arguments.
#[derive(Clone, Copy, Debug, Default)]
pub struct Common<'a> {
    /// A login name or a number.
    pub owner: Option<&'a str>,
    /// A group's name or number.
    pub group: Option<&'a str>,
    /// Permissions.
    pub mode: Option<&'a crate::module::Mode>,
    /// `chattr`'s flags.
    pub flags: Option<&'a str>,
    /// User, role, type and level of the SELinux context.
    pub context: [Option<&'a str>; 4],
}

impl<'a> Common<'a> {
    /// The same with other permissions.
    pub fn with_mode(self, mode: Option<&'a crate::module::Mode>) -> Self {
        Common { mode, ..self }
    }

    /// Owner, group and permissions as numbers. `old` is what stands there now.
    pub fn attributes(&self, system: &dyn System, old: Option<&Stat>, is_dir: bool) -> Result<Attributes, Failure> {
        let wanted = Wanted { owner: self.owner, group: self.group, mode: self.mode };
        attributes::resolve(system, wanted, old, is_dir)
    }

    /// The actions that give what stands at `path` what it lacks. A link is not followed: give the real path.
    pub fn settle(&self, system: &dyn System, path: &Path, stat: &Stat) -> Result<Vec<Action>, Failure> {
        let wanted = self.attributes(system, Some(stat), stat.kind == FileKind::Dir)?;
        let mut actions: Vec<Action> = attributes::settle(path, &wanted, stat).into_iter().collect();
        actions.extend(self.label(system, path, true)?);
        Ok(actions)
    }

    /// The actions for the SELinux context and the `chattr` flags. Something that is not there yet lacks all of them.
    pub fn label(&self, system: &dyn System, path: &Path, exists: bool) -> Result<Vec<Action>, Failure> {
        let context = self.context_action(system, path, exists)?;
        Ok(context.into_iter().chain(self.flags_action(system, path, exists)?).collect())
    }

    fn context_action(&self, system: &dyn System, path: &Path, exists: bool) -> Result<Option<Action>, Failure> {
        if self.context.iter().all(Option::is_none) || !has_selinux(system) {
            return Ok(None);
        }
        let now = match exists {
            true => {
                system.xattr(path, "security.selinux").during(|| format!("read the context of {}", path.display()))?
            }
            false => None,
        };
        let now = now.map(|bytes| String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned());
        let policy = match self.context.contains(&Some("_default")) {
            true => default_context(system, path)?,
            false => String::new(),
        };
        let wanted = |part: usize| match self.context[part] {
            Some("_default") => Some(policy.splitn(4, ':').nth(part).unwrap_or_default()),
            part => part,
        };
        let has = |part: usize| now.as_deref().and_then(|now| now.splitn(4, ':').nth(part));
        let lacking =
            (0..4).filter_map(|part| Some((part, wanted(part)?))).filter(|(part, text)| has(*part) != Some(text));
        let mut argv = vec!["chcon".to_owned(), "-h".to_owned()];
        for (part, text) in lacking {
            argv.extend([["-u", "-r", "-t", "-l"][part].to_owned(), text.to_owned()]);
        }
        if argv.len() == 2 {
            return Ok(None);
        }
        argv.push(path.display().to_string());
        let failure = format!("cannot set the SELinux context of {}", path.display());
        Ok(Some(Action::run(Command::new(argv), failure).expect(Output::default())))
    }

    fn flags_action(&self, system: &dyn System, path: &Path, exists: bool) -> Result<Option<Action>, Failure> {
        let Some(wanted) = self.flags else { return Ok(None) };
        let (sign, flags) = match wanted.strip_prefix(['+', '-', '=']) {
            Some(flags) => (&wanted[..1], flags),
            None => ("=", wanted),
        };
        let now = if exists { flags_of(system, path)? } else { String::new() };
        let settled = match sign {
            "+" => flags.chars().all(|flag| now.contains(flag)),
            "-" => !flags.chars().any(|flag| now.contains(flag)),
            _ => now.len() == flags.len() && flags.chars().all(|flag| now.contains(flag)),
        };
        let argv = ["chattr".to_owned(), format!("{sign}{flags}"), path.display().to_string()];
        let failure = format!("cannot set the attributes of {}", path.display());
        Ok((!settled || !exists).then(|| Action::run(Command::new(argv), failure).expect(Output::default())))
    }
}

/// Whether the kernel enforces or watches SELinux contexts.
pub fn has_selinux(system: &dyn System) -> bool {
    matches!(system.stat(Path::new("/sys/fs/selinux/enforce"), true), Ok(Some(_)))
}

/// What the policy says of a path.
fn default_context(system: &dyn System, path: &Path) -> Result<String, Failure> {
    let ask = Command::new(["matchpathcon", "-n", &path.to_string_lossy()]);
    let output = system.query(&ask).during(|| "ask the SELinux policy (matchpathcon)")?;
    Ok(output.text().trim().to_owned())
}

/// The flags that `lsattr` shows; nothing where the file system has none.
pub fn flags_of(system: &dyn System, path: &Path) -> Result<String, Failure> {
    if system.which("lsattr").is_none() {
        return Ok(String::new());
    }
    let output = system.query(&Command::new(["lsattr", "-d", &path.to_string_lossy()])).during(|| "run lsattr")?;
    let text = output.text();
    Ok(text.split_whitespace().next().unwrap_or_default().replace('-', ""))
}

/// Makes directories, outermost first, with the given attributes.
pub fn make_dirs(system: &dyn System, dirs: &[std::path::PathBuf], common: &Common) -> Result<Vec<Action>, Failure> {
    let mut actions = Vec::new();
    for dir in dirs {
        let attributes = common.attributes(system, None, true)?;
        actions.push(Action::change(Act::MakeDir { path: dir.clone(), attributes }));
        actions.extend(common.label(system, dir, false)?);
    }
    Ok(actions)
}
