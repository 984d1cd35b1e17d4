"""Peer clusters: python peering.py < clusters.json (see docs/automation.md)."""

import json
import os
import sys
import time
from urllib import error, parse, request

BASE = os.environ["CUPADMIN_URL"].rstrip("/") + "/api/v1/"
TOKEN = {"Authorization": "Bearer " + os.environ["CUPADMIN_TOKEN"]}
HEADERS = {**TOKEN, "Content-Type": "application/json"}


def call(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    try:
        with request.urlopen(request.Request(BASE + path, data, HEADERS)) as answer:
            answered = json.load(answer)
    except error.HTTPError as problem:
        sys.exit(f"{path}: {problem.read().decode()}")
    if answered.get("state") in ("queued", "running"):
        time.sleep(1)
        return call(f"jobs/{answered['id']}/")
    good = answered.get("state", "succeeded") == "succeeded"
    return answered if good else sys.exit(f"{answered['state']}: {answered['error']}")


def ensure(resource, body, **key):
    found = call(f"{resource}/?{parse.urlencode(key)}")["results"]
    return (found or [call(f"{resource}/", body)])[0]["id"]


def trust(cluster, expected):
    for node in call(f"nodes/?cluster={cluster}")["results"]:
        fingerprint = call(f"nodes/{node['id']}/certificate/")["fingerprint"]
        if fingerprint not in expected:
            sys.exit(
                f"{node['name']} presents an unexpected certificate: {fingerprint}"
            )
        call(f"nodes/{node['id']}/trust/", {"fingerprint": fingerprint})


credentials = {}
for told in json.load(sys.stdin):
    cluster = ensure("clusters", told["cluster"], name=told["cluster"]["name"])
    publisher = {**told["publisher"], "cluster": cluster, "role": "publisher"}
    ensure("nodes", publisher, cluster=cluster, role="publisher")
    trust(cluster, told["fingerprints"])
    call(f"clusters/{cluster}/discover/", {})
    trust(cluster, told["fingerprints"])  # of the nodes that were discovered
    credentials[cluster] = told["intercluster"]
wanted = {"clusters": list(credentials), "protocol": "TCP", "credentials": credentials}
plan = call("mesh/plan/", wanted)
call("mesh/apply/", {**wanted, "plan_hash": plan["plan_hash"]})
print("Both entries are verified.")
