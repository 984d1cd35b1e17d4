"""The home nodes of users, by the ids that a cluster's node table gives them."""

NO_PLACE = "no enterprise node"


class HomeNodes(dict[str, str]):
    """The names of the home nodes by their ids; who has no id has no home node."""

    def __missing__(self, place: str) -> str:
        return self.setdefault(place, f"{NO_PLACE} {place}")


def is_unlisted(node: str) -> bool:
    """Tell a home node that the node table does not list."""
    return node.startswith(f"{NO_PLACE} ")
