# What the project's scripts need of the machine they run on: all that is missing is named at once, then installed.
#
#   . .ci/prepare.sh
#   need rust lab ansible       # what the caller needs
#   prepare                     # say what is missing, install it
#
# For Debian and Ubuntu. Elsewhere the names are a hint, and what is there already is used.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PATH=$PATH:$HOME/.cargo/bin:/usr/sbin:/sbin
RUST_WANTED=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")
MISSING=()      # packages of the distribution
ALSO=()         # what is fetched in another way, one line each
TO_DO=()        # functions that fetch it
export WODCTL_LAB_DIR=${WODCTL_LAB_DIR:-/var/tmp/wodctl-lab}

say() { printf '\n== %s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# at_least 1.89 1.95.0: whether the second version is not older than the first
at_least() { printf '%s\n%s\n' "$1" "$2" | sort -VC; }

# want COMMAND-OR-FILE PACKAGE...: the packages are missing if the first is
want() {
  case $1 in /*) [ ! -e "$1" ] || return 0 ;; *) ! have "$1" || return 0 ;; esac
  MISSING+=("${@:2}")
}

need() {
  local what
  for what; do "need_$what"; done
}

need_rust() {
  if [ -n "${WODCTL:-}" ]; then return; fi
  # ring, the cryptography of HTTPS, has parts in C; libc.a for the static binary is in libc6-dev.
  want cc gcc
  want /usr/include/stdio.h libc6-dev
  if have cargo && have rustc && at_least "$RUST_WANTED" "$(rustc --version | cut -d' ' -f2)"; then return; fi
  if have rustup; then
    ALSO+=("Rust $RUST_WANTED or newer: \`rustup toolchain install stable\`")
    TO_DO+=(rust_by_rustup)
    return
  fi
  # The package lists are needed to tell which package is new enough.
  [ -n "$(apt-cache pkgnames rustc)" ] || as_root apt-get update -q >/dev/null
  local suffix version
  for suffix in "" -web $(apt-cache pkgnames cargo-1. | sed 's/^cargo//' | sort -Vr); do
    version=$(apt-cache policy "rustc$suffix" | sed -n 's/^ *Candidate: \([0-9.]*\).*/\1/p')
    if [ -n "$version" ] && at_least "$RUST_WANTED" "$version"; then
      MISSING+=("rustc$suffix" "cargo$suffix")
      case $suffix in -1.*) TO_DO+=(rust_by_suffix); RUST_SUFFIX=$suffix ;; esac
      return
    fi
  done
  # Only the newest distributions package rustup.
  [ -n "$(apt-cache pkgnames rustup)" ] || die "Rust $RUST_WANTED or newer is needed and this distribution has none:" \
    "install it as https://rustup.rs says, then call this again"
  MISSING+=(rustup)
  ALSO+=("Rust $RUST_WANTED or newer: \`rustup toolchain install stable\`")
  TO_DO+=(rust_by_rustup)
}

rust_by_rustup() { rustup toolchain install stable --profile minimal && rustup default stable; }

# Ubuntu's packages with a version in their name bring commands with a version in their name.
rust_by_suffix() {
  export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo}
  PATH=/usr/lib/rust${RUST_SUFFIX}/bin:$PATH
}

need_lab() {
  want python3 python3
  want ip iproute2
  want nft nftables
  want systemd-nspawn systemd-container
  want mmdebstrap mmdebstrap
  want ssh openssh-client
  want mkfs.ext4 e2fsprogs
  want /usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring
  LAB_WANTED=1
}

need_ssh() { want ssh openssh-client; }
need_curl() { want curl curl ca-certificates; }

# Ansible, which the tests compare with, in a virtual environment of its own.
need_ansible() {
  ANSIBLE_VENV=${CARGO_TARGET_DIR:-$ROOT/target}/ansible
  want python3 python3
  if cmp -s "$ROOT/tests/ansible.txt" "$ANSIBLE_VENV/installed.txt"; then return; fi
  python3 -c 'import ensurepip, venv' 2>/dev/null || MISSING+=(python3-venv)
  ALSO+=("$(grep -v '^#' "$ROOT/tests/ansible.txt" | tr '\n' ' ')from PyPI, in $ANSIBLE_VENV")
  TO_DO+=(ansible_by_pip)
}

