//! Options that several commands share, under ansible-playbook's names.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use super::Error;
use super::passwords::{asked, from_file};
use super::unlock::Vault;
use crate::protocol::Mode;
use crate::{report, runner, steps};

/// How hosts are reached.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// Connect as this user
    #[arg(short = 'u', long = "user", value_name = "USER")]
    pub remote_user: Option<String>,
    /// Use this private key to connect
    #[arg(long, visible_alias = "key-file", value_name = "FILE")]
    pub private_key: Option<PathBuf>,
    /// Connection type for hosts whose inventory does not set one
    #[arg(short = 'c', long, value_name = "KIND", value_parser = ["ssh", "local"])]
    pub connection: Option<String>,
    /// Connection timeout in seconds
    #[arg(short = 'T', long, value_name = "SECONDS", default_value_t = 10)]
    pub timeout: u64,
    /// Seconds to wait for another run that holds a host, 0 to give up at once; 60 if left out. The machine that this
    /// runs on is held only if this is given
    #[arg(long, value_name = "SECONDS")]
    pub lock_timeout: Option<u64>,
    /// Ask for the connection password
    #[arg(short = 'k', long)]
    pub ask_pass: bool,
    /// Read the connection password from this file (`-` for standard input; an executable file is run)
    #[arg(long, visible_alias = "conn-pass-file", value_name = "FILE", conflicts_with = "ask_pass")]
    pub connection_password_file: Option<PathBuf>,
    /// Folder with agents for other machine architectures
    #[arg(long, value_name = "FOLDER")]
    pub agents: Option<PathBuf>,
}

/// Whom steps become on a host.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Privilege escalation")]
pub struct Become {
    /// Run tasks as another user unless they say otherwise
    #[arg(short = 'b', long = "become")]
    pub become_: bool,
    /// User to become [default: root]
    #[arg(long, value_name = "USER")]
    pub become_user: Option<String>,
    /// Method to become another user [default: sudo]
    #[arg(long, value_name = "METHOD", value_parser = ["sudo", "su", "doas"])]
    pub become_method: Option<String>,
    /// Ask for the privilege escalation password
    #[arg(short = 'K', long)]
    pub ask_become_pass: bool,
    /// Read the privilege escalation password from this file (`-` for standard input; an executable file is run)
    #[arg(long, visible_alias = "become-pass-file", value_name = "FILE", conflicts_with = "ask_become_pass")]
    pub become_password_file: Option<PathBuf>,
}

/// What to do where nobody can be asked.
const OTHERWISE: &str = "use --become-password-file or --connection-password-file";

impl Connection {
    /// The password of the login, where the options say how it is to be had.
    fn password(&self) -> Result<Option<String>, Error> {
        match &self.connection_password_file {
            Some(path) => from_file(path).map(Some),
            None if self.ask_pass => asked("SSH password: ", OTHERWISE).map(Some),
            None => Ok(None),
        }
    }
}

impl Become {
    /// The password for becoming another user. An empty answer means that of the login, as in Ansible.
    fn password(&self, login: Option<&str>) -> Result<Option<String>, Error> {
        match (&self.become_password_file, login) {
            (Some(path), _) => from_file(path).map(Some),
            (None, _) if !self.ask_become_pass => Ok(None),
            (None, None) => asked("BECOME password: ", OTHERWISE).map(Some),
            (None, Some(login)) => {
                let typed = asked("BECOME password [the SSH password]: ", OTHERWISE)?;
                Ok(Some(if typed.is_empty() { login.to_owned() } else { typed }))
            }
        }
    }
}

/// Playbooks on an inventory.
#[derive(Args, Clone, Debug)]
pub struct Playbooks {
    /// Inventory file or folder
    pub inventory: PathBuf,
    /// Playbooks [default: playbooks/site.yml of the inventory's project]
    #[arg(value_name = "PLAYBOOK")]
    pub playbooks: Vec<PathBuf>,
}

