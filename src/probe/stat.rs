//! What `stat` and `find` return of an entry, in Ansible's names; and what one may do with it.

use crate::failure::Failure;
use crate::map;
use crate::probe::passwd;
use crate::system::{FileKind, Stat, System, users};
use crate::value::{Map, Value};

/// Kind, owner, size, times and the single permission bits.
pub fn fields(stat: &Stat) -> Map {
    let whole = |number: u64| i64::try_from(number).map_or(Value::Null, Value::Int);
    let has = |bit: u32| stat.mode & bit != 0;
    let is = |kind: FileKind| stat.kind == kind;
    map! {
        "mode" => format!("{:04o}", stat.mode),
        "isdir" => is(FileKind::Dir),
        "ischr" => is(FileKind::Char),
        "isblk" => is(FileKind::Block),
        "isreg" => is(FileKind::File),
        "isfifo" => is(FileKind::Fifo),
        "islnk" => is(FileKind::Link),
        "issock" => is(FileKind::Socket),
        "uid" => stat.uid,
        "gid" => stat.gid,
        "size" => whole(stat.size),
        "inode" => whole(stat.ino),
        "dev" => whole(stat.dev),
        "nlink" => whole(stat.nlink),
        "atime" => stat.atime,
        "mtime" => stat.mtime,
        "ctime" => stat.ctime,
        "wusr" => has(0o200),
        "rusr" => has(0o400),
        "xusr" => has(0o100),
        "wgrp" => has(0o020),
        "rgrp" => has(0o040),
        "xgrp" => has(0o010),
        "woth" => has(0o002),
        "roth" => has(0o004),
        "xoth" => has(0o001),
        "isuid" => has(0o4000),
        "isgid" => has(0o2000),
    }
}

/// The names of the owner and of the group, where they have one.
pub fn owner_names(system: &dyn System, stat: &Stat) -> Result<(Option<String>, Option<String>), Failure> {
    let owner = passwd::user_by_id(system, stat.uid)?.map(|user| user.name);
    let group = passwd::group_by_id(system, stat.gid)?.map(|group| group.name);
    Ok((owner, group))
}

/// Whether the identity may read (4), write (2) or execute (1) what has this `stat`; of links, what they point at.
pub fn allows(system: &dyn System, stat: &Stat, right: u32) -> bool {
    let who = system.identity();
    if who.uid == 0 {
        return right != 1 || stat.kind == FileKind::Dir || stat.mode & 0o111 != 0;
    }
    let groups = users::user_by_id(system, who.uid).map(|user| users::groups_of(system, &user)).unwrap_or_default();
    let shift = match () {
        () if stat.uid == who.uid => 6,
        () if stat.gid == who.gid || groups.contains(&stat.gid) => 3,
        () => 0,
    };
    stat.mode >> shift & right != 0
}
