"""What is wrong with a file that a person wrote."""


class Unreadable(ValueError):
    """The file as a whole cannot be used; the text says where and why.

    Args:
        code: what is wrong, as a word that never changes.
    """

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.code = code
