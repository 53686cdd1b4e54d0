#!/usr/bin/env bash
# Fetches llmock, a server that misbehaves as providers of language models do and judges how its client copes.
#
#   AGENT_TEST_LLMOCK=$(tests/fetch-llmock.sh) cargo test -p agent-llm --test independent
#
# On stdout: the path of a program that serves on the port given to it, nothing else. Everything comes as wheels from
# the Python package index, by the versions and digests in tests/llmock-requirements.txt, and is unpacked, never
# installed. About 4 MB are fetched once and kept in LLMOCK_HOME (${TMPDIR:-/tmp}/llmock unless said otherwise).
#
# Exit codes: 0 it is there, 1 it cannot be fetched, 3 it cannot run on this machine.
set -euo pipefail

version=0.2.2
home=${LLMOCK_HOME:-${TMPDIR:-/tmp}/llmock}
python=$(command -v "${PYTHON:-python3}") || python=
requirements=$(cd "$(dirname "$0")" && pwd)/llmock-requirements.txt

fail() { printf 'llmock: %s\n' "$1" >&2; exit "${2:-1}"; }

[[ $(uname -s)/$(uname -m) == Linux/x86_64 ]] || fail "the digests are of the wheels for Linux on x86_64" 3
[[ -n $python ]] && "$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 15))' 2>/dev/null ||
    fail "Python 3.10 to 3.14 is needed" 3
"$python" -m pip --version >/dev/null 2>&1 || fail "pip is needed (python3-pip)" 3
mkdir -p "$home"
# What is unpacked fits one version of Python, and one list of versions.
suits=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
listed=$(sha256sum "$requirements")
program=$home/llmock-$version-$suits-${listed:0:12}/serve
# Runs at the same time share one download.
exec 9> "$home/lock"
flock 9
if [[ ! -x $program ]]; then
    scratch=$(mktemp -d "$home/scratch.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        --dest "$scratch/wheels" --requirement "$requirements" >&2 || fail "llmock $version cannot be fetched"
    for wheel in "$scratch"/wheels/*.whl; do
        "$python" -m zipfile --extract "$wheel" "$scratch/unpacked/site"
    done
    cat > "$scratch/unpacked/serve" <<PROGRAM
#!/usr/bin/env bash
PYTHONPATH="$(dirname "$program")/site" PYTHONDONTWRITEBYTECODE=1 exec "$python" -m uvicorn --factory \\
    llmock.main:create_app --host 127.0.0.1 --port "\$1" --log-level warning
PROGRAM
    chmod +x "$scratch/unpacked/serve"
    mv "$scratch/unpacked" "$(dirname "$program")"
fi
printf '%s\n' "$program"
