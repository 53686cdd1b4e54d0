#!/usr/bin/env bash
# Fetches kosoku, a client that tries a WebSocket server with the cases of the Autobahn test suite.
#
#   AGENT_TEST_KOSOKU=$(tests/fetch-kosoku.sh) cargo test -p agent-websocket --test websocket
#
# On stdout: the path of a program that takes the arguments of kosoku, nothing else. It comes as a wheel from the Python
# package index, by the version and digest in tests/kosoku-requirements.txt, and is unpacked, never installed. About 3 MB
# are fetched once and kept in KOSOKU_HOME (${TMPDIR:-/tmp}/kosoku unless said otherwise).
#
# Exit codes: 0 it is there, 1 it cannot be fetched, 3 it cannot run on this machine.
set -euo pipefail

version=0.1.0
home=${KOSOKU_HOME:-${TMPDIR:-/tmp}/kosoku}
python=$(command -v "${PYTHON:-python3}") || python=
requirements=$(cd "$(dirname "$0")" && pwd)/kosoku-requirements.txt

fail() { printf 'kosoku: %s\n' "$1" >&2; exit "${2:-1}"; }

[[ $(uname -s)/$(uname -m) == Linux/x86_64 ]] || fail "the digest is of the wheel for Linux on x86_64" 3
[[ -n $python ]] && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
    fail "Python 3.10 or newer is needed" 3
"$python" -m pip --version >/dev/null 2>&1 || fail "pip is needed (python3-pip)" 3
mkdir -p "$home"
# What is unpacked names the interpreter that was found, and is one list of versions.
suits=$(printf '%s' "$python" | cat - "$requirements" | sha256sum)
program=$home/kosoku-$version-${suits:0:12}/kosoku
# Runs at the same time share one download.
exec 9> "$home/lock"
flock 9
if [[ ! -x $program ]]; then
    scratch=$(mktemp -d "$home/scratch.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        --dest "$scratch/wheels" --requirement "$requirements" >&2 || fail "kosoku $version cannot be fetched"
    "$python" -m zipfile --extract "$scratch"/wheels/*.whl "$scratch/unpacked/site"
    cat > "$scratch/unpacked/kosoku" <<PROGRAM
#!/usr/bin/env bash
PYTHONPATH="$(dirname "$program")/site" PYTHONDONTWRITEBYTECODE=1 exec "$python" -c \\
    'from kosoku._cli import main; main()' "\$@"
PROGRAM
    chmod +x "$scratch/unpacked/kosoku"
    mv "$scratch/unpacked" "$(dirname "$program")"
fi
printf '%s\n' "$program"