ansible_by_pip() {
  rm -rf "$ANSIBLE_VENV"
  python3 -m venv "$ANSIBLE_VENV" &&
    "$ANSIBLE_VENV/bin/pip" install --quiet --requirement "$ROOT/tests/ansible.txt" &&
    cp "$ROOT/tests/ansible.txt" "$ANSIBLE_VENV/installed.txt"
}

prepare() {
  local step answer
  [ "$(id -u)" = 0 ] || have sudo || die "be root, or install sudo"
  local blocked=""
  [ -z "${LAB_WANTED:-}" ] || blocked=$(lab_lacks)
  if [ ${#MISSING[@]} -gt 0 ] || [ ${#ALSO[@]} -gt 0 ] || [ -n "$blocked" ]; then
    say "this machine lacks:"
    [ ${#MISSING[@]} = 0 ] || printf '  packages: %s\n' "$(printf '%s\n' "${MISSING[@]}" | sort -u | tr '\n' ' ')"
    [ ${#ALSO[@]} = 0 ] || printf '  %s\n' "${ALSO[@]}"
    [ -z "$blocked" ] || die "what no package brings, so that nothing was installed:
$blocked"
    if [ -t 0 ]; then
      read -r -p "Install all that? [Y/n] " answer
      case $answer in [nN]*) exit 1 ;; esac
    fi
  fi
  if [ ${#MISSING[@]} -gt 0 ]; then
    have apt-get || die "this is no Debian or Ubuntu: install what these packages hold, then call this again"
    as_root apt-get update -q >/dev/null
    # shellcheck disable=SC2046
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
      $(printf '%s\n' "${MISSING[@]}" | sort -u) >/dev/null
  fi
  for step in "${TO_DO[@]}"; do "$step" || die "that did not work: $step"; done
  # Some of the kernel's abilities can be told only now, with the tools that use them.
  [ -z "${LAB_WANTED:-}" ] || blocked=$(lab_lacks)
  [ -z "$blocked" ] || die "this machine cannot boot lab machines:
$blocked"
}

lab() { as_root env WODCTL_LAB_DIR="$WODCTL_LAB_DIR" "$ROOT/tests/lab/lab" "$@"; }

# What the lab lacks that no package brings (the kernel's abilities, room on the disk), as far as it can be told.
lab_lacks() {
  have python3 || return 0
  lab doctor 2>/dev/null | sed -n 's/^MISSING /  /p' | grep -v 'apt-get install' || true
}

# Boots the lab and takes up its addresses (LAB_…). WODCTL_LAB_MIRROR: where Debian's packages come from, if not from where
# this host has its own.
lab_up() {
  lab up ${WODCTL_LAB_MIRROR:+--mirror "$WODCTL_LAB_MIRROR"} "$@"
  set -a
  # shellcheck disable=SC1090
  . <(as_root cat "$WODCTL_LAB_DIR/lab.env")
  set +a
}

# The machine's own kind, x86_64-unknown-linux-gnu.
rust_host() { rustc -vV | sed -n 's/^host: //p'; }

# build PROFILE: a static binary, which is its own agent on every Linux of this architecture. Sets WODCTL; if that is set
# already, this program is used as it is. PROFILE is `release`, or `quick`, which compiles in a fraction of the time.
build() {
  local target
  if [ -n "${WODCTL:-}" ]; then return; fi
  target=$(rust_host)
  say "building wodctl ($1)"
  (cd "$ROOT" && RUSTFLAGS="-C target-feature=+crt-static" cargo build --profile "$1" --locked --target "$target") ||
    die "the build failed"
  WODCTL=${CARGO_TARGET_DIR:-$ROOT/target}/$target/$1/wodctl
}
