"""All sections of the troubleshooter; importing them registers their tests."""

from diagnostics.judge import inter_clustering
from diagnostics.judge.tests import TESTS, Section, findings, ordered

__all__ = ["TESTS", "Section", "findings", "inter_clustering", "ordered"]
