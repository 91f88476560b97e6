mod section;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::change::{Act, Action, Change, WriteFile};
use crate::failure::{During, Failure};
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::probe::paths;
use crate::system::{Content, Output, System};
use crate::{choices, file_args, map};

choices! {
    /// What may be wanted of a repository.
    pub enum State {
        /// dnf uses it.
        Present = "present",
        /// It is named nowhere.
        Absent = "absent",
    }
}

choices! {
    /// How mirrors take turns.
    pub enum Failover {
        /// In turn.
        RoundRobin = "roundrobin",
        /// In order.
        Priority = "priority",
    }
}

file_args! {
    /// Adds repositories to dnf's and yum's, and removes them: a section of `/etc/yum.repos.d/FILE.repo`.
    ///
    /// Other sections of the file stay as they are.
    pub struct Args {
        /// The repository's id: the name of its section.
        name: String;
        /// Its name for people.
        description: Option<String>;
        /// What is wanted.
        state: State = State::Present;
        /// The file, without `.repo`; the id when left out.
        file: Option<String>;
        /// The folder of the file.
        reposdir: PathBuf = "/etc/yum.repos.d";
        /// Addresses of the repository.
        baseurl: Option<Vec<String>>;
        /// The address of a list of addresses.
        mirrorlist: Option<String>;
        /// The address of a metalink.
        metalink: Option<String>;
        /// Whether dnf uses it.
        enabled: Option<bool>;
        /// Check signatures of packages.
        gpgcheck: Option<bool>;
        /// Addresses of keys.
        gpgkey: Option<Vec<String>>;
        /// Check the signature of the repository.
        repo_gpgcheck: Option<bool>;
        /// Packages to leave out.
        exclude: Option<Vec<String>>, alias("excludepkgs");
        /// Packages to use, and no others.
        includepkgs: Option<Vec<String>>;
        /// Another file to read.
        include: Option<String>;
        /// Bytes per second, for `throttle`.
        bandwidth: Option<String>;
        /// How much of `bandwidth` is used.
        throttle: Option<String>;
        /// How dear it is; cheaper ones come first.
        cost: Option<String>;
        /// Take part in counting installations.
        countme: Option<bool>;
        /// From which size on deltas are not worth it.
        deltarpm_percentage: Option<String>;
        /// Use its groups of packages.
        enablegroups: Option<bool>;
        /// How mirrors take turns.
        failovermethod: Option<Failover>;
        /// The version of the Internet protocol.
        ip_resolve: Option<String>;
        /// How long lists are new enough.
        metadata_expire: Option<String>;
        /// Its packages may replace those of modules.
        module_hotfixes: Option<bool>;
        /// The password for it.
        password: Option<String>;
        /// The name for it.
        username: Option<String>;
        /// Which comes first where several hold a package; 1 is the first.
        priority: Option<String>;
        /// A proxy, or `_none_`.
        proxy: Option<String>;
        /// The password for the proxy.
        proxy_password: Option<String>;
        /// The name for the proxy.
        proxy_username: Option<String>;
        /// How often something is tried.
        retries: Option<String>;
        /// It lies in Amazon's S3.
        s3_enabled: Option<bool>;
        /// Go on where it cannot be reached.
        skip_if_unavailable: Option<bool>;
        /// Check its certificate.
        sslverify: Option<bool>, alias("validate_certs");
        /// Authorities to trust.
        sslcacert: Option<String>, alias("ca_cert");
        /// Our own certificate.
        sslclientcert: Option<String>, alias("client_cert");
        /// The key that belongs to it.
        sslclientkey: Option<String>, alias("client_key");
        /// Seconds without an answer.
        timeout: Option<String>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "yum_repository");

impl Module for Args {
    fn plan(&self, system: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        let values = map! { "repo" => self.name.as_str(), "state" => self.state.as_str() };
        if !paths::is_dir(system, &self.reposdir)? {
            let message = format!("{} is no directory", self.reposdir.display());
            return Err(Failure::new(message).argument("reposdir"));
        }
        let path = self.reposdir.join(format!("{}.repo", self.file.as_deref().unwrap_or(&self.name)));
        let bytes = system.read(&path).during(|| format!("read {}", path.display()))?;
        let old = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
        let new = match self.state {
            State::Absent => section::without(&old, &self.name),
            State::Present => section::with(&old, &self.name, &self.settings()),
        };
        let stat = paths::stat(system, &path, false)?;
        let actions = match (stat, new == old) {
            (None, true) => Vec::new(),
            (Some(stat), true) => self.common().settle(system, &path, &stat)?,
            (_, false) if new.trim().is_empty() => vec![Action::change(Act::Remove { path })],
            (_, false) => self.write(system, &path, new)?,
        };
        Ok(Change::of(actions, values))
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.state == State::Absent {
            return Ok(());
        }
        if self.baseurl.is_none() && self.mirrorlist.is_none() && self.metalink.is_none() {
            return Err(ArgError::whole("one of `baseurl`, `mirrorlist` and `metalink` is required"));
        }
        if self.description.is_none() {
            return Err(ArgError::new("description", "`description` is required"));
        }
        Ok(())
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}

impl Args {
    fn settings(&self) -> BTreeMap<String, String> {
        let flag = |value: Option<bool>| value.map(|value| if value { "1" } else { "0" }.to_owned());
        let joined = |value: &Option<Vec<String>>, by: &str| value.as_ref().map(|value| value.join(by));
        let all = [
            ("bandwidth", self.bandwidth.clone()),
            ("baseurl", joined(&self.baseurl, "\n")),
            ("cost", self.cost.clone()),
            ("countme", flag(self.countme)),
            ("deltarpm_percentage", self.deltarpm_percentage.clone()),
            ("enabled", flag(self.enabled)),
            ("enablegroups", flag(self.enablegroups)),
            ("exclude", joined(&self.exclude, " ")),
            ("failovermethod", self.failovermethod.map(|method| method.as_str().to_owned())),
            ("gpgcheck", flag(self.gpgcheck)),
            ("gpgkey", joined(&self.gpgkey, "\n")),
            ("include", self.include.clone()),
            ("includepkgs", joined(&self.includepkgs, " ")),
            ("ip_resolve", self.ip_resolve.clone()),
            ("metadata_expire", self.metadata_expire.clone()),
            ("metalink", self.metalink.clone()),
            ("mirrorlist", self.mirrorlist.clone()),
            ("module_hotfixes", flag(self.module_hotfixes)),
            ("name", self.description.clone()),
            ("password", self.password.clone()),
            ("priority", self.priority.clone()),
            ("proxy", self.proxy.clone()),
            ("proxy_password", self.proxy_password.clone()),
            ("proxy_username", self.proxy_username.clone()),
            ("repo_gpgcheck", flag(self.repo_gpgcheck)),
            ("retries", self.retries.clone()),
            ("s3_enabled", flag(self.s3_enabled)),
            ("skip_if_unavailable", flag(self.skip_if_unavailable)),
            ("sslcacert", self.sslcacert.clone()),
            ("sslclientcert", self.sslclientcert.clone()),
            ("sslclientkey", self.sslclientkey.clone()),
            ("sslverify", flag(self.sslverify)),
            ("throttle", self.throttle.clone()),
            ("timeout", self.timeout.clone()),
            ("username", self.username.clone()),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    fn write(&self, system: &dyn System, path: &Path, text: String) -> Result<Vec<Action>, Failure> {
        let old = paths::stat(system, path, false)?;
        let write = WriteFile {
            path: path.to_owned(),
            content: Content::Bytes(text.into_bytes()),
            attributes: self.common().attributes(system, old.as_ref(), false)?,
            backup: None,
            validate: None,
            unsafe_writes: self.unsafe_writes,
            diff: self.password.is_none() && self.proxy_password.is_none(),
        };
        let mut actions = vec![Action::change(Act::WriteFile(Box::new(write)))];
        actions.extend(self.common().label(system, path, old.is_some())?);
        Ok(actions)
    }
}
