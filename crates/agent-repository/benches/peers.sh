#!/bin/sh
# Compares scans of a tree with ripgrep, tokei and universal-ctags, in one run on one machine.
# Usage: peers.sh FOLDER [ROUNDS]; PATH decides which of the peers take part.
set -eu
folder=${1:?name a folder}
rounds=${2:-11}
here=$(cd "$(dirname "$0")/.." && pwd)

# The median of the processor time (user and system, in ms) of a program over the rounds.
cpu() {
    python3 - "$rounds" "$@" <<'PY'
import os, resource, subprocess, sys
rounds, command = int(sys.argv[1]), sys.argv[2:]
times = []
for n in range(rounds + 2):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if n >= 2:  # the first two warm up
        times.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
print(f"{sorted(times)[len(times) // 2] * 1000:.1f}")
PY
}

ours=$(cd "$here" && cargo bench --quiet -p agent-repository --bench scan -- "$folder" "$rounds")
printf '%s\n\n' "$ours"
# The row of a name: its CPU time is the last column.
row() { printf '%s\n' "$ours" | awk -v name="$1" 'index($0, name " ") == 1 { print $NF; exit }'; }

compare() {
    program=$1 label=$2 name=$3
    shift 3
    if ! command -v "$program" >/dev/null 2>&1; then
        printf '%-28s not installed\n' "$label"
        return
    fi
    theirs=$(cpu "$program" "$@")
    awk -v label="$label" -v name="$name" -v theirs="$theirs" -v ours="$(row "$name")" \
        'BEGIN { printf "%-28s %8.1f ms CPU; %s %8.1f ms: %.2f times\n", label, theirs, name, ours, ours / theirs }'
}

compare rg 'ripgrep --files' listing --files "$folder"
compare tokei tokei counts "$folder"
compare ctags universal-ctags symbols -R -f /dev/null "$folder"
