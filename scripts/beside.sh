# What the scripts share that run something beside a gateway of their own: to be sourced, with the name that their messages
# begin with. Everything that was begun ends with the script, and nothing is left of its folder.

name=$1
folder=$(mktemp -d "${TMPDIR:-/tmp}/callgate-$name.XXXXXX")
begun=()

clean_up() {
  local status=$? pid
  trap - EXIT
  for pid in "${begun[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${begun[@]}"; do wait "$pid" 2>/dev/null || true; done
  if [ "$status" -ne 0 ]; then
    printf '\n%s: it failed; the end of the gateway'\''s log:\n' "$name" >&2
    tail -n 40 "$folder/gateway.log" >&2 2>/dev/null || true
  fi
  rm -rf "$folder"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# Begins a program in the background that says as JSON where it listens: $process is it, and $said the line. The line comes through
# a pipe, so either it comes, or the program has ended.
begin() { # what, command…
  local what=$1
  shift
  rm -f "$folder/said"
  mkfifo "$folder/said"
  "$@" >"$folder/said" 2>>"$folder/gateway.log" &
  process=$!
  begun+=("$process")
  IFS= read -r said <"$folder/said" || { echo "$name: $what ended before it was ready" >&2; return 1; }
}

field() { node -p "JSON.parse(process.argv[1])[process.argv[2]]" "$1" "$2"; }

export CALLGATE_DATA__DIR=$folder/data
export CALLGATE_OIDC__ALLOW_LOOPBACK_HTTP=true # the issuer beside it is a local one
if [ "$(id -u)" -ne 0 ] && ! { command -v newuidmap && grep -q "^$(id -un):" /etc/subuid; } >/dev/null 2>&1; then
  # One account, on loopback: its functions may share this user. `callgate doctor` says how to give each its own.
  export CALLGATE_SANDBOX__ISOLATION=shared-user
fi
