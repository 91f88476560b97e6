#!/bin/sh
# Written by the role backend; changes made here are lost.
# Runs after the hub has ended. Notebooks go on, unless the machine goes down: then they are ended
# here, as nothing else does it, and systemd would wait 90 seconds for the shells among them.
[ "$(systemctl is-system-running)" = stopping ] || exit 0
trap '' TERM
systemctl kill --signal=TERM jupyterhub
for second in 1 2 3 4 5 6 7 8 9 10; do
  pgrep -f jupyterhub-singleuser >/dev/null || break
  sleep 1
done
# This script is among what is ended.
systemctl kill --signal=KILL jupyterhub
