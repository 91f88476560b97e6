//! The hazards of install.sh, by their numbers, and what shows that each is gone.

use std::fmt::Write;

use super::site::{ALL, API_DB, BACKEND, FRONTEND, Site};

/// Something that no apply may touch.
struct Kept {
    hazard: u8,
    what: &'static str,
    machines: &'static [&'static str],
    /// A shell script that prints how it stands.
    state: &'static str,
}

/// What an administrator, students and customers have on machines before and after the first apply.
pub const BEFORE_FIRST: &str = r#"
    useradd --create-home --shell /bin/bash wodadmin2
    usermod --password '$6$salt$unusable' wodadmin2
    echo diary > /home/wodadmin2/diary
    systemd-run --quiet --uid=wodadmin2 sleep 86399
    cp /bin/sleep /usr/local/bin/apt && systemd-run --quiet /usr/local/bin/apt 86399
    printf '192.0.2.7 own-printer\n::1 localhost ip6-localhost\n' >> /etc/hosts
    echo 'wodadmin2 ALL=(ALL) /usr/bin/true' > /etc/sudoers.d/own && chmod 440 /etc/sudoers.d/own
    echo 'ClientAliveInterval 61' > /etc/ssh/sshd_config.d/own.conf
    mkdir -p /etc/sysctl.d && echo 'net.ipv4.tcp_keepalive_intvl = 61' > /etc/sysctl.d/99-own.conf
    echo '0 3 * * * root /usr/local/bin/wod-upd' > /etc/cron.d/wod-upd
    touch /root/before-first
"#;

/// After the first apply, on every machine.
pub const AFTER_FIRST: &str = r#"
    set -e
    cd /home/wodadmin
    usermod --password '$6$salt$unusable' wodadmin
    mkdir -p notes && echo own > notes/own && echo mail > .mail/kept && echo local > wod-private/ansible/local.yml
    printf 'alias own=true\n' >> .bashrc && printf 'export OWN=1\n' >> .profile && printf '. ~/.profile\n' > .bash_profile
    ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519 && cat .ssh/id_ed25519.pub >> .ssh/authorized_keys
    chown -R wodadmin: notes .mail .bash_profile .ssh wod-private/ansible/local.yml
    systemd-run --quiet --uid=wodadmin sleep 86398
    ufw allow 4711/tcp > /dev/null
"#;

/// Rows of customers, and a database of somebody else.
pub const ROWS: &str = r#"
    runuser -u postgres -- psql -q -v ON_ERROR_STOP=1 workshops-on-demand <<'END'
UPDATE students SET assigned = true, password = 'handed-out' WHERE id = 2;
UPDATE workshops SET capacity = 1 WHERE notebook = 'WKSHP-Tabs101';
INSERT INTO customers (name, email, active, "createdAt", "updatedAt")
  SELECT 'customer' || n, 'customer' || n || '@example.org', true, now(), now() FROM generate_series(1, 20) n;
CREATE DATABASE other;
END
    runuser -u postgres -- psql -q other -c "CREATE TABLE own AS SELECT 42 AS answer"
"#;

/// A student's work.
pub const WORK: &str = r#"
    echo 'student1:a password' | chpasswd
    runuser -u student1 -- sh -c 'mkdir -p ~/work && echo result > ~/work/result'
"#;

/// A file that was changed in a clone, and a commit that nobody has pushed.
pub const EDITS: &str = r#"
    set -e
    cd /home/wodadmin
    echo '# edited' >> wod-notebooks/README.md
    echo '# committed' >> wod-private/README.md
    runuser -u wodadmin -- git -C wod-private -c user.name=own -c user.email=own@example.org commit -qam Own
"#;

