use std::path::{Path, PathBuf};

use crate::change::{Action, Change};
use crate::failure::{During, Failure, plain};
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec, read_bool};
use crate::modules::text_file::TextFile;
use crate::probe::paths;
use crate::system::{Command, Output, Subject, System};
use crate::value::Value;
use crate::{args, choices, map};

choices! {
    /// Whether the setting shall be in the file.
    pub enum State { Present = "present", Absent = "absent" }
}

args! {
    /// Sets parameters of the kernel, for the next boot and for now.
    pub struct Args {
        /// The parameter, as in `net.ipv4.ip_forward`.
        name: String, alias("key");
        /// Its value; `yes` and `no` are 1 and 0.
        value: Option<String>, alias("val");
        /// Whether the setting shall be in the file.
        state: State = State::Present;
        /// Have `sysctl -p` read the file if the file or the running kernel differs.
        reload: bool = true;
        /// Set the running kernel's value with `sysctl -w` if that differs.
        sysctl_set: bool = false;
        /// Where the kernel does not know a parameter, or refuses to set it, warn and go on. The running kernel's value
        /// then never makes the step changed.
        ignoreerrors: bool = false;
        /// The file.
        sysctl_file: PathBuf = "/etc/sysctl.conf";
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.posix", "sysctl");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let values = || map! { "name" => self.name(), "value" => self.value() };
        if !done.is_empty() {
            let mut change = Change::none(values());
            change.warnings = done.iter().filter_map(refusal).collect();
            return match change.warnings.first() {
                Some(why) if !self.ignoreerrors => Err(Failure::new(why.clone()).argument("value")),
                _ => Ok(change),
            };
        }
        let path = paths::real(system, &paths::absolute(system, &self.sysctl_file)?)?;
        let file = TextFile::read(system, &path)?;
        let write = self.settled(file.text()).and_then(|text| file.write(&text));
        let kernel_differs = self.state == State::Present && !self.runs(system)?;
        let set = self.sysctl_set && kernel_differs;
        let reload = self.reload && (write.is_some() || kernel_differs);
        let mut actions: Vec<Action> = Vec::new();
        actions.extend(set.then(|| self.run(["-w".to_owned(), format!("{}={}", self.name(), self.value())])));
        actions.extend(write);
        actions.extend(reload.then(|| self.run(["-p".to_owned(), path.to_string_lossy().into_owned()])));
        Ok(Change { again: !actions.is_empty(), ..Change::of(actions, values()) })
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.name().is_empty() {
            return Err(ArgError::new("name", "a parameter has a name"));
        }
        if self.state == State::Present && self.value().is_empty() {
            return Err(ArgError::whole("`value` is needed for `state: present`"));
        }
        Ok(())
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}

/// What `sysctl` complained about; it may do so and still exit with 0.
fn refusal(output: &Output) -> Option<String> {
    let said = output.errors();
    let complains = said.contains("Invalid argument") || said.contains("Read-only file system");
    let failed = !output.ok() || complains && !output.argv.is_empty();
    let said = output.refused.clone().unwrap_or(said);
    failed.then(|| format!("the kernel refuses a setting: {}", said.trim()))
}

impl Args {
    fn name(&self) -> &str {
        self.name.trim()
    }

    fn value(&self) -> String {
        let value = self.value.as_deref().unwrap_or_default().trim();
        match read_bool(value) {
            Some(flag) if value.parse::<f64>().is_err() => if flag { "1" } else { "0" }.to_owned(),
            _ => value.to_owned(),
        }
    }

    /// The file's text as it shall be; `None` if it is so.
    fn settled(&self, text: &str) -> Option<String> {
        let ours = |line: &str| setting(line).is_some_and(|(name, _)| name == self.name());
        let now = text.lines().rfind(|line| ours(line)).and_then(setting).map(|(_, value)| value);
        let wanted = (self.state == State::Present).then(|| self.value());
        if now == wanted.as_deref() {
            return None;
        }
        let mut line = wanted.map(|value| format!("{}={value}", self.name()));
        let mut lines = Vec::new();
        for old in text.lines() {
            match ours(old) {
                // The first one takes its value, the others go.
                true => lines.extend(line.take()),
                false => lines.push(old.to_owned()),
            }
        }
        lines.extend(line);
        Some(lines.iter().map(|line| format!("{line}\n")).collect())
    }

    /// Whether the running kernel has the value.
    fn runs(&self, system: &dyn System) -> Result<bool, Failure> {
        let now = match system.predicted(&self.subject()) {
            Some(Value::Str(settled)) => settled,
            _ => match system.read(&parameter(self.name())) {
                Ok(bytes) => String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned(),
                Err(error) if self.ignoreerrors => plain(&error),
                Err(error) => Err(error).during(|| format!("read the kernel's {}", self.name()))?,
            },
        };
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        Ok(words(&now) == words(&self.value()))
    }

    fn run(&self, words: [String; 2]) -> Action {
        let mut argv = vec!["sysctl".to_owned()];
        argv.extend(self.ignoreerrors.then(|| "-e".to_owned()));
        argv.extend(words);
        let action = Action::run(Command::new(argv), "").expect(Output::default());
        // Whether it went well is judged when the module is asked again.
        let action = Action { must_succeed: None, is_change: !self.ignoreerrors, ..action };
        match self.state {
            State::Present => action.settles(self.subject(), self.value()),
            State::Absent => action,
        }
    }

    fn subject(&self) -> Subject {
        Subject::Other("sysctl".into(), self.name().to_owned())
    }
}

/// Name and value of a line; `None` for a comment.
fn setting(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.starts_with(['#', ';']) {
        return None;
    }
    line.split_once('=').map(|(name, value)| (name.trim(), value.trim()))
}

/// Where the kernel shows a parameter. In a name whose first separator is a dot, dots are slashes and slashes dots.
fn parameter(name: &str) -> PathBuf {
    let dots_first = name.find(['.', '/']).is_none_or(|at| name[at..].starts_with('.'));
    let swap = |letter| match letter {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    let path: String = if dots_first { name.chars().map(swap).collect() } else { name.to_owned() };
    Path::new("/proc/sys").join(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_paths() {
        assert_eq!(parameter("net.ipv4.ip_forward"), Path::new("/proc/sys/net/ipv4/ip_forward"));
        assert_eq!(parameter("net.ipv4.conf.eth0/1.rp_filter"), Path::new("/proc/sys/net/ipv4/conf/eth0.1/rp_filter"));
        assert_eq!(parameter("net/ipv4/conf/eth0.1/x"), Path::new("/proc/sys/net/ipv4/conf/eth0.1/x"));
    }
}
