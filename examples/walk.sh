# What the walks share: they are sourced by it, and show each command before they run it.
#
#   WODCTL=…      the program                            [the wodctl in your PATH]
#   INVENTORY=…   the machines that a walk may change    [inventories/lab]
cd "$(dirname "${BASH_SOURCE[0]}")/.."
WODCTL=${WODCTL:-wodctl}
INVENTORY=${INVENTORY:-inventories/lab}
LAB_ENV=${WODCTL_LAB_DIR:-/var/tmp/wodctl-lab}/lab.env
if [ "$INVENTORY" = inventories/lab ] && [ -e "$LAB_ENV" ]; then
  set -a && . "$LAB_ENV" && set +a
fi
LOG=$(mktemp)
trap 'rm -f "$LOG"' EXIT

die() { printf '%s: %s\n' "$0" "$*" >&2; exit 1; }
say() { printf '\n== %s\n' "$*"; }

# run WORD...: wodctl with these words; what it prints is in $LOG as well.
run() {
  printf '$ wodctl %s\n' "$*"
  "$WODCTL" "$@" 2>&1 | tee "$LOG"
  return "${PIPESTATUS[0]}"
}

# The last run must have said so.
expect() { grep -qE -- "$1" "$LOG" || die "expected to read \"$1\""; }
# No machine may have changed in it.
expect_no_change() { expect 'changed=0 '; ! grep -qE 'changed=[1-9]' "$LOG" || die "expected no change"; }
