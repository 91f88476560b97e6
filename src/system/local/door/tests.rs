use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::system::local::{Local, Nothing};
use crate::system::{Content, Machine, System};

const USER: u32 = 54_321;

fn local() -> Local {
    Local::new(Arc::new(Nothing), Arc::default())
}

/// A folder of root's with `secret`, and one of a user's. `None` where this is not root, who alone can make them.
fn ground() -> Option<(tempfile::TempDir, PathBuf, PathBuf)> {
    if !is_root() {
        return None;
    }
    let dir = tempfile::tempdir_in("/var/tmp").unwrap();
    let (root, home) = (dir.path().join("root"), dir.path().join("home"));
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(&root).unwrap();
    fs::create_dir(&home).unwrap();
    fs::write(root.join("secret"), "secret").unwrap();
    lchown(&home, Some(USER), Some(USER)).unwrap();
    Some((dir, root, home))
}

fn lay(target: impl AsRef<Path>, at: &Path) {
    symlink(target, at).unwrap();
    lchown(at, Some(USER), Some(USER)).unwrap();
}

#[test]
fn no_link_of_another_user_leads_to_what_is_not_theirs() {
    let Some((_dir, root, home)) = ground() else { return };
    lay(&root, &home.join("way"));
    lay("../root/secret", &home.join("file"));
    let mut local = local();
    let refused = |error: io::Error| assert!(error.to_string().contains("user 54321 may have laid"), "{error}");
    refused(local.read(&home.join("way/secret")).unwrap_err());
    refused(local.read(&home.join("file")).unwrap_err());
    refused(local.list(&home.join("way")).unwrap_err());
    refused(local.create(&home.join("way/new"), &Content::Bytes(vec![]), 0o600).unwrap_err());
    refused(local.overwrite(&home.join("file"), &Content::Bytes(vec![])).unwrap_err());
    refused(local.set_owner(&home.join("file"), Some(USER), None, true).unwrap_err());
    refused(local.set_mode(&home.join("file"), 0o777).unwrap_err());
    refused(local.remove(&home.join("way/secret")).unwrap_err());
    refused(local.rename(&home.join("way/secret"), &home.join("mine")).unwrap_err());
    refused(local.create(&home.join("copy"), &Content::File(home.join("file")), 0o644).unwrap_err());
    refused(local.follow(&home.join("way")).unwrap_err());
    lay("/nothing/here", &home.join("dangling"));
    refused(local.follow(&home.join("dangling")).unwrap_err());
    local.set_owner(&home.join("file"), Some(0), Some(0), false).unwrap();
    assert_eq!(fs::symlink_metadata(home.join("file")).unwrap().uid(), 0, "the link itself");
    let secret = fs::metadata(root.join("secret")).unwrap();
    assert_eq!((secret.uid(), fs::read_to_string(root.join("secret")).unwrap()), (0, "secret".to_owned()));
}

#[test]
fn links_to_what_is_their_own_and_links_of_root_are_followed() {
    let Some((_dir, root, home)) = ground() else { return };
    fs::create_dir(home.join("v1")).unwrap();
    lchown(home.join("v1"), Some(USER), Some(USER)).unwrap();
    lay("v1", &home.join("current"));
    let mut local = local();
    local.create(&home.join("current/a"), &Content::Bytes(b"1".to_vec()), 0o640).unwrap();
    assert_eq!(fs::metadata(home.join("v1/a")).unwrap().mode() & 0o7777, 0o640);
    symlink(&home, root.join("users")).unwrap();
    assert_eq!(local.read(&root.join("users/current/a")).unwrap().unwrap(), b"1");
    lay("../v1", &home.join("v1/again"));
    assert!(local.list(&home.join("v1/again")).unwrap().is_some());
    lay("v1/a", &home.join("a"));
    assert!(local.read(&home.join("a")).is_err(), "what root has written there is root's");
    symlink("secret", root.join("same")).unwrap();
    assert_eq!(local.read(&root.join("same")).unwrap().unwrap(), b"secret");
    assert_eq!(local.follow(&root.join("same")).unwrap(), Path::new("secret"));
}

#[test]
fn where_all_may_write_a_link_is_followed_for_who_laid_it() {
    let Some((dir, root, _)) = ground() else { return };
    let open = dir.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, Permissions::from_mode(0o1777)).unwrap();
    symlink(&root, open.join("ours")).unwrap();
    lay(&root, &open.join("theirs"));
    assert!(local().read(&open.join("ours/secret")).unwrap().is_some());
    assert!(local().read(&open.join("theirs/secret")).is_err());
    fs::hard_link(root.join("secret"), open.join("secret")).unwrap();
    assert!(local().read(&open.join("secret")).unwrap_err().to_string().contains("other names elsewhere"));
    assert!(local().set_mode(&open.join("secret"), 0o777).is_err());
    assert!(local().read(&root.join("secret")).is_ok(), "where nobody else may give it a name");
}

#[test]
fn nobody_goes_up_from_where_others_may_write() {
    let Some((_dir, root, home)) = ground() else { return };
    let error = local().read(&home.join("../root/secret")).unwrap_err();
    assert!(error.to_string().contains("`..` is not followed out of"), "{error}");
    assert!(local().read(&root.join("../root/secret")).unwrap().is_some());
}

#[test]
fn what_is_no_regular_file_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(local().read(&pipe).unwrap_err().to_string(), "it is a named pipe and no regular file");
    assert!(local().hash(&pipe).is_err() && local().overwrite(&pipe, &Content::Bytes(vec![])).is_err());
    assert_eq!(local().read(Path::new("/dev/zero")).unwrap_err().to_string(), "it is a device and no regular file");
    assert_eq!(local().read(Path::new("/dev/null")).unwrap(), Some(vec![]));
    assert_eq!(local().read(dir.path()).unwrap_err().kind(), ErrorKind::IsADirectory);
}

#[test]
fn what_was_made_is_what_is_changed_and_moved() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let mut local = local();
    local.create(&at("new"), &Content::Bytes(b"1".to_vec()), 0o600).unwrap();
    fs::write(at("other"), "2").unwrap();
    fs::rename(at("other"), at("new")).unwrap();
    assert!(local.set_mode(&at("new"), 0o644).is_err());
    assert!(local.rename(&at("new"), &at("place")).is_err() && !at("place").exists());
}

#[test]
fn the_walk_by_hand_says_what_the_kernel_says() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("a/b")).unwrap();
    fs::write(dir.path().join("a/b/file"), "text").unwrap();
    symlink("a", dir.path().join("l")).unwrap();
    symlink("loop", dir.path().join("loop")).unwrap();
    let number = |path: &str| Walk::new().to(&dir.path().join(path), true).and_then(|spot| Ok(fstat(&spot.fd)?.st_ino));
    let real = |path: &str| fs::metadata(dir.path().join(path)).unwrap().ino();
    for path in ["a/b/file", "l/b/../b/file", "l", "./a/./b"] {
        assert_eq!(number(path).unwrap(), real(path), "{path}");
    }
    let code = |path: &str| number(path).unwrap_err().raw_os_error();
    assert_eq!(code("a/none"), Some(Errno::NOENT.raw_os_error()));
    assert_eq!(code("a/b/file/x"), Some(Errno::NOTDIR.raw_os_error()));
    assert_eq!(code("loop"), Some(Errno::LOOP.raw_os_error()));
}
