"""Says at the end how many requests were sent."""

from tests.rest import sent


def pytest_terminal_summary(terminalreporter):
    if sent.total:
        terminalreporter.write_line(f"{sent.total:,} odd requests were sent.")
