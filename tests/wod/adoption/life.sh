#!/bin/bash
# What people did on a machine of install.sh: life.sh KIND, as root.
set -eu
kind=$1
cd /home/wodadmin
as() { runuser -u wodadmin -- "$@"; }
as mkdir notes
echo thesis | as tee notes/own > /dev/null
as ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519
echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFooFooFooFooFooFooFooFooFooFooFooFooFooFoo colleague' >> .ssh/authorized_keys
echo 'alias own=true' >> .bashrc
echo '# edited' >> wod-notebooks/README.md
echo '# committed' >> wod-private/README.md
as git -C wod-private commit --quiet --all --message Own
echo '192.0.2.7 own-printer' >> /etc/hosts
echo 'wodadmin ALL=(ALL) /usr/bin/true' > /etc/sudoers.d/own
chmod 440 /etc/sudoers.d/own
echo '0 3 * * * root /usr/bin/true' > /etc/cron.d/own
echo 'net.ipv4.tcp_keepalive_intvl = 61' >> /etc/sysctl.conf
echo 'own - nofile 4711' >> /etc/security/limits.conf
ufw allow 4711/tcp > /dev/null
[ $kind = backend ] || exit 0

echo 'student1:a password' | chpasswd
runuser -u student1 -- sh -c 'mkdir ~/work && echo result > ~/work/result'
hub() { curl --silent --fail -H 'Authorization: token public-token-of-the-hub' -X POST http://127.0.0.1:8000/hub/api/"$@"; }
hub groups/class > /dev/null
hub groups/class/users -d '{"users": ["student1", "student3"]}' > /dev/null
hub users/student3/tokens -d '{"note": "own"}' > /root/token
