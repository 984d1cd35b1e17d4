"""Adopt a running mesh: python adopt_mesh.py < mesh.json (see docs/automation.md)."""

import json
import os
import sys
import time
from fnmatch import fnmatch
from urllib import error, request

BASE = os.environ["CUPADMIN_URL"].rstrip("/") + "/api/v1/"
HEADERS = {"Authorization": "Bearer " + os.environ["CUPADMIN_TOKEN"]}
HEADERS["Content-Type"] = "application/json"
MESH = json.load(sys.stdin)


def call(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    try:
        answer = json.load(request.urlopen(request.Request(BASE + path, data, HEADERS)))
    except error.HTTPError as problem:
        answer = json.load(problem)
        job = answer.get("job") or sys.exit(f"{path}: {answer}")
        return call(f"jobs/{job}/") and call(path, body)  # it was busy
    if "kind" in answer and answer["state"] in ("queued", "running"):
        return time.sleep(1) or call(f"jobs/{answer['id']}/")
    return answer


def add(host):
    known = [a for hosts, a in MESH["accounts"].items() if fnmatch(host, hosts)]
    account = known[0] if known else sys.exit(f"There is no account for {host}.")
    cluster = call("clusters/", {"name": host, **account})["id"]
    node = {"cluster": cluster, "name": host, "address": host, "role": "publisher"}
    call("nodes/", node)
    for _ in ("the publisher", "the nodes that it names"):
        for node in call(f"nodes/?cluster={cluster}")["results"]:
            found = call(f"nodes/{node['id']}/certificate/")["fingerprint"]
            if found not in MESH["fingerprints"]:
                sys.exit(f"{node['name']} presents an unexpected certificate: {found}")
            call(f"nodes/{node['id']}/trust/", {"fingerprint": found})
        call(f"clusters/{cluster}/discover/", {})


def unknown():
    clusters = call("clusters/?limit=100")["results"]
    seen = [n for c in clusters for n in call(f"clusters/{c['id']}/neighbours/")]
    return next((n["address"] for n in seen if n["cluster"] is None), None)


host = unknown() if call("clusters/")["count"] else MESH["first"]
while host:
    add(host)
    host = unknown() or (call("sweeps/", {}) and unknown())
for one in call("mesh/adopt/", {"clusters": "all"})["skipped"]:
    print("{from} to {to}: {reason}".format(**one))
call("peers/check/", {})
print(call("peers/?outcome=passed")["count"], "of", call("peers/")["count"], "passed.")
