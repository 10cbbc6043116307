#!/usr/bin/env bash
# Makes this machine ready to build, try and test Callgate, or says exactly what is missing.
#
#   scripts/setup.sh [demo|test|bench]
#
# On Debian and Ubuntu, packages are installed as root or through sudo. Rust and Node.js are only installed where the
# distribution's own are new enough; otherwise the command to run is printed and nothing is pretended. Quick, and without
# any change, where everything is there.
set -euo pipefail
cd "$(dirname "$0")/.."

purpose=${1:-test}
case $purpose in demo | test | bench) ;; *) echo "usage: scripts/setup.sh [demo|test|bench]" >&2; exit 2 ;; esac

node_wanted=20
rust_wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
missing=()

say() { printf 'setup: %s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

[ "$(uname -s)" = Linux ] || {
  echo "setup: Callgate isolates functions with Linux namespaces; this is $(uname -s). README.md says how to use a virtual machine." >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; elif have sudo; then sudo "$@"; else return 1; fi
}

updated=
install() { # packages…
  have apt-get || { missing+=("the packages $* (there is no apt-get here: install what they are called on this system)"); return; }
  say "installing $*"
  if [ -z "$updated" ]; then
    as_root apt-get update -qq || { missing+=("the packages $* (apt-get update failed: it needs root or sudo, and a network)"); return; }
    updated=1
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
    missing+=("the packages $* (apt-get install failed)")
}

packages=()
have bwrap || packages+=(bubblewrap)
# An ordinary user's gateway gives each sandbox a user of its own with it.
have newuidmap || packages+=(uidmap)
# The uplink of functions where the gateway is no root.
have slirp4netns || packages+=(slirp4netns)
# aws-lc and SQLite are C code, compiled with the crates that wrap them; so is the bootstrap's native part. Tests build an
# add-on with node-gyp, which links by the C++ compiler.
have cc && have c++ && have make || packages+=(build-essential)
case $(uname -m) in
  x86_64 | aarch64) ;;
  *) have cmake || packages+=(cmake) ;;
esac
[ -e /etc/ssl/certs/ca-certificates.crt ] || packages+=(ca-certificates)
if [ "$purpose" != demo ]; then
  have python3 || packages+=(python3)
  # The tests of functions' network make networks of their own and look at the kernel's rules.
  PATH=$PATH:/usr/sbin have nft || packages+=(nftables)
  PATH=$PATH:/usr/sbin have ip || packages+=(iproute2)
  have pgrep || packages+=(procps)
  # The AWS SDKs for Java, Kotlin and Android, and our own.
  have javac || packages+=(default-jdk-headless)
  have mvn || packages+=(maven)
  have unzip || packages+=(unzip)
  # The SDK for Swift is built in a folder of Debian, whose key is checked.
  PATH=$PATH:/usr/sbin have debootstrap || packages+=(debootstrap)
  [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || packages+=(debian-archive-keyring)
  # The certificates of docs/clients.md.
  have openssl || packages+=(openssl)
  { have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null; } || packages+=(python3-venv)
fi
if [ "$purpose" = bench ]; then
  have wrk || packages+=(wrk)
fi
[ ${#packages[@]} -eq 0 ] || install "${packages[@]}"

node_version() { node --version 2>/dev/null | sed 's/^v//'; }
if ! have node && have apt-cache; then
  offered=$(apt-cache policy nodejs 2>/dev/null | sed -n 's/^ *Candidate: //p' | sed 's/^[0-9]*://')
  if [ -n "$offered" ] && [ "$offered" != "(none)" ] && at_least "$offered" "$node_wanted"; then
    install nodejs npm
  fi
fi
if ! have node; then
  missing+=("Node.js $node_wanted or newer, with npm (this distribution offers ${offered:-none}): see https://nodejs.org/en/download")
elif ! at_least "$(node_version)" "$node_wanted"; then
  missing+=("Node.js $node_wanted or newer ($(command -v node) is $(node_version)): see https://nodejs.org/en/download")
elif ! have npm; then
  install npm
  have npm || missing+=("npm, which belongs to Node.js")
fi

rustup='curl --proto "=https" --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --component clippy,rustfmt'
# A toolchain that rustup installed a moment ago is not yet on the PATH of this shell.
have cargo || PATH="$HOME/.cargo/bin:$PATH"
if ! have cargo; then
  missing+=("Rust $rust_wanted or newer: $rustup")
else
  rust_found=$(cargo --version | awk '{ print $2 }')
  if ! at_least "$rust_found" "$rust_wanted"; then
    if have rustup; then missing+=("Rust $rust_wanted or newer (cargo is $rust_found): rustup update stable"); else
      missing+=("Rust $rust_wanted or newer (cargo is $rust_found): $rustup")
    fi
  elif [ "$purpose" = test ]; then
    cargo clippy --version >/dev/null 2>&1 || missing+=("clippy: rustup component add clippy")
    cargo fmt --version >/dev/null 2>&1 || missing+=("rustfmt: rustup component add rustfmt")
  fi
fi

if [ ${#missing[@]} -gt 0 ]; then
  echo "setup: this machine lacks:" >&2
  printf '  - %s\n' "${missing[@]}" >&2
  exit 1
fi

# What the sandbox stands on. A "no" here is no reason to stop building; `callgate doctor` says what to do about it.
bwrap --unshare-user --unshare-net --ro-bind / / true 2>/dev/null ||
  say "note: bubblewrap cannot make a user namespace here; target/release/callgate doctor will say why"

say "ready (Rust $rust_found, Node.js $(node_version), $(bwrap --version))"