const KEPT: &[Kept] = &[
    Kept {
        hazard: 1,
        what: "the administrator's home and processes",
        machines: &ALL,
        state: "cd /home/wodadmin; sha256sum notes/own .mail/kept wod-private/ansible/local.yml; stat -c '%i %a %U' .; \
            pgrep -u wodadmin -f 'sleep 86398'",
    },
    Kept {
        hazard: 2,
        what: "the administrator's password, of which no copy lies about",
        machines: &ALL,
        state: "grep ^wodadmin: /etc/shadow; find /root /home -name .wodinstall",
    },
    Kept {
        hazard: 3,
        what: "SSH keys",
        machines: &ALL,
        state: "cd /home/wodadmin/.ssh; stat -c '%n %a %U %i' *; sha256sum * /etc/ssh/ssh_host_*; find /tmp -name 'wod*'",
    },
    Kept {
        hazard: 4,
        what: "rows of the database, and other databases",
        machines: &[API_DB],
        state: r#"cd /; psql() { runuser -u postgres -- psql -At "$@"; }
            for sql in 'SELECT id, username, assigned, password FROM students WHERE id <= 5' 'SELECT id, name, email, notebook, active FROM customers' \
                'SELECT id, notebook, capacity FROM workshops' 'SELECT id, username, password FROM users' \
                'SELECT * FROM user_roles' 'SELECT * FROM roles'; do
              psql workshops-on-demand -c "SELECT * FROM ($sql) rows ORDER BY 1, 2"
            done
            psql other -c 'TABLE own'; stat -c %i /var/lib/postgresql/*/main/PG_VERSION"#,
    },
    Kept {
        hazard: 5,
        what: "the hub's users, tokens and cookie secret, and its environment",
        machines: &[BACKEND],
        state: r#"cd /var/lib/jupyterhub; sha256sum jupyterhub_cookie_secret; stat -c '%i %a' jupyterhub.sqlite
            stat -c %i /opt/jupyterhub/bin/python3
            python3 -c 'import sqlite3
db = sqlite3.connect("file:jupyterhub.sqlite?mode=ro", uri=True)
for sql in ("id, name, cookie_id FROM users WHERE id <= 6", "id, user_id, hashed FROM api_tokens WHERE user_id = 1", "* FROM groups"):
    print(sorted(db.execute("SELECT " + sql)))'"#,
    },
    Kept {
        hazard: 6,
        what: "clones with local edits or commits, and what was built in clones",
        machines: &ALL,
        state: "cd /home/wodadmin; stat -c '%n %i' wod-*/.git wod-*/node_modules 2>/dev/null; tail -n 1 wod-notebooks/README.md \
            wod-private/README.md 2>/dev/null; runuser -u wodadmin -- git -C wod-private log --format=%H",
    },
    Kept {
        hazard: 7,
        what: "a process with the name of apt",
        machines: &ALL,
        state: "pgrep -f '^/usr/local/bin/apt 86399'",
    },
    Kept {
        hazard: 8,
        what: "an account whose name begins like the administrator's",
        machines: &ALL,
        state: "getent passwd wodadmin2; grep ^wodadmin2: /etc/shadow; pgrep -u wodadmin2 -f 'sleep 86399'; \
            find /home/wodadmin2 -printf '%p %m %u %i %s\\n' | sort",
    },
    Kept {
        hazard: 9,
        what: "permissions of homes",
        machines: &ALL,
        state: "stat -c '%n %a %U' /home /home/wod /home/wodadmin /root",
    },
    Kept {
        hazard: 10,
        what: "profiles, which do not grow",
        machines: &ALL,
        state: "cd /home/wodadmin; sha256sum .bash_profile .bashrc .profile",
    },
    Kept {
        hazard: 12,
        what: "own lines in /etc/hosts, own rules for sudo, ssh and the firewall, own settings of the kernel",
        machines: &ALL,
        state: "grep -E 'own-printer|^::1|^127|lab-host' /etc/hosts; sha256sum /etc/sudoers /etc/sudoers.d/own /etc/ssh/sshd_config \
            /etc/ssh/sshd_config.d/* /etc/sysctl.d/99-own.conf /etc/sysctl.conf; ufw status | grep -E '4711|^22/|^Status'",
    },
    Kept {
        hazard: 14,
        what: "accounts and homes of the students, though CLEAN is set in a repository",
        machines: &[BACKEND],
        state: "getent passwd student1 student2 student5; grep ^student1: /etc/shadow; \
            find /student/student1 -printf '%p %m %u %i\\n' | sort; getfacl -p /student/student1; cat /student/student1/work/result",
    },
];

/// How all that must be kept stands.
pub fn kept(site: &Site) -> Vec<String> {
    let of_machine = |machine: &str| {
        let mut script = String::new();
        for kept in KEPT.iter().filter(|kept| kept.machines.contains(&machine)) {
            writeln!(script, "echo '%%hazard {}: {}'; ( {}\n)", kept.hazard, kept.what.replace('\'', ""), kept.state)
                .unwrap();
        }
        let text = site.root(machine, &format!("{script}\ntrue"));
        text.split("%%").skip(1).map(|part| format!("{machine}: {part}")).collect::<Vec<_>>()
    };
    ALL.iter().flat_map(|machine| of_machine(machine)).collect()
}

