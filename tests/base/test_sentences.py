"""Tests assert codes and values; sentences change, and no test may mind."""

import ast
import re

from tests.base.test_names import ROOT, modules

# So many words in a row are a sentence, or a part of one.
LEAST = 4
# What these assert is the vendor's text, which the product reads.
VENDORS = ("lab", "pages")
VENDOR = re.compile("Standard (AXL|CCM) |Cisco |-206 ")
# Actions of the audit trail are stored: they are names.
ACTIONS = ("set up second factor", "switch off second factor")


def words_of(text):
    return " ".join(
        re.findall(r"[A-Za-z][\w'’-]*", re.sub("<[^>]*>", " ", text))
    ).lower()


def texts_of(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                yield node.value
            elif isinstance(node.value, bytes):
                yield node.value.decode("latin-1")


def product_texts():
    for _, tree in modules():
        yield from texts_of(tree)
    for path in sorted((ROOT / "templates").rglob("*.*")):
        # What a tag puts in is no part of the sentence around it.
        yield re.sub(r"\{[{%#].*?[}%#]\}", "\n|\n", path.read_text(), flags=re.S)


def asserted(tree):
    """The texts that assertions quote, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            where = [node.test]
        elif isinstance(node, ast.Call):
            where = [one.value for one in node.keywords if one.arg == "match"]
        else:
            continue
        for part in where:
            yield from ((node.lineno, text) for text in texts_of(part))


def test_no_assertion_quotes_a_sentence():
    product = "\n".join(map(words_of, product_texts()))
    quoted = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if path.relative_to(ROOT).parts[1] not in VENDORS
        for line, text in asserted(ast.parse(path.read_text()))
        if min(len(words_of(text).split()), len(text.split())) >= LEAST
        and not VENDOR.match(text)
        and text not in ACTIONS
        and words_of(text) in product
    ]
    assert not quoted, "\n".join(quoted)
