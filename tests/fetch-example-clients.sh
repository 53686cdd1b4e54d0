#!/usr/bin/env bash
# Prepares one of the programs in examples/, with the client library that it is written for.
#
#   AGENT_TEST_PYTHON_EXAMPLE=$(tests/fetch-example-clients.sh python) cargo test -p agent-tests --test api examples::
#   AGENT_TEST_TYPESCRIPT_EXAMPLE=$(tests/fetch-example-clients.sh typescript) cargo test …
#
# On stdout: the path of a program that takes the arguments of the example, nothing else. It runs a copy of what is in
# examples/ now. The libraries come from the Python package index and the npm registry, by the versions and digests in
# examples/python/requirements.txt and examples/typescript/package-lock.json; the wheel is unpacked, never installed, and
# no script of a package runs. At most 6 MB are fetched once and kept in EXAMPLE_CLIENTS_HOME
# (${TMPDIR:-/tmp}/example-clients unless said otherwise).
#
# Exit codes: 0 it is there, 1 it cannot be fetched, 2 there is no such example, 3 it cannot run on this machine.
set -euo pipefail

language=${1:-}
home=${EXAMPLE_CLIENTS_HOME:-${TMPDIR:-/tmp}/example-clients}
examples=$(cd "$(dirname "$0")/../examples" && pwd)

fail() { printf 'example clients: %s\n' "$1" >&2; exit "${2:-1}"; }

case $language in
python)
    sources=("$examples"/python/{follow.py,requirements.txt})
    runtime=$(command -v "${PYTHON:-python3}") &&
        "$runtime" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        fail "Python 3.11 or newer is needed" 3
    "$runtime" -m pip --version >/dev/null 2>&1 || fail "pip is needed (python3-pip)" 3
    ;;
typescript)
    sources=("$examples"/typescript/{follow.ts,package.json,package-lock.json,tsconfig.json})
    runtime=$(command -v node) && "$runtime" -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' ||
        fail "Node.js 20 or newer is needed" 3
    command -v npm >/dev/null || fail "npm is needed" 3
    ;;
*) fail "python or typescript?" 2 ;;
esac
mkdir -p "$home"
# What is prepared names the runtime that was found, and is one state of the sources.
suits=$(printf '%s' "$runtime" | cat - "${sources[@]}" | sha256sum)
program=$home/$language-${suits:0:12}/follow
folder=$(dirname "$program")
# Runs at the same time share one download.
exec 9> "$home/lock"
flock 9
if [[ ! -x $program ]]; then
    scratch=$(mktemp -d "$home/scratch.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    mkdir "$scratch/$language"
    cp "${sources[@]}" "$scratch/$language"
    cd "$scratch/$language"
    case $language in
    python)
        "$runtime" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
            --require-hashes --dest "$scratch/wheels" --requirement requirements.txt >&2 ||
            fail "what the Python example needs cannot be fetched"
        "$runtime" -m zipfile --extract "$scratch"/wheels/*.whl site
        cat > follow <<PROGRAM
#!/usr/bin/env bash
PYTHONPATH="$folder/site" PYTHONDONTWRITEBYTECODE=1 exec "$runtime" "$folder/follow.py" "\$@"
PROGRAM
        ;;
    typescript)
        npm ci --loglevel error --ignore-scripts --no-audit --no-fund >&2 ||
            fail "what the TypeScript example needs cannot be fetched"
        # It is compiled by the first who runs it, so that an error of types fails a test, and nothing is left out.
        cat > follow <<PROGRAM
#!/usr/bin/env bash
set -euo pipefail
cd "$folder"
flock lock bash -c '[[ -f build/follow.js ]] || "$runtime" node_modules/typescript/bin/tsc >&2'
exec "$runtime" build/follow.js "\$@"
PROGRAM
        ;;
    esac
    chmod +x follow
    mv "$scratch/$language" "$folder"
fi
printf '%s\n' "$program"
