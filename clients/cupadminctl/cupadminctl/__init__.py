"""Command line for the REST interface of cupadmin; runs on any machine."""

__version__ = "0.2.0.dev0"
