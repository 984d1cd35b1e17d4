"""Peer two clusters: python peering.py clusters.json (see docs/automation.md)."""

import json
import os
import sys
import time
from urllib import error, parse, request

BASE = os.environ["CUPADMIN_URL"].rstrip("/") + "/api/v1/"
HEADERS = {
    "Authorization": "Bearer " + os.environ["CUPADMIN_TOKEN"],
    "Content-Type": "application/json",
}


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    asked = request.Request(BASE + path, data, HEADERS, method=method)
    try:
        with request.urlopen(asked, timeout=60) as answer:
            return json.load(answer)
    except error.HTTPError as problem:
        sys.exit(f"{method} {path}: {problem.read().decode()}")


def ensure(resource, body, *keys):
    query = parse.urlencode({key: body[key] for key in keys})
    found = call("GET", f"{resource}/?{query}")["results"]
    return found[0] if found else call("POST", f"{resource}/", body)


def wait(job):
    while job["state"] in ("queued", "running"):
        time.sleep(1)
        job = call("GET", f"jobs/{job['id']}/")
    if job["state"] != "succeeded":
        sys.exit(f"{job['kind']} {job['state']}: {job['error']}")


def trust_nodes(cluster, fingerprints):
    for node in call("GET", f"nodes/?cluster={cluster['id']}")["results"]:
        shown = call("GET", f"nodes/{node['id']}/certificate/")["fingerprint"]
        if shown not in fingerprints:
            sys.exit(f"{node['name']} presents an unexpected certificate: {shown}")
        if node["certificate_state"] != "trusted":
            call("POST", f"nodes/{node['id']}/trust/", {"fingerprint": shown})


def set_up(told):
    cluster = ensure("clusters", told["cluster"], "name")
    publisher = {**told["publisher"], "cluster": cluster["id"], "role": "publisher"}
    ensure("nodes", publisher, "cluster", "name")
    trust_nodes(cluster, told["fingerprints"])
    wait(call("POST", f"clusters/{cluster['id']}/discover/"))
    trust_nodes(cluster, told["fingerprints"])
    return cluster


def point(home, there):
    peer = {"cluster": home["id"], "address": there["publisher"]["address"]}
    return ensure("peers", {**peer, **there["intercluster"]}, "cluster", "address")


with open(sys.argv[1]) as file:
    told = json.load(file)
first, second = (set_up(one) for one in told)
peers = [point(first, told[1]), point(second, told[0])]
for _ in range(60):
    time.sleep(1)
    wait(call("POST", "peers/check/", {"ids": [peer["id"] for peer in peers]}))
    states = [call("GET", f"peers/{peer['id']}/") for peer in peers]
    outcomes = [state["status"]["outcome"] for state in states]
    if outcomes == ["passed", "passed"]:
        sys.exit(print("Both sides are verified."))
sys.exit(f"Not verified yet: {outcomes}")
