//! Hosts that are not as one would wish: a clear word for each, or it works; the others go on.

use std::fmt::Write;
use std::process::Command;

use serde_json::Value as Json;

use crate::lab::{self, Lab};

/// A run over all machines with one of them, `api-db`, in trouble.
#[derive(Clone, Copy)]
struct Trouble<'a> {
    lab: &'a Lab,
    /// Variables of the host in trouble, as lines of YAML.
    vars: &'a [&'a str],
    /// What makes the trouble on it, and what ends it, as root.
    make: &'a str,
    end: &'a str,
    tasks: &'a str,
}

const PING: &str = "- ping:";
const ROOT: &str = "- command: id -un\n      become: true";

impl<'a> Trouble<'a> {
    fn new(lab: &'a Lab) -> Self {
        Trouble { lab, vars: &[], make: "true", end: "true", tasks: PING }
    }

    /// Runs it: the status, and what the host in trouble says of its last step. The others have always succeeded.
    fn run(&self) -> (i32, String) {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        std::fs::create_dir(folder.path().join("inventory")).unwrap();
        put("inventory/lab.yml", &std::fs::read_to_string(&self.lab.inventory).unwrap());
        let mut vars = String::from("lab:\n  hosts:\n    backend: {}\n    frontend: {}\n    api-db:\n      a: b\n");
        for line in self.vars {
            writeln!(vars, "      {line}").unwrap();
        }
        put("inventory/more.yml", &vars);
        put("play.yml", &format!("- hosts: lab\n  gather_facts: false\n  tasks:\n    {}\n", self.tasks));
        self.lab.root("api-db", self.make);
        let mut command = Command::new(lab::wodctl());
        command.args(["apply", "inventory", "play.yml", "--output", "json"]).current_dir(folder.path());
        let output = command.output().unwrap();
        self.lab.root("api-db", self.end);
        let text = String::from_utf8_lossy(&output.stdout);
        let events: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let recap = &events.last().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)))["recap"];
        for host in ["backend", "frontend"] {
            let is_well = recap[host]["ok"] == 1 && recap[host]["failed"] == 0 && recap[host]["unreachable"] == 0;
            assert!(is_well, "{host} did not go on: {text}");
        }
        let last = events.iter().rfind(|event| event["event"] == "result" && event["host"] == "api-db");
        let last = last.unwrap_or_else(|| panic!("no result of api-db: {text}"));
        let said = |key: &str| last["values"][key].as_str().or(last[key].as_str()).unwrap_or_default().to_owned();
        (output.status.code().unwrap(), said("msg") + &said("stdout"))
    }

    #[track_caller]
    fn says(&self, status: i32, text: &str) {
        let (found, said) = self.run();
        assert!(found == status && said.contains(text), "exit {found}, expected {status} and `{text}`, found: {said}");
    }
}

#[test]
fn connections() {
    let Some(lab) = Lab::find() else { return };
    let none = Trouble::new(&lab);
    none.says(0, "");
    let other_key = "ansible_ssh_common_args: -o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=/dev/null \
                     -o IdentitiesOnly=yes";
    Trouble { vars: &[other_key], ..none }.says(4, "host key");
    Trouble { vars: &["ansible_user: nobodyhere"], ..none }.says(4, "login as nobodyhere was refused by");
    Trouble { vars: &["ansible_port: 1"], ..none }.says(4, "Connection refused");
    Trouble { vars: &["ansible_connection: smoke"], ..none }.says(2, "the connection of api-db is `smoke`");
}

#[test]
fn passwords() {
    let Some(lab) = Lab::find() else { return };
    let password = std::env::var("LAB_OPS_PASSWORD").expect("lab.env names it");
    let ops = "ansible_user: ops";
    let sudo = Trouble { tasks: ROOT, ..Trouble::new(&lab) };
    sudo.says(0, "root");
    Trouble { vars: &[ops], ..sudo }.says(2, "password");
    Trouble { vars: &[ops, "ansible_become_password: not-this-one"], ..sudo }.says(2, "password");
    let right = format!("ansible_become_password: {password}");
    Trouble { vars: &[ops, &right], ..sudo }.says(0, "root");
    let log_in = format!("ansible_password: {password}");
    let no_key = "ansible_ssh_private_key_file: /dev/null";
    Trouble { vars: &[ops, no_key], ..sudo }.says(4, "refused");
    Trouble { vars: &[ops, no_key, "ansible_password: not-this-one"], ..sudo }.says(4, "password is wrong");
    Trouble { vars: &[ops, no_key, &log_in, &right], ..sudo }.says(0, "root");
    // A terminal that sudo insists on, or brings itself.
    for rule in ["requiretty", "use_pty"] {
        let make = format!("echo 'Defaults {rule}' > /etc/sudoers.d/trouble");
        let end = "rm /etc/sudoers.d/trouble";
        Trouble { make: &make, end, ..sudo }.says(0, "root");
        Trouble { make: &make, end, vars: &[ops, &right], ..sudo }.says(0, "root");
    }
    let other = "- command: id -un\n      become: true\n      become_user: ops";
    Trouble { tasks: other, ..sudo }.says(0, "ops");
}

