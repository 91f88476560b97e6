# Read by install-sh.sh. The database is in a container and pm2 runs the API: both have a stand-in, which knows what it is
# asked by the roles, as neither docker's images nor pm2 are part of the distribution.
cd $home/wod-api-db
as mkdir -p data/apertis-qa-report
echo 17 | as tee data/apertis-qa-report/PG_VERSION > /dev/null
printf 'WODPGUSER=postgres\nWODPGPASSWD=public\nWODPGDB=workshops-on-demand\n' | as tee .env > /dev/null
# npm wrote its lock files anew.
echo >> package-lock.json
echo '# written by npm' >> yarn.lock
printf 'export PATH=$PATH:%s/node_modules/pm2/bin\n' "$PWD" | as tee $home/.bash_profile > /dev/null

tool docker << 'X'
#!/bin/bash
# A container "postgres" that is asked for its rows, one for adminer.
echo "$*" >> /root/docker.log
case "$*" in
'exec postgres '*pg_dump*) [ -e /root/docker.up ] && cat /root/database.sql ;;
'start postgres') touch /root/docker.up ;;
'ps --all --quiet '*) printf 'postgres\nadminer\n' ;;
'update --restart=no postgres adminer') ;;
'stop postgres adminer') rm /root/docker.up ;;
*) echo "not known: docker $*" >&2; exit 1 ;;
esac
X
touch /root/docker.up

tool pm2 << 'X'
#!/usr/bin/perl
# A daemon that has the API's port.
use strict; use warnings; use IO::Socket::INET;
exit 0 if fork;
open($_, '+<', '/dev/null') for *STDIN, *STDOUT, *STDERR;
$0 = "PM2 v5: God Daemon ($ENV{HOME}/.pm2)";
my $port = IO::Socket::INET->new(LocalPort => 8021, Listen => 5, ReuseAddr => 1) or die;
sleep 60 while 1;
X
printf '#!/bin/sh\ncd %s && pm2 start wod-api-db\n' "$PWD" | tool wod-npm-app
unit wod-npm-app $'Type=oneshot\nUser=wodadmin\nRemainAfterExit=yes\nExecStart=/usr/local/bin/wod-npm-app'
systemctl enable --quiet --now wod-npm-app
cd /