/// What all hazards found, told at the end.
#[derive(Default)]
pub struct Findings(Vec<String>);

impl Findings {
    pub fn hold(&mut self, hazard: u8, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(format!("hazard {hazard}: {}", what()));
        }
    }

    /// Whatever must be kept stands as before.
    pub fn same(&mut self, when: &str, before: &[String], after: &[String]) {
        for (before, after) in before.iter().zip(after) {
            if before != after {
                self.0.push(format!("{when}:\nbefore: {before}\nafter: {after}"));
            }
        }
    }

    pub fn end(self) {
        assert!(self.0.is_empty(), "\n{}", self.0.join("\n\n"));
    }
}

/// When the services were started, and their processes.
pub fn services(site: &Site) -> String {
    let of_machine = |machine: &str| {
        let units = match machine {
            API_DB => "postgresql@* wod-api-db.service",
            BACKEND => {
                "jupyterhub.service postfix@-.service postfix.service fail2ban.service wod-kill-processes.service"
            }
            _ => "wod-frontend.service",
        };
        let script = format!(
            "set -f; for unit in ssh.service cron.service systemd-logind.service dbus.service ufw.service {units}; do \
             systemctl show \"$unit\" -p Id -p ActiveState -p ActiveEnterTimestampMonotonic -p MainPID | tr '\\n' ' '; echo; done"
        );
        site.root(machine, &script)
    };
    ALL.iter().map(|machine| of_machine(machine)).collect()
}

