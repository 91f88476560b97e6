#!/bin/bash
# What has to survive: kept.sh KIND, as root, before and after.
kind=$1
part() { printf '%%%%%s\n' "$1"; }
cd /home/wodadmin
part accounts
getent passwd | awk -F: '$3 >= 1000 && $3 < 60000 && $1 !~ /^student[45]$/'
getent group | awk -F: '$3 >= 1000 && $3 < 60000 && $1 !~ /^student[45]$/'
grep -E '^(wodadmin|student[123]):' /etc/shadow
part keys
stat -c '%n %a %U %i' .ssh/*
sha256sum .ssh/*
part 'files of the home'
sha256sum notes/own .gitconfig wod-private/ansible/group_vars/*
grep own .bashrc
part clones
for clone in wod-notebooks wod-private; do
    stat -c '%n %i' $clone/.git
    runuser -u wodadmin -- git -C $clone log --format=%H
    tail -n 1 $clone/README.md
done
part 'own lines, rules and jobs'
grep -E 'own-printer|lab-host|^127' /etc/hosts
sha256sum /etc/sudoers /etc/sudoers.d/own /etc/cron.d/own /etc/ssh/sshd_config
grep keepalive_intvl /etc/sysctl.conf
cat /etc/security/limits.conf
ufw status | grep -E '^Status|^(22|4711)/'
if [ $kind = api-db ]; then
    part 'rows of the database'
    if [ -e /root/docker.up ]; then
        ask() { sed -n "/^COPY public.$1 /,/^\\\\\.$/p" /root/database.sql | sed '1d;$d' | grep -E "$3"; }
    else
        ask() { runuser -u postgres -- psql -d workshops-on-demand -c "COPY (SELECT * FROM $1 WHERE $2 ORDER BY 1) TO STDOUT"; }
    fi
    cd /
    ask customers true .
    ask students 'id <= 3' .
    ask roles true .
    ask user_roles true .
    ask special_badges 'id = 99' '^99'
    ask users "username = 'teamlead'" teamlead
else
    part 'work of students'
    find /student/student[123] -printf '%p %m %u %g %i\n' | sort
    find /student/student[123] -type f -exec sha256sum {} + | sort
    getfacl -p /student/student1
    part 'users, tokens and groups of the hub, and the secret of its cookies'
    for state in /var/lib/jupyterhub /opt/jupyterhub/lib; do [ ! -e $state/jupyterhub.sqlite ] || break; done
    sha256sum < $state/jupyterhub_cookie_secret
    python3 - $state << 'X'
import sqlite3, sys
db = sqlite3.connect("file:%s/jupyterhub.sqlite?mode=ro" % sys.argv[1], uri=True)
for sql in ("id, name, cookie_id FROM users WHERE name IN ('student1', 'student2', 'student3')", "id, name FROM groups",
            "user_id, group_id FROM user_group_map", "id, user_id, hashed, note FROM api_tokens WHERE user_id IS NOT NULL"):
    print(sorted(db.execute("SELECT " + sql)))
X
fi
