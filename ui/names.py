"""Long names where there is little room."""

# So long a name fits the head of a dense matrix.
FITTING = 20


def shorten_name(name: str) -> str:
    """Leave out the middle of a long name: what tells two apart is mostly their end."""
    if len(name) <= FITTING:
        return name
    end = FITTING // 2
    return f"{name[: FITTING - end - 1]}…{name[-end:]}"
