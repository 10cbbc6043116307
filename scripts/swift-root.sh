#!/usr/bin/env bash
# Runs a command where there is a Swift compiler: in a folder that holds a small Debian with one, made at first use.
#
#   scripts/swift-root.sh                 makes target/swift-root, unless it is there
#   scripts/swift-root.sh command…        and runs the command in it, at the repository's root
#
# Loopback is the machine's own, so a gateway that runs outside can be called from inside. What is mounted goes with the
# command: it has a mount namespace of its own. Needs root or sudo, debootstrap and Debian's keyring (scripts/setup.sh).
set -euo pipefail
cd "$(dirname "$0")/.."

release=trixie
packages=swiftlang,libc6-dev,libstdc++-14-dev,libcurl4-openssl-dev,libxml2-dev,zlib1g-dev,ca-certificates
root=$PWD/target/swift-root
complete="$release $packages"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
export PATH=$PATH:/usr/sbin:/sbin

fail() { echo "swift-root: $*" >&2; exit 1; }
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo --preserve-env "$@"; else
    fail "needs root or sudo"
  fi
}

# The archive that this machine's apt uses for Debian; none on other distributions, where debootstrap knows its own.
mirror() {
  apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk '$1 == "Debian" && $2 !~ /-/ { print $3; exit }'
}

make_root() {
  local tool proxy
  for tool in debootstrap unshare chroot; do
    command -v "$tool" >/dev/null || fail "$tool is missing: scripts/setup.sh test"
  done
  [ -e "$keyring" ] || fail "$keyring is missing: apt-get install debian-archive-keyring"
  proxy=$(apt-config dump Acquire::http::Proxy 2>/dev/null | sed -n 's/^Acquire::http::Proxy "\(.*\)";$/\1/p')
  [ -z "$proxy" ] || export http_proxy=${http_proxy:-$proxy}
  echo "swift-root: fetching Debian $release with its Swift into target/swift-root, once (about 3 minutes, 3 GB)"
  as_root rm -rf "$root"
  mkdir -p "$root"
  # What debootstrap mounts while it works goes with it too, however it ends.
  # shellcheck disable=SC2046 # no mirror is no argument
  as_root unshare --mount --propagation private \
    debootstrap --variant=minbase --keyring="$keyring" --include="$packages" "$release" "$root" $(mirror) \
    >"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    fail "debootstrap failed; all of what it said is in target/swift-root.log. Where it is a key that it misses, the keyring is
older than the release: apt-get install debian-archive-keyring"
  }
  as_root mkdir -p "$root/callgate"
  echo "$complete" | as_root tee "$root/complete" >/dev/null
}

[ "$(cat "$root/complete" 2>/dev/null)" = "$complete" ] || make_root
[ $# -gt 0 ] || exit 0

# Files that are built belong to whoever builds. HOME is new each time: nothing is kept outside the checkout.
exec_in_root='
  root=$1 repository=$2 user=$3
  shift 3
  mount --bind "$repository" "$root/callgate"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  exec chroot --userspec="$user" "$root" /bin/sh -c "cd /callgate && exec \"\$@\"" sh "$@"
'
export HOME=/tmp LC_ALL=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
as_root unshare --mount --propagation private bash -euc "$exec_in_root" bash \
  "$root" "$PWD" "$(id -u):$(id -g)" "$@"
