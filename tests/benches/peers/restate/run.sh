#!/usr/bin/env bash
# Durable steps per second with Restate: a single node with its default settings, everything on loopback.
#
#   ./run.sh [FOLDER]    # FOLDER must be on a real disk, not tmpfs; by default the system's temporary folder
#
# For Linux. Needs npm, curl and python3; the SDK needs node 22, which comes with the packages. Everything is put
# into a new folder inside FOLDER, which is removed at the end. Each figure stands beside the disk's own ceiling,
# measured just before it.
set -euo pipefail

ROUNDS=${ROUNDS:-3}
# How many seconds in all to wait for a quiet machine; once they are used up, the figures are taken anyway.
QUIET_WAIT=${QUIET_WAIT:-600}
QUIET_LOAD=${QUIET_LOAD:-0.7}
INGRESS_PORT=${INGRESS_PORT:-18080}
ADMIN_PORT=${ADMIN_PORT:-19070}
NODE_PORT=${NODE_PORT:-15122}
export SERVICE_PORT=${SERVICE_PORT:-19080}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
parent=${1:-${TMPDIR:-/tmp}}
mkdir -p "$parent"
work=$(mktemp -d "$(cd "$parent" && pwd)/restate-peer.XXXXXX")
pids=()

# Ends a process of ours: asks first, insists after ten seconds.
end() {
  kill -TERM "$1" 2>/dev/null || return 0
  for _ in $(seq 100); do
    kill -0 "$1" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

clean_up() {
  local status=$?
  trap - EXIT
  if ((status != 0)); then tail -n 20 "$work"/*.log >&2 2>/dev/null || true; fi
  for pid in "${pids[@]}"; do end "$pid"; done
  rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Waits until a process of ours answers.
await() {
  local pid=$1 url=$2
  shift 2
  for _ in $(seq 150); do
    kill -0 "$pid" 2>/dev/null || { echo "ended early, before $url answered" >&2; return 1; }
    if curl --silent --fail --max-time 2 --output /dev/null "$@" "$url"; then return; fi
    sleep 0.2
  done
  echo "$url did not answer" >&2
  return 1
}

load() { cut -d ' ' -f 1 /proc/loadavg; }

wait_until_quiet() {
  while ((SECONDS < quiet_deadline)) && ! awk -v now="$(load)" -v quiet="$QUIET_LOAD" 'BEGIN { exit !(now < quiet) }'; do
    sleep 5
  done
}

# One fdatasync after another of a growing file, for two seconds.
syncs_per_second() {
  python3 - "$work/syncs" <<'PYTHON'
import os, sys, time

file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
started, syncs = time.monotonic(), 0
while time.monotonic() - started < 2:
    os.write(file, bytes(4096))
    os.fdatasync(file)
    syncs += 1
print(round(syncs / (time.monotonic() - started)))
PYTHON
}

cp "$here"/{package.json,service.mjs,drive.mjs} "$work"
cd "$work"
# The only install script among the packages is one that reports the installation to a third party.
npm install --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error >npm.log 2>&1
# The binary itself, not its wrapper in node_modules/.bin: the process to end is then the server.
arch=$(node -p process.arch)
server=node_modules/@restatedev/restate-server-linux-$arch/bin/restate-server
node=node_modules/node-linux-$arch/bin/node

# What affects speed or durability is left alone: only the addresses are set, and nothing is reported home.
export RESTATE_BIND_IP=127.0.0.1 RESTATE_LISTEN_MODE=tcp RESTATE_DISABLE_TELEMETRY=true
export RESTATE_BIND_PORT=$NODE_PORT RESTATE_ADVERTISED_HOST=127.0.0.1
export RESTATE_INGRESS__BIND_PORT=$INGRESS_PORT RESTATE_ADMIN__BIND_PORT=$ADMIN_PORT
"$server" --version
echo "on $(df --output=fstype "$work" | tail -n 1), $(nproc) cores, node $("$node" --version); durability as the server sees it:"
"$server" --base-dir "$work/data" --dump-config | grep -E '^(rocksdb-disable-wal-fsync|default-provider|default-replication)' | sed 's/^/  /'

"$server" --base-dir "$work/data" --no-logo >server.log 2>&1 &
pids+=($!)
await $! "http://127.0.0.1:$ADMIN_PORT/health"
await $! "http://127.0.0.1:$INGRESS_PORT/restate/health"
NODE_ENV=production "$node" service.mjs >service.log 2>&1 &
pids+=($!)
# Registering needs the service to listen already, hence the repetition.
await $! "http://127.0.0.1:$ADMIN_PORT/deployments" \
  --json "{\"uri\": \"http://127.0.0.1:$SERVICE_PORT\", \"force\": true}"

quiet_deadline=$((SECONDS + QUIET_WAIT))
for ((round = 1; round <= ROUNDS; round++)); do
  for plans_at_once in 1 32 128; do
    wait_until_quiet
    before=$(load)
    syncs=$(syncs_per_second)
    figure=$(timeout 60 "$node" drive.mjs "http://127.0.0.1:$INGRESS_PORT" "$plans_at_once")
    steps=${figure##*: }
    ratio=$(awk -v steps="${steps% steps/s}" -v syncs="$syncs" 'BEGIN { printf "%.2f", steps / syncs }')
    echo "$figure; $syncs syncs/s (ratio $ratio); load $before"
  done
done
