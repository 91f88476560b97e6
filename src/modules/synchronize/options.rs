//! Options of rsync that are understood where wodctl itself brings the files.

use super::Filter;
use crate::module::ArgError;
use crate::probe::attributes;
use crate::words;

/// What is done with a tree.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // Each is the argument, or the option of rsync, of that name.
pub struct Options {
    pub recursive: bool,
    pub links: bool,
    pub perms: bool,
    pub times: bool,
    pub dir_times: bool,
    pub owner: bool,
    pub group: bool,
    pub delete: bool,
    pub delete_excluded: bool,
    pub dirs: bool,
    pub existing_only: bool,
    pub ignore_existing: bool,
    pub mkpath: bool,
    pub chmod: Vec<String>,
    /// A user and a group for everything, by name or number.
    pub chown: (Option<String>, Option<String>),
    /// What is left out.
    pub filter: Filter,
}

impl Options {
    /// These, with what the words say. As under Ansible one text may hold several words.
    pub fn with(mut self, texts: &[String]) -> Result<Self, ArgError> {
        for text in texts {
            for word in words::split(text).map_err(wrong)? {
                self.take(&word)?;
            }
        }
        Ok(self)
    }

    fn take(&mut self, word: &str) -> Result<(), ArgError> {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        match (name, value) {
            ("--exclude", Some(pattern)) => self.filter.push(true, pattern).map_err(wrong)?,
            ("--include", Some(pattern)) => self.filter.push(false, pattern).map_err(wrong)?,
            ("--chmod", Some(modes)) => {
                self.chmod.extend(modes.split(',').map(str::to_owned));
                mode(&self.chmod, 0, false).map_err(wrong)?;
            }
            ("--chown", Some(names)) => {
                let (user, group) = names.split_once(':').map_or((names, ""), |(user, group)| (user, group));
                let some = |name: &str| (!name.is_empty()).then(|| name.to_owned());
                self.chown = (some(user), some(group));
            }
            ("--delete", None) => self.delete = true,
            ("--delete-excluded", None) => (self.delete, self.delete_excluded) = (true, true),
            ("--existing", None) => self.existing_only = true,
            ("--ignore-existing", None) => self.ignore_existing = true,
            ("--mkpath", None) => self.mkpath = true,
            ("--omit-dir-times" | "-O", None) => self.dir_times = false,
            ("--no-recursive" | "--no-r", None) => self.recursive = false,
            ("--no-links" | "--no-l", None) => self.links = false,
            ("--no-perms" | "--no-p", None) => self.perms = false,
            ("--no-times" | "--no-t", None) => (self.times, self.dir_times) = (false, false),
            ("--no-owner" | "--no-o", None) => self.owner = false,
            ("--no-group" | "--no-g", None) => self.group = false,
            _ => {
                return Err(wrong(format!(
                    "the option `{word}` is not supported for files of the controller; `wodctl doc synchronize` lists those that are"
                )));
            }
        }
        Ok(())
    }
}

fn wrong(why: String) -> ArgError {
    ArgError::new("rsync_opts", why)
}

/// Permissions after `--chmod`: clauses as chmod has them, those with a `D` for directories, with an `F` for the rest.
pub fn mode(clauses: &[String], bits: u32, is_dir: bool) -> Result<u32, String> {
    let mut bits = bits;
    for clause in clauses {
        let (wanted, clause) = match (clause.strip_prefix('D'), clause.strip_prefix('F')) {
            (Some(rest), _) => (is_dir, rest),
            (_, Some(rest)) => (!is_dir, rest),
            _ => (true, clause.as_str()),
        };
        let new = match u32::from_str_radix(clause, 8) {
            Ok(octal) if octal <= 0o7777 => octal,
            _ => attributes::symbolic(clause, bits, is_dir, 0)?,
        };
        if wanted {
            bits = new;
        }
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chmod_speaks_of_directories_and_files() {
        let mode =
            |text: &str, bits, is_dir| mode(&text.split(',').map(str::to_owned).collect::<Vec<_>>(), bits, is_dir);
        assert_eq!(mode("D0755,F0644", 0o700, true), Ok(0o755));
        assert_eq!(mode("D0755,F0644", 0o700, false), Ok(0o644));
        assert_eq!(mode("Du+rwx,go-w", 0o022, false), Ok(0));
        assert_eq!(mode("u=rwX,go=rX", 0o600, true), Ok(0o755));
        assert!(mode("u*x", 0o600, true).is_err());
    }

    #[test]
    fn words_of_one_text_and_those_that_are_not_known() {
        let options =
            Options::default().with(&["--exclude=*.py --exclude='a b'".to_owned(), "--no-p".to_owned()]).unwrap();
        assert!(options.filter.leaves_out("x/a.py", false) && options.filter.leaves_out("a b", true));
        let why = Options::default().with(&["--bwlimit=5".to_owned()]).unwrap_err().message;
        assert!(why.starts_with("the option `--bwlimit=5` is not supported"), "{why}");
    }
}
