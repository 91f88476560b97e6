mod filter;
mod options;
mod rsync;
mod tree;

use std::path::PathBuf;

pub use self::filter::Filter;
pub use self::options::Options;
use crate::change::Change;
use crate::failure::Failure;
use crate::module::{Arg, ArgError, Module, ModuleSpec, Source};
use crate::system::{Output, System};
use crate::value::{Map, Value};
use crate::{args, choices};

choices! {
    /// The direction.
    pub enum Direction {
        /// To the host.
        Push = "push"
    }
}

args! {
    /// Makes a directory of the host like one of the controller, or like another one of the host.
    ///
    /// `src` is the controller's. Nothing has to be installed for that: what the host has already does not travel, and
    /// files are compared by their content. With `delegate_to: "{{ inventory_hostname }}"` `src` is the host's, and `rsync`,
    /// which has to be there, does the work. A directory or a file of another kind is not replaced unless `delete` is given.
    /// To bring files to the controller use `fetch`. Files called `.rsync-filter` are not read on the controller.
    pub struct Args {
        /// A directory or file. If it is a directory that ends in a slash, its content is meant, else the directory itself.
        src: Source;
        /// Where it goes. The directory above it must be there.
        dest: PathBuf;
        /// All of `recursive`, `links`, `perms`, `times`, `owner` and `group`, each unless it says no itself.
        archive: bool = true;
        /// With everything below. By default what `archive` says.
        recursive: Option<bool>;
        /// Copy links as links; else they are left out. By default what `archive` says.
        links: Option<bool>;
        /// Copy what links point at.
        copy_links: bool = false;
        /// Give permissions. By default what `archive` says.
        perms: Option<bool>;
        /// Give the time of the last change. By default what `archive` says.
        times: Option<bool>;
        /// Give the owner, by name where the host knows the name; only root can. By default what `archive` says.
        owner: Option<bool>;
        /// Give the group, by name where the host knows the name; only root can. By default what `archive` says.
        group: Option<bool>;
        /// Compare contents and not sizes and times, where `src` is the host's. What is the controller's is always
        /// compared so.
        checksum: bool = false;
        /// Remove what `src` does not have. What the options exclude stays.
        delete: bool = false;
        /// Without `recursive`: directories, but not what is in them.
        dirs: bool = false;
        /// Only what the host has already.
        existing_only: bool = false;
        /// The direction.
        mode: Direction = Direction::Push, elsewhere("there is one choice");
        /// Options of `rsync`. Where `src` is the controller's these are understood: `--exclude=`, `--include=`,
        /// `--delete-excluded`, `--chmod=`, `--chown=`, `--ignore-existing`, `--existing`, `--delete`, `--mkpath`,
        /// `--omit-dir-times` and `--no-` with `perms`, `times`, `owner`, `group`, `links` or `recursive`.
        rsync_opts: Vec<String>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.posix", "synchronize");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        match &self.src {
            Source::Remote(src) => rsync::plan(self, system, src, done),
            Source::Tree { name, entries } => tree::plan(self, &self.options()?, system, name, entries),
            Source::File { .. } => Err(Failure::new("a file comes as a tree of one").argument("src")),
        }
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.delete && self.recursive == Some(false) {
            return Err(ArgError::new("delete", "`delete` needs `recursive`"));
        }
        match self.src {
            Source::Remote(_) => Ok(()),
            _ => self.options().map(|_| ()),
        }
    }
}

impl Args {
    fn is(&self, flag: Option<bool>) -> bool {
        flag.unwrap_or(self.archive)
    }

    /// What the arguments and the options of `rsync` come to.
    fn options(&self) -> Result<Options, ArgError> {
        let options = Options {
            recursive: self.is(self.recursive),
            links: self.is(self.links),
            perms: self.is(self.perms),
            times: self.is(self.times),
            dir_times: self.is(self.times),
            owner: self.is(self.owner),
            group: self.is(self.group),
            delete: self.delete,
            dirs: self.dirs,
            existing_only: self.existing_only,
            ..Options::default()
        };
        options.with(&self.rsync_opts)
    }
}

/// What decides about the files of the controller before they are read: whether links are followed, and what is left out.
pub fn reading(args: &Map) -> Result<(bool, Filter), Failure> {
    let flag = args.get("copy_links").map(bool::read).transpose();
    let words = args.get("rsync_opts").map(<Vec<String>>::read).transpose();
    let follow = flag.map_err(|why| ArgError::new("copy_links", why))?.unwrap_or(false);
    let words = words.map_err(|why| ArgError::new("rsync_opts", why))?.unwrap_or_default();
    Ok((follow, Options::default().with(&words)?.filter))
}

/// A name as a returned value.
fn lines(lines: &[String]) -> Map {
    crate::map! { "msg" => lines.concat(), "rc" => 0, "stdout_lines" => Value::List(lines.iter().map(|line| line.trim_end().into()).collect()) }
}
