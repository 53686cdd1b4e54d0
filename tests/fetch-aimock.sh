#!/usr/bin/env bash
# Fetches aimock, a server that gives prepared answers in the wire formats of many providers.
#
#   AGENT_TEST_AIMOCK=$(tests/fetch-aimock.sh) cargo test -p agent-llm --test independent
#
# On stdout: the path of a program that serves a file of answers on a port, both given to it; nothing else. It comes as a
# package from the npm registry, by exact version and digest, and is unpacked, never installed; it needs no other
# package. About 2 MB are fetched once and kept in AIMOCK_HOME (${TMPDIR:-/tmp}/aimock unless said otherwise).
#
# Exit codes: 0 it is there, 1 it cannot be fetched, 3 it cannot run on this machine.
set -euo pipefail

version=1.43.0
digest=54f4ba4ef984696557e84176d6c4f37150047819a4eda374850a390534bbf117
home=${AIMOCK_HOME:-${TMPDIR:-/tmp}/aimock}
program=$home/aimock-$version/serve

fail() { printf 'aimock: %s\n' "$1" >&2; exit "${2:-1}"; }

node=$(command -v node) || fail "Node.js is needed" 3
command -v npm >/dev/null || fail "npm is needed" 3
"$node" -e 'const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 20 || (major === 20 && minor >= 15) ? 0 : 1)' || fail "Node.js 20.15 or newer is needed" 3
mkdir -p "$home"
# Runs at the same time share one download.
exec 9> "$home/lock"
flock 9
if [[ ! -x $program ]]; then
    scratch=$(mktemp -d "$home/scratch.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    npm pack --silent --ignore-scripts --pack-destination "$scratch" "@copilotkit/aimock@$version" >&2 ||
        fail "aimock $version cannot be fetched"
    package=$(echo "$scratch"/*.tgz)
    echo "$digest  $package" | sha256sum --check --status || fail "aimock $version is not what it was"
    tar --extract --gzip --file "$package" --directory "$scratch"
    cat > "$scratch/package/serve" <<PROGRAM
#!/usr/bin/env bash
exec "$node" "$(dirname "$program")/dist/cli.js" --strict --log-level warn --fixtures "\$1" --port "\$2"
PROGRAM
    chmod +x "$scratch/package/serve"
    mv "$scratch/package" "$(dirname "$program")"
fi
printf '%s\n' "$program"
