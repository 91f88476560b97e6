//! The walk by hand: one directory after the other, each held open.

use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, openat, readlinkat};
use rustix::io::Errno;

use super::shared::{Layer, is_root, is_shared, layer, stays};

/// As many links are followed; the kernel's own limit.
const MAX_LINKS: u32 = 40;

/// Where the walk has come to.
pub struct Spot {
    /// Held, not opened.
    pub fd: OwnedFd,
    stat: Stat,
    /// How it was reached, for messages.
    path: PathBuf,
    /// Somebody else may change what is here, or could on the way here.
    shared: bool,
}

impl Spot {
    fn root() -> io::Result<Spot> {
        Spot::at(rustix::fs::open("/", HELD, Mode::empty())?, "/".into())
    }

    fn at(fd: OwnedFd, path: PathBuf) -> io::Result<Spot> {
        let stat = fstat(&fd)?;
        let shared = is_dir(&stat) && is_shared(&stat);
        Ok(Spot { fd, stat, path, shared })
    }

    fn step(&self, name: &std::ffi::OsStr) -> io::Result<Spot> {
        let mut next = Spot::at(openat(&self.fd, name, HELD, Mode::empty())?, self.path.join(name))?;
        next.shared |= self.shared && !stays(&self.stat, &next.stat);
        Ok(next)
    }

    /// Whether it is of this type.
    pub fn is(&self, wanted: FileType) -> bool {
        FileType::from_raw_mode(self.stat.st_mode) == wanted
    }
}

const HELD: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn is_dir(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// One walk.
pub struct Walk {
    links: u32,
    /// What a link says is being walked: where that ends is judged as a whole.
    in_link: bool,
}

impl Walk {
    /// No link was followed yet.
    pub fn new() -> Walk {
        Walk { links: 0, in_link: false }
    }

    /// What a path leads to; with `follow` also where a link at its end leads.
    pub fn to(&mut self, path: &Path, follow: bool) -> io::Result<Spot> {
        let start = match path.is_absolute() {
            true => Spot::root()?,
            false => self.to(&std::path::absolute(".")?, true)?,
        };
        self.go(start, path, follow)
    }

    /// Whether the link at the end of a path may be followed.
    pub fn link(&mut self, path: &Path) -> io::Result<()> {
        let dir = self.to(path.parent().unwrap_or(Path::new("/")), true)?;
        let link = dir.step(path.file_name().unwrap_or_default())?;
        if !link.is(FileType::Symlink) {
            return Ok(());
        }
        let layer = layer(&dir.stat, &link.stat);
        match self.follow(dir, &link) {
            Err(error) if error.kind() == ErrorKind::NotFound && layer == Layer::Ours => Ok(()),
            // Something may be made where it leads to.
            Err(error) if error.kind() == ErrorKind::NotFound => Err(astray(&link.path, &target_of(&link)?, layer)),
            followed => followed.map(drop),
        }
    }

    fn go(&mut self, mut here: Spot, path: &Path, follow: bool) -> io::Result<Spot> {
        let mut parts = path.components().peekable();
        while let Some(part) = parts.next() {
            here = match part {
                Component::RootDir => Spot::root()?,
                Component::CurDir | Component::Prefix(_) => here,
                Component::ParentDir if here.shared && !self.in_link && is_root() => return Err(upward(&here.path)),
                Component::ParentDir => here.step("..".as_ref())?,
                Component::Normal(name) => {
                    let next = here.step(name)?;
                    match next.is(FileType::Symlink) && (follow || parts.peek().is_some()) {
                        true => self.follow(here, &next)?,
                        false => next,
                    }
                }
            };
        }
        Ok(here)
    }

    fn follow(&mut self, dir: Spot, link: &Spot) -> io::Result<Spot> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Errno::LOOP.into());
        }
        let target = target_of(link)?;
        let layer = layer(&dir.stat, &link.stat);
        let was_in_link = std::mem::replace(&mut self.in_link, true);
        let end = self.go(dir, &target, true)?;
        self.in_link = was_in_link;
        match layer {
            Layer::Ours => Ok(end),
            Layer::Other(user) if end.stat.st_uid == user => Ok(end),
            Layer::Other(_) | Layer::Unknown => Err(astray(&link.path, &target, layer)),
        }
    }
}

fn target_of(link: &Spot) -> io::Result<PathBuf> {
    let target = readlinkat(&link.fd, "", Vec::new())?;
    Ok(std::ffi::OsString::from_vec(target.into_bytes()).into())
}

fn astray(link: &Path, target: &Path, layer: Layer) -> io::Error {
    let whose = match layer {
        Layer::Other(user) => format!("user {user}"),
        Layer::Ours | Layer::Unknown => "somebody else".to_owned(),
    };
    let (link, target) = (link.display(), target.display());
    let message = format!(
        "{link} is a link to {target} that {whose} may have laid, and is not followed: name {target} itself, or work as that \
         user (`become_user`)"
    );
    io::Error::new(ErrorKind::PermissionDenied, message)
}

fn upward(dir: &Path) -> io::Error {
    let message =
        format!("`..` is not followed out of {}, which others may change: write the path without it", dir.display());
    io::Error::new(ErrorKind::PermissionDenied, message)
}