/// The agent is not there yet, so that it must be pushed.
const NO_AGENT: &str = "rm -rf /home/wod/.cache/wodctl /var/tmp/.wodctl-1000 /run/user/1000/wodctl /tmp/.wodctl-1000; ";

#[test]
fn places_for_the_agent() {
    let Some(lab) = Lab::find() else { return };
    let ping = Trouble::new(&lab);
    let noexec = |folder: &str| format!("mkdir -p {folder}; mount -t tmpfs -o noexec,mode=1777 tmpfs {folder}; ");
    let home = NO_AGENT.to_owned() + &noexec("/home/wod/.cache");
    let end = "umount /home/wod/.cache";
    Trouble { make: &home, end, ..ping }.says(0, "");
    let home = NO_AGENT.to_owned() + "mount --bind /home/wod /home/wod; mount -o remount,bind,ro /home/wod";
    Trouble { make: &home, end: "umount /home/wod", ..ping }.says(0, "");
    let all = ["/home/wod/.cache", "/var/tmp", "/run/user", "/tmp"];
    let make = all.iter().fold(NO_AGENT.to_owned(), |script, folder| script + &noexec(folder));
    let end = all.iter().fold(String::new(), |script, folder| format!("{script}umount {folder}; "));
    Trouble { make: &make, end: &end, ..ping }.says(4, "no folder of the login user can hold and execute the agent");
    let small =
        NO_AGENT.to_owned() + "mkdir -p /home/wod/.cache; mount -t tmpfs -o size=1m,mode=1777 tmpfs /home/wod/.cache";
    Trouble { make: &small, end: "umount /home/wod/.cache", ..ping }.says(0, "");
}

#[test]
fn strange_machines() {
    let Some(lab) = Lab::find() else { return };
    let ping = Trouble::new(&lab);
    let other = NO_AGENT.to_owned()
        + "mv /usr/bin/uname /usr/bin/uname.real; printf '#!/bin/sh\\necho riscv64\\n' > /usr/bin/uname; \
           chmod 755 /usr/bin/uname";
    let end = "mv /usr/bin/uname.real /usr/bin/uname";
    Trouble { make: &other, end, ..ping }.says(4, "the host is of type riscv64 and there is no agent for it");
    // A login shell that prints, and plug-ins for names that must not be loaded.
    let noisy = "cp /etc/nsswitch.conf /etc/nsswitch.saved; sed -i 's/^\\(passwd\\|group\\|hosts\\):/& sss resolve \
                 myhostname/' /etc/nsswitch.conf; echo 'echo hello; echo; printf without-newline' > /home/wod/.bashrc";
    let end = "mv /etc/nsswitch.saved /etc/nsswitch.conf; rm /home/wod/.bashrc";
    Trouble { make: noisy, end, tasks: ROOT, ..ping }.says(0, "root");
}

#[test]
fn full_disks() {
    let Some(lab) = Lab::find() else { return };
    let make = "mkdir -p /mnt/full; mount -t tmpfs -o size=1m,mode=1777 tmpfs /mnt/full; echo old > /mnt/full/file";
    let tasks = "- copy: {content: \"{{ 'x' * 3000000 }}\", dest: \"{{ '/mnt/full/file' if a is defined else \
                 '/tmp/whole' }}\"}";
    let check =
        "test \"$(cat /mnt/full/file)\" = old && test \"$(ls -A /mnt/full)\" = file; r=$?; umount /mnt/full; exit $r";
    Trouble { make, end: check, tasks, ..Trouble::new(&lab) }.says(2, "space");
}
