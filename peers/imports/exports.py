"""Clusters and peers as a file that an import reads again; never a password."""

from collections.abc import Iterator
from typing import Any

import yaml
from django.http import HttpResponse, StreamingHttpResponse

from base.csv import csv_download
from clusters.models import Cluster
from peers.imports.parse import (
    CLUSTER_COLUMNS,
    NODE_COLUMNS,
    PEER_COLUMNS,
)
from peers.models import Peer


def cluster_rows() -> Iterator[dict[str, str]]:
    for cluster in Cluster.objects.prefetch_related("nodes").order_by("name"):
        publisher = cluster.publisher
        yield {
            name: text_of(getattr(publisher, NODE_COLUMNS[name], ""))
            if name in NODE_COLUMNS
            else text_of(getattr(cluster, name))
            for name in CLUSTER_COLUMNS
        }


def peer_rows() -> Iterator[dict[str, str]]:
    columns = {name: name for name in PEER_COLUMNS} | {"cluster": "cluster__name"}
    rows = Peer.objects.order_by("cluster__name", "address")
    for row in rows.values_list(*columns.values()).iterator(1_000):
        yield dict(zip(columns, map(text_of, row), strict=True))


def text_of(value: Any) -> str:
    return "" if value is None else str(value)


def clusters_csv() -> StreamingHttpResponse:
    rows = (list(row.values()) for row in cluster_rows())
    return csv_download("clusters", CLUSTER_COLUMNS, rows)


def peers_csv() -> StreamingHttpResponse:
    rows = (list(row.values()) for row in peer_rows())
    return csv_download("peers", PEER_COLUMNS, rows)


def export_document() -> dict[str, list[dict[str, str]]]:
    return {
        "clusters": [without_empty(row) for row in cluster_rows()],
        "peers": [without_empty(row) for row in peer_rows()],
    }


def all_yaml() -> HttpResponse:
    document = export_document()
    content = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    response = HttpResponse(content, content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="clusters-and-peers.yaml"'
    return response


def without_empty(row: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if value}
