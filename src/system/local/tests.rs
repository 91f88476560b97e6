use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::XattrFlags;

use super::{Fetch, Local, Nothing};
use crate::system::{Blob, Command, Content, FileKind, Machine, System, fake, users};

fn local() -> Local {
    Local::new(Arc::new(Nothing), Arc::default())
}

#[test]
fn files_and_what_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let mut local = local();
    local.create(&at("a"), &Content::Bytes(b"one".to_vec()), 0o640).unwrap();
    assert!(local.create(&at("a"), &Content::Bytes(vec![]), 0o600).is_err(), "never an existing one");
    let stat = local.stat(&at("a"), true).unwrap().unwrap();
    assert_eq!((stat.kind, stat.mode, stat.size), (FileKind::File, 0o640, 3));
    assert_eq!(local.hash(&at("a")).unwrap().unwrap(), *blake3::hash(b"one").as_bytes());
    assert_eq!((local.read(&at("b")).unwrap(), local.stat(&at("a/b"), true).unwrap()), (None, None));
    local.set_times(&at("a"), None, Some(1_000_000.5), true).unwrap();
    assert_eq!(local.stat(&at("a"), true).unwrap().unwrap().mtime, 1_000_000.5);
    local.create(&at("copy"), &Content::File(at("a")), 0o600).unwrap();
    local.overwrite(&at("copy"), &Content::Bytes(b"x".to_vec())).unwrap();
    local.symlink(Path::new("nowhere"), &at("link")).unwrap();
    assert_eq!(local.list(dir.path()).unwrap().unwrap(), ["a", "copy", "link"]);
    assert_eq!(local.stat(&at("link"), true).unwrap(), None);
    local.sync(&[at("a"), at("copy"), dir.path().to_owned()]).unwrap();
}

#[test]
fn extended_attributes_are_kept_where_the_file_system_has_them() {
    let dir = tempfile::tempdir_in("/var/tmp").unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    fs::write(&from, "").unwrap();
    fs::write(&to, "").unwrap();
    if rustix::fs::lsetxattr(&from, "user.note", b"kept", XattrFlags::empty()).is_ok() {
        local().keep_attributes(&from, &to).unwrap();
        assert_eq!(local().xattr(&to, "user.note").unwrap().unwrap(), b"kept");
    }
}

#[test]
fn a_damaged_content_is_refused() {
    struct Wrong;
    impl Fetch for Wrong {
        fn open(&self, _: &Blob) -> io::Result<Box<dyn Read + '_>> {
            Ok(Box::new(&b"other"[..]))
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let mut local = Local::new(Arc::new(Wrong), Arc::default());
    let content = Content::Blob(fake::blob(b"text"));
    assert!(local.create(&dir.path().join("a"), &content, 0o600).is_err());
}

#[test]
fn programs_are_found_beyond_the_path() {
    let mut local = local();
    local.set_environment(&[("PATH".into(), "/nowhere".into())]);
    assert_eq!(local.which("no-such-program"), None);
    assert!(local.which("/bin/sh").is_some());
}

/// Only root can become another user.
#[test]
fn a_thread_becomes_another_user() {
    let root = local();
    if root.identity.uid != 0 {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let path = dir.path().join("a");
    let nobody = users::user(&root, "nobody").unwrap();
    let (own, uid, gid) = (path.clone(), nobody.uid, nobody.gid);
    std::thread::spawn(move || {
        let mut local = local().as_user(&nobody, vec![nobody.gid]).unwrap();
        local.create(&own, &Content::Bytes(vec![]), 0o600).unwrap();
        assert!(local.read(Path::new("/etc/shadow")).is_err());
        let said = local.run(&Command::new(["sh", "-c", "id -u; id -G; echo $USER"]), &mut |_, _| {}).unwrap();
        assert_eq!(said.text(), format!("{}\n{}\nnobody\n", nobody.uid, nobody.gid));
    })
    .join()
    .unwrap();
    assert_eq!(fs::metadata(&path).unwrap().uid(), uid);
    assert!(root.read(Path::new("/etc/shadow")).is_ok(), "other threads are still root");
    let planning = root.planning_for(&users::user(&root, "nobody").unwrap(), vec![gid]);
    assert_eq!(planning.query(&Command::new(["id", "-u"])).unwrap().text(), format!("{uid}\n"));
}