/// Watches a machine while it is applied: collects what any process has in its arguments, and looks whether what the
/// run time reads is whole at every moment. Ends when its file is gone.
pub const WATCH: &str = r#"
use strict; use warnings; use Time::HiRes 'sleep';
my %whole = ('/etc/wod.sh' => qr/^export WODUSERMAX=\d+\n\z/m, '/etc/wod.yml' => qr/^WODSENDER: \S+\n\z/m,
    '/home/wodadmin/wod-private/scripts/wod-private.sh' => qr/^(# Written|export WOD\w+=").*\n\z/m,
    '/home/wodadmin/wod-private/ansible/generated/production' => qr/^SURVEYCHALURL: .*\n\z/m);
my (%seen, %broken, %there);
open(my $go, '>', '/run/watch') or die; close($go);
while (-e '/run/watch') {
    for my $file (glob('/proc/[0-9]*/cmdline')) {
        open(my $in, '<', $file) or next; local $/; my $text = <$in> // ''; $text =~ tr/\0\n/  /; $seen{$text} = 1;
    }
    for my $file (keys %whole) {
        my $in; if (!open($in, '<', $file)) { $broken{"$file is gone"} = 1 if $there{$file}; next; }
        $there{$file} = 1; local $/; my $text = <$in> // '';
        $broken{"$file ends with " . substr($text, -40)} = 1 if $text !~ $whole{$file};
    }
    sleep(0.02);
}
open(my $out, '>', '/run/watched') or die; print {$out} "$_\n" for sort keys %seen; close($out);
open($out, '>', '/run/broken') or die; print {$out} "$_\n" for sort keys %broken; close($out);
"#;

pub fn watch(site: &Site) {
    for machine in ALL {
        site.root_with(machine, "umask 077; cat > /root/watch.pl", WATCH);
        site.root(
            machine,
            "systemd-run --quiet --unit=watch --collect --property=Nice=5 perl /root/watch.pl; sleep 0.3",
        );
    }
}

/// Ends the watch; nothing was half-written, and no secret was anybody's argument.
pub fn watched(site: &Site, findings: &mut Findings) {
    for machine in ALL {
        let end = "rm /run/watch; while systemctl is-active -q watch; do sleep 0.1; done";
        site.root(machine, end);
        let broken = site.root(machine, "cat /run/broken");
        findings.hold(11, broken.is_empty(), || format!("{machine}: {broken}"));
        let script = "grep -F -f - /run/watched; wc -l < /run/watched";
        let said = site.root_with(machine, script, &site.secrets().join("\n"));
        let (secrets, count) = said.trim_end().rsplit_once('\n').unwrap_or(("", said.trim_end()));
        findings.hold(7, secrets.is_empty(), || format!("{machine}: secrets in arguments: {secrets}"));
        findings
            .hold(7, count.parse::<u32>().is_ok_and(|count| count > 20), || format!("{machine}: watched only {count}"));
    }
}

/// No secret in the journal or a log, nor in any file that everybody can read.
pub fn secrets(site: &Site, findings: &mut Findings) {
    let secrets = site.secrets().join("\n");
    for machine in ALL {
        let logs = "umask 077; cat > /root/secrets; journalctl -o cat --no-pager | grep -F -f /root/secrets | head -n 3; \
            grep -rlF -f /root/secrets /var/log; rm /root/secrets";
        let found = site.root_with(machine, logs, &secrets);
        findings.hold(7, found.is_empty(), || format!("{machine}: secrets in logs: {found}"));
        let files = "cd /; runuser -u nobody -- grep -rlsF -f - --exclude-dir=node_modules --exclude-dir=site-packages /etc /home /opt \
            /run /student /tmp /usr/local /var 2>/dev/null";
        let found = site.root_with(machine, files, &secrets);
        findings.hold(7, found.is_empty(), || format!("{machine}: secrets that everybody can read: {found}"));
    }
}

/// Each clone is as it was checked out, but for what the administrator did.
pub fn clean_clones(site: &Site, findings: &mut Findings) {
    for machine in ALL {
        let script = "cd /home/wodadmin; for clone in wod-*/.git; do \
            runuser -u wodadmin -- git -C ${clone%/.git} status --porcelain --untracked-files=no | sed \"s|^|$clone|\"; done";
        let found = site.root(machine, script);
        let of_ours: String = found.lines().filter(|line| !line.ends_with("README.md")).collect();
        findings.hold(13, of_ours.is_empty(), || format!("{machine}: {of_ours}"));
    }
}

/// No job upgrades or re-installs at night, unless it is asked for. A backend has those that look after students.
pub fn nothing_at_night(site: &Site, findings: &mut Findings) {
    for machine in ALL {
        let jobs = if machine == BACKEND { "wod-(cleanup-processes|check-template)[.]timer" } else { "none" };
        let script = "ls /etc/cron.d | grep wod; systemctl list-timers --all --no-legend | grep -o 'wod[^ ]*timer'; \
            grep -l 'Unattended-Upgrade \"1\"' /etc/apt/apt.conf.d/60wod; true";
        let found = site.root(machine, &format!("({script}) | grep -vxE '{jobs}'; true"));
        findings.hold(17, found.is_empty(), || format!("{machine}: {found}"));
    }
}

/// After names and ports have changed, nothing speaks of the old ones.
pub fn nothing_stale(site: &Site, findings: &mut Findings) {
    let listeners = site.root(
        BACKEND,
        "ss -Hltnp | grep -E 'master' | sed -E 's/.*:([0-9]+) .*/\\1/;s/ .*//' | sort -u; \
        grep -cE '^[0-9]+ +inet' /etc/postfix/master.cf",
    );
    findings.hold(18, listeners.contains("1\n") && !listeners.contains("10025"), || {
        format!("listeners of mail: {listeners}")
    });
    let files = "grep -l hub-before /etc/hosts /etc/postfix/main.cf /home/wodadmin/wod-private/ansible/generated/production /etc/wod.sh; \
        ufw status 2>/dev/null | grep 10025; true";
    for machine in ALL {
        let found = site.root(machine, files);
        findings.hold(18, found.is_empty(), || format!("{machine}: {found}"));
    }
    let rows = site.root(
        API_DB,
        "cd /; runuser -u postgres -- psql -At workshops-on-demand -c 'SELECT name FROM locations' \
        -c 'SELECT DISTINCT location FROM workshops' -c 'SELECT DISTINCT location FROM students'",
    );
    findings.hold(18, rows.lines().all(|line| line == "hub-after"), || format!("rows: {rows}"));
}

/// Files that are edited have each line once.
pub fn nothing_grows(site: &Site, findings: &mut Findings) {
    let script = "for name in myhostname inet_interfaces mailbox_command mydestination append_dot_mydomain command_time_limit; do \
        grep -c \"^$name *=\" /etc/postfix/main.cf; done";
    let found = site.root(BACKEND, script);
    findings.hold(10, found.lines().all(|line| line == "1"), || format!("lines in main.cf: {found}"));
    for machine in [API_DB, BACKEND, FRONTEND] {
        let found = site.root(
            machine,
            "grep -c 'BEGIN Workshops-on-Demand' /etc/hosts /home/wodadmin/.bashrc /home/wodadmin/.profile",
        );
        findings.hold(10, found.lines().all(|line| line.ends_with(":1")), || format!("{machine}: {found}"));
    }
}
