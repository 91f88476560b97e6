#!/bin/bash
# Brings a bare machine into the state that install.sh leaves: install-sh.sh KIND GIT, as root. KIND is "api-db" or
# "backend", GIT is where the repositories are. Written from what the roles have to find, not from upstream's text.
set -eu
kind=$1 git=$2 home=/home/wodadmin
as() { runuser -u wodadmin -- "$@"; }

# Packages. What only the hub needs comes from the list in /root/hub, as it is.
export DEBIAN_FRONTEND=noninteractive
packages="git rsync curl cron ufw fail2ban"
[ $kind = api-db ] || packages="$packages acl python3-venv postfix procmail nodejs npm"
apt-get -qq update
apt-get -qq -o Dpkg::Use-Pty=0 install --no-install-recommends $packages > /dev/null

# The administrator, who has a password and may do everything.
useradd --create-home --user-group --shell /bin/bash wodadmin
usermod --password '$6$salt$unusable' wodadmin
printf 'Defaults:wodadmin !fqdn\nDefaults:wodadmin !requiretty\nwodadmin ALL=(ALL) NOPASSWD: ALL\n' > /etc/sudoers.d/wodadmin
chmod 440 /etc/sudoers.d/wodadmin
chmod 755 $home
chmod 711 /home
as mkdir -m 700 $home/.ssh
as ssh-keygen -q -t rsa -b 2048 -N '' -f $home/.ssh/id_rsa
as install -m 600 $home/.ssh/id_rsa.pub $home/.ssh/authorized_keys
as git config --global user.name wodadmin
as git config --global user.email wodadmin@example.org

# Clones, with what is written inside them.
clones="install private notebooks $kind"
for name in $clones; do as git clone --quiet $git/wod-$name.git $home/wod-$name; done
as mkdir -p $home/wod-private/ansible/generated $home/wod-private/scripts $home/wod-$kind/ansible
printf '[production]\n%s ansible_connection=local\n' $HOSTNAME > $home/wod-$kind/ansible/inventory
printf 'WODGROUP: production\nWODBETOKEN: public-token-of-the-hub\n' > $home/wod-private/ansible/generated/production
printf 'export WODAPIDBUSER="moderator"\nexport WODAPIDBUSERPWD="public"\n' > $home/wod-private/scripts/wod-private.sh
chmod 700 $home/wod-private/scripts/wod-private.sh
chown -R wodadmin: $home/wod-private $home/wod-$kind

# What run-time scripts read.
printf 'WODUSER: wodadmin\nWODSENDER: wodadmin@localhost\n' > /etc/wod.yml
cat > /etc/wod.sh << X
# This is the wod.sh script, generated at install
export WODUSER=wodadmin
export WODTYPE=$kind
export WODROOTDIR=$home
export WODUSERMAX=3
X
chmod 755 /etc/wod.sh
chown wodadmin: /etc/wod.yml /etc/wod.sh /usr/local/bin /usr/local/share

# Settings, in files of the distribution.
{ echo '127.0.0.1 localhost localhost.localdomain'; grep -vE '^127|::' /etc/hosts; } > /etc/hosts.new
cat /etc/hosts.new > /etc/hosts
rm /etc/hosts.new
for what in 'nproc 800000' 'nofile 65535'; do printf 'wodadmin\tsoft\t%s\nwodadmin\thard\t%s\n' "$what" "$what"; done >> /etc/security/limits.conf
printf '%s\n' net.ipv4.tcp_keepalive_time=1800 kernel.threads-max=4096000 kernel.pid_max=200000 vm.max_map_count=600000 >> /etc/sysctl.conf
echo UserTasksMax=100000 >> /etc/systemd/logind.conf
printf 'ulimit -u 641465\nulimit -n 65535\n' >> $home/.bashrc
echo 'export EDITOR=vim' >> $home/.profile
for port in 22 123; do ufw allow $port/tcp > /dev/null; done
ufw --force enable > /dev/null

# Tools, what cron runs of them, the watchdog and the bans.
tool() { install -m 755 /dev/stdin /usr/local/bin/$1; }
job() { printf '#Ansible: %s\n48 %s root /usr/local/bin/%s\n' "$1" "$2" "$1" > /etc/cron.d/$1; }
for name in wod-upd.apt wod-deliver; do echo 'exit 0' | tool $name; done
ln -s wod-upd.apt /usr/local/bin/wod-upd
job wod-upd '03 * * *'
job wod-deliver '04 * * *'
job wod-cleanup-processes '04 * * 0'
[ $kind = api-db ] || job wod-check-template '05 * * *'
cp $home/wod-install/sys/fail2ban.jail /etc/fail2ban/jail.local
for kind_of in action filter; do printf '[Definition]\n' > /etc/fail2ban/$kind_of.d/jupyterhub.conf; done
sed "s|{{ WODROOTDIR }}|$home|" $home/wod-install/sys/wod-kill-processes.pl.j2 | tool wod-kill-processes.pl
unit() { printf '[Service]\n%s\n[Install]\nWantedBy=multi-user.target\n' "$2" > /etc/systemd/system/$1.service; }
unit wod-kill-processes $'User=wodadmin\nExecStart=/usr/local/bin/wod-kill-processes.pl'
systemctl enable --quiet wod-kill-processes

. ${0%/*}/$kind.sh

# Where there is no ~/.mail it ends at once.
systemctl start wod-kill-processes
