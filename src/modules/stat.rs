use std::path::{Path, PathBuf};

use crate::change::Change;
use crate::failure::{During, Failure};
use crate::module::{Effects, Given, Module, ModuleSpec};
use crate::probe::{expand, paths, stat};
use crate::system::{Command, Digest, FileKind, Output, Stat, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

choices! {
    /// Checksums.
    pub enum Algorithm {
        Md5 = "md5", Sha1 = "sha1", Sha224 = "sha224", Sha256 = "sha256", Sha384 = "sha384", Sha512 = "sha512",
    }
}

impl Algorithm {
    /// As the machine computes it.
    pub fn digest(self) -> Digest {
        match self {
            Algorithm::Md5 => Digest::Md5,
            Algorithm::Sha1 => Digest::Sha1,
            Algorithm::Sha224 => Digest::Sha224,
            Algorithm::Sha256 => Digest::Sha256,
            Algorithm::Sha384 => Digest::Sha384,
            Algorithm::Sha512 => Digest::Sha512,
        }
    }
}

args! {
    /// Tells what stands at a path.
    ///
    /// The result is in `stat`; `stat.exists` is always there, everything else only if something stands at the path.
    pub struct Args {
        /// The path.
        path: PathBuf, alias("dest", "name");
        /// Of a link, tell of what it points at.
        follow: bool = false;
        /// Tell the checksum of a file.
        get_checksum: bool = true;
        /// Which checksum.
        checksum_algorithm: Algorithm = Algorithm::Sha1, alias("checksum", "checksum_algo");
        /// Tell the kind of content and its encoding, where the program `file` is installed.
        get_mime: bool = true, alias("mime", "mime_type", "mime-type");
        /// Tell the flags of the file system, where the program `lsattr` is installed.
        get_attributes: bool = true, alias("attr", "attributes");
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "stat");

impl Module for Args {
    fn plan(&self, system: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        let shown = expand::path(system, &self.path)?;
        let path = system.cwd().join(&shown);
        let Some(found) = paths::stat(system, &path, self.follow)? else {
            return Ok(Change::none(map! { "stat" => map! { "exists" => false } }));
        };
        let mut values = map! { "exists" => true, "path" => shown.to_string_lossy().into_owned() };
        values.extend(self.fields(system, &path, &found)?);
        Ok(Change::none(map! { "stat" => values }))
    }

    fn effects(_: &Given) -> Effects {
        Effects::looks()
    }
}

impl Args {
    fn fields(&self, system: &dyn System, path: &Path, found: &Stat) -> Result<Map, Failure> {
        let whole = |number: u64| i64::try_from(number).map_or(Value::Null, Value::Int);
        let mut values = stat::fields(found);
        values.extend(map! {
            "blocks" => whole(found.blocks),
            "block_size" => whole(found.block_size),
            "device_type" => whole(found.rdev),
        });
        let target = paths::stat(system, path, true)?;
        let allows = |right| target.as_ref().is_some_and(|target| stat::allows(system, target, right));
        for (name, right) in [("readable", 4), ("writeable", 2), ("executable", 1)] {
            values.insert(name.to_owned(), allows(right).into());
        }
        if found.kind == FileKind::Link {
            let text = |path: PathBuf| path.to_string_lossy().into_owned();
            let target = system.read_link(path).during(|| format!("read the link {}", path.display()))?;
            values.insert("lnk_source".to_owned(), text(paths::leads_to(system, path)?).into());
            values.insert("lnk_target".to_owned(), text(target).into());
        }
        let (owner, group) = stat::owner_names(system, found)?;
        values.extend(owner.map(|name| ("pw_name".to_owned(), name.into())));
        values.extend(group.map(|name| ("gr_name".to_owned(), name.into())));
        if found.kind == FileKind::File && self.get_checksum && allows(4) {
            let sum = system.digest(path, self.checksum_algorithm.digest());
            values.insert("checksum".to_owned(), sum.during(|| format!("read {}", path.display()))?.into());
        }
        if self.get_mime {
            values.extend(mime(system, path));
        }
        if self.get_attributes {
            values.extend(flags(system, path));
        }
        Ok(values)
    }
}

/// What `file` says of the content.
fn mime(system: &dyn System, path: &Path) -> Map {
    let ask = || {
        system.which("file")?;
        let argv = ["file", "--mime-type", "--mime-encoding", &path.to_string_lossy()];
        let output = system.query(&Command::new(argv)).ok().filter(Output::ok)?.text();
        let (kind, charset) = output.rsplit_once(':')?.1.split_once(';')?;
        Some((kind.trim().to_owned(), charset.split_once('=')?.1.trim().to_owned()))
    };
    let unknown = || ("unknown".to_owned(), "unknown".to_owned());
    let (kind, charset) = ask().unwrap_or_else(unknown);
    map! { "mimetype" => kind, "charset" => charset }
}

/// What `lsattr` says of flags and version.
fn flags(system: &dyn System, path: &Path) -> Map {
    let ask = || {
        system.which("lsattr")?;
        let output = system.query(&Command::new(["lsattr", "-vd", &path.to_string_lossy()]));
        let output = output.ok().filter(Output::ok)?.text();
        let mut words = output.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.replace('-', "")))
    };
    let (version, flags) = match ask() {
        Some((version, flags)) => (Value::from(version), flags),
        None => (Value::Null, String::new()),
    };
    let names: Vec<&str> = flags.chars().filter_map(name_of_flag).collect();
    map! { "version" => version, "attributes" => names, "attr_flags" => flags }
}

/// The name of a flag, as Ansible calls it.
fn name_of_flag(flag: char) -> Option<&'static str> {
    Some(match flag {
        'A' => "noatime",
        'a' => "append",
        'c' => "compressed",
        'C' => "nocow",
        'd' => "nodump",
        'D' => "dirsync",
        'e' => "extents",
        'E' => "encrypted",
        'h' => "blocksize",
        'i' => "immutable",
        'I' => "indexed",
        'j' => "journalled",
        'N' => "inline",
        's' => "zero",
        'S' => "synchronous",
        't' => "notail",
        'T' => "blockroot",
        'u' => "undelete",
        'X' => "compressedraw",
        'Z' => "compresseddirty",
        _ => return None,
    })
}
