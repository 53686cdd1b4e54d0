#!/usr/bin/env python3
"""Verifies records of agent-audit, one line of JSON each, without any of its code.

    verify.py < records.jsonl

Prints the head of each chain, or the first line that is not as it was recorded. Compare the heads with those that were
noted elsewhere: only they show that the end was not cut off or written anew.
"""

import datetime
import hashlib
import json
import struct
import sys

ORDER = (
    "chain sequence at actor user_id username key_id on_behalf_of source action resource outcome status code request_id"
).split()
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def field(value):
    if value is None:
        return b"\0"
    if not isinstance(value, bytes):
        value = str(value).encode()
    return b"\1" + struct.pack(">Q", len(value)) + value


def hash_of(record):
    at = datetime.datetime.fromisoformat(record["at"].replace("Z", "+00:00"))
    record = {**record, "at": (at - EPOCH) // datetime.timedelta(microseconds=1)}
    details = json.dumps(record.get("details", {}), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    values = [record.get(name) for name in ORDER] + [details, bytes.fromhex(record["previous_hash"])]
    return hashlib.sha256(b"agent-audit record v1\n" + b"".join(map(field, values))).hexdigest()


def main():
    heads = {}
    for number, line in enumerate(sys.stdin.buffer, 1):
        record = json.loads(line)
        chain, sequence = record["chain"], record["sequence"]
        # A chain may begin later than at 1, when old records were removed.
        first = (sequence - 1, "0" * 64 if sequence == 1 else record["previous_hash"])
        before, previous = heads.get(chain, first)
        if (sequence, record["previous_hash"]) != (before + 1, previous) or record["hash"] != hash_of(record):
            sys.exit(f"line {number}: record {sequence} of chain {chain} is not what was recorded after {before}")
        heads[chain] = (sequence, record["hash"])
    for chain, (sequence, head) in sorted(heads.items()):
        print(chain, sequence, head)


if __name__ == "__main__":
    main()