/// What is run of the playbooks.
#[derive(Args, Clone, Debug, Default)]
pub struct Selection {
    /// Run only plays and tasks with these tags
    #[arg(short = 't', long, value_name = "TAGS", value_delimiter = ',')]
    pub tags: Vec<String>,
    /// Skip plays and tasks with these tags
    #[arg(long, value_name = "TAGS", value_delimiter = ',')]
    pub skip_tags: Vec<String>,
    /// Start at the task with this name
    #[arg(long, value_name = "NAME")]
    pub start_at_task: Option<String>,
    /// Run notified handlers even on hosts that failed
    #[arg(long)]
    pub force_handlers: bool,
}

/// Variables that win over all others.
#[derive(Args, Clone, Debug, Default)]
pub struct Variables {
    /// Set variables as `name=value …`, YAML or JSON, or read them from `@FILE`
    #[arg(short = 'e', long, value_name = "VARIABLES")]
    pub extra_vars: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub vault: Vault,
}

/// What is shown.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
pub struct Reporting {
    /// Show more: return values and live output (-v), task locations (-vv), connections (-vvv)
    #[arg(short = 'v', long = "verbose", action = ArgAction::Count)]
    pub verbosity: u8,
    /// Show only what changed or failed
    #[arg(short = 'q', long, conflicts_with = "verbosity")]
    pub quiet: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: Output,
    /// Show where the time went at the end
    #[arg(long)]
    pub profile: bool,
}

/// Who reads the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Text for people
    #[default]
    Human,
    /// One JSON event per line; the last one is the recap
    Json,
}

impl Reporting {
    /// As the reporters take it.
    pub fn options(&self, diff: bool) -> report::Options {
        let output = match self.output {
            Output::Human => report::Output::Human,
            Output::Json => report::Output::Json,
        };
        report::Options {
            output,
            verbosity: self.verbosity,
            quiet: self.quiet,
            diff,
            profile: self.profile,
            question: None,
        }
    }
}

/// Everything that a command needs which works on hosts.
#[derive(Args, Clone, Debug)]
pub struct Work {
    /// Limit the run to hosts that match this pattern
    #[arg(short = 'l', long, value_name = "PATTERN")]
    pub limit: Option<String>,
    /// Maximum number of hosts that are changed at the same time
    #[arg(short = 'f', long, value_name = "NUMBER", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub forks: u16,
    /// Show differences in files that change
    #[arg(short = 'D', long)]
    pub diff: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub variables: Variables,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub become_: Become,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub connection: Connection,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub reporting: Reporting,
}

impl Work {
    /// As the runner takes it. Asks for passwords, so call it when nothing else can be wrong.
    pub fn runner(&self, mode: Mode, selection: &Selection) -> Result<runner::Options, Error> {
        let login = self.connection.password()?;
        let steps::Options { tags, skip_tags, .. } = selection.steps();
        Ok(runner::Options {
            mode,
            diff: self.diff || mode == Mode::Plan,
            forks: self.forks.into(),
            verbosity: self.reporting.verbosity,
            become_: self.become_.become_,
            become_user: self.become_.become_user.clone(),
            become_method: self.become_.become_method.clone(),
            become_password: self.become_.password(login.as_deref())?,
            ssh_password: login,
            remote_user: self.connection.remote_user.clone(),
            private_key: self.connection.private_key.clone(),
            connection: self.connection.connection.clone(),
            timeout: self.connection.timeout,
            tags,
            skip_tags,
        })
    }

    /// As the reporters take it.
    pub fn report(&self) -> report::Options {
        self.reporting.options(self.diff)
    }
}

impl Selection {
    /// As the steps take it.
    pub fn steps(&self) -> steps::Options {
        let tags = if self.tags.is_empty() { vec!["all".to_owned()] } else { self.tags.clone() };
        steps::Options {
            tags,
            skip_tags: self.skip_tags.clone(),
            start_at_task: self.start_at_task.clone(),
            force_handlers: self.force_handlers,
            early: Vec::new(),
        }
    }
}
