"""Which certificates clusters trust, as they were read last, for the judgement."""

from collections import Counter
from collections.abc import Mapping

from diagnostics.facts import ExchangedTrust
from exchange.judge import Sum, TrustCheck, TrustOutcome, TrustState
from exchange.pairs import TrustData, load_certificates

SHOWN = 3
# Whoever sees a peer may not see the nodes of its remote cluster: they are not named.
WORDS = {
    TrustState.MISSING: "misses",
    TrustState.OLD: "holds an old certificate in place of",
    TrustState.TRUSTED: "trusts, though it has expired,",
}


def exchanged_trust() -> Mapping[tuple[str, str], ExchangedTrust]:
    """Judge each peer between clusters of the console."""
    found = load_certificates()
    return {pair: of_pair(found, *pair) for pair in found.pairs()}


def of_pair(found: TrustData, home: str, remote: str) -> ExchangedTrust:
    there = found.clusters[remote]
    nodes = found.clusters[home].nodes
    cells = [found.cell(node, there) for node in nodes]
    at = min((node.seen_at for node in nodes if node.seen_at), default=None)
    outcomes = {cell.outcome for cell in cells}
    worst = next((one for one in TrustOutcome if one in outcomes), TrustOutcome.UNKNOWN)
    days = min((cell.days for cell in cells if cell.days is not None), default=None)
    problem = ""
    if worst is TrustOutcome.FAILED:
        bad = [c for node in nodes for c in found.of_node(node, there).wrong]
        problem = in_words(bad)
    elif worst is TrustOutcome.UNKNOWN:
        said = (unknown_because(found.of_node(node, there)) for node in nodes)
        problem = next(filter(None, said), "")
    return ExchangedTrust(worst.value, days, problem, at)


def unknown_because(found: Sum) -> str:
    """Say why it is not known what a node trusts; empty if it is."""
    for check in found.checks:
        if check.state is TrustState.UNKNOWN:
            if check.certificate is None:
                return "A certificate of the remote cluster is not known."
            return check.home.problem or (
                f"The trust list of {check.home.name} could not be read whole."
            )
    return ""


def in_words(bad: list[TrustCheck]) -> str:
    counts = Counter((one.home.name, one.state, one.service) for one in bad)
    said = [
        f"{node} {WORDS[state]} the {service} certificate of {number} remote "
        f"node{'' if number == 1 else 's'}"
        for (node, state, service), number in counts.items()
        if state in WORDS
    ]
    more = f" and {len(said) - SHOWN} more" if len(said) > SHOWN else ""
    return f"{'; '.join(said[:SHOWN])}{more}."
