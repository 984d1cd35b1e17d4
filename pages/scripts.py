"""What the simplest scripts of a button do, read but never run.

Many pages give a hidden field the name of the button and send the form. That much is
understood from the text of the page; what does anything more needs a browser.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

_CALL = re.compile(
    r"\s*+(?:javascript:)?+\s*+(?:return\s++)?+([A-Za-z_$][\w$]*+)"
    r"\s*+\(([^()]{0,300})\)\s*+;?+\s*+(?:return\s++(?:false|true)\s*+;?+)?+\s*+"
)
_INNER = re.compile(r"(?<![.\w$])([A-Za-z_$][\w$]*+)\s*+\(([^()]{0,300})\)")
_DEEPEST = 3
_FUNCTION = re.compile(r"function\s+([A-Za-z_$][\w$]*)\s*\(([^()]{0,200})\)\s*\{")
_LITERAL = r"(?:'([^'\\]{0,300})'|\"([^\"\\]{0,300})\"|([A-Za-z_$][\w$]*))"
_SETS = re.compile(
    r"(?:\[\s*['\"]([\w.-]+)['\"]\s*\]|getElementById\(\s*['\"]([\w.-]+)['\"]\s*\)"
    r"|\.([A-Za-z_$][\w$]*))\.value\s*=\s*" + _LITERAL
)
_VAL = re.compile(r"\$\(\s*['\"]#([\w.-]+)['\"]\s*\)\.val\(\s*" + _LITERAL + r"\s*\)")
_ACTION = re.compile(r"\.action\s*=\s*" + _LITERAL)
_GOES = re.compile(
    r"(?:\blocation(?:\.href)?\s*=\s*"
    r"|\blocation\.(?:assign|replace)\s*\(\s*|\bwindow\.open\s*\(\s*)" + _LITERAL
)
# A form by its name: document.peerForm, document.forms['peerForm'].
_FORM = re.compile(
    r"(?:\bforms\[\s*['\"]([\w.-]+)['\"]\s*\]|\bforms\.([\w$]+)|\bdocument\.([A-Za-z_$][\w$]*)"
    r"|getElementById\(\s*['\"]([\w.-]+)['\"]\s*\))\.(?:submit|requestSubmit)\s*\("
)
_SUBMITS = re.compile(r"\.(?:submit|requestSubmit)\s*\(\s*\)")
_CONFIRMS = re.compile(r"\b(?:confirm|prompt)\s*\(")
_GUARD = re.compile(r"(?<![\w$])([A-Za-z_$][\w$]*+)\s*+===?\s*+['\"]([^'\"]*+)['\"]")


@dataclass(frozen=True)
class ScriptEffect:
    """What a button does: fields that get a value, then a form sent or a page opened.

    Args:
        asks: a question comes first.
        requests: the form is asked to send itself, so that its own handler comes first.
    """

    sets: tuple[tuple[str, str], ...] = ()
    submits: bool = False
    action: str = ""
    goes: str = ""
    asks: bool = False
    form: str = ""
    requests: bool = False


def calls_missing(handlers: Iterable[str], scripts: str) -> bool:
    """Whether a handler calls a function that the scripts do not define."""
    calls = (_CALL.fullmatch(handler) for handler in handlers)
    names = {call[1] for call in calls if call}
    return bool(names - {one[1] for one in _FUNCTION.finditer(scripts)})


def effect_of(handler: str, scripts: str) -> ScriptEffect | None:
    """Read what a handler does; None where it does more than is understood."""
    if found := _simple_effect(handler, {}):
        return found
    call = _CALL.fullmatch(handler)
    return (
        _effect_of_call(call[1], _arguments(call[2], {}), scripts, _DEEPEST)
        if call
        else None
    )


def _effect_of_call(
    name: str, given: Sequence[str | None], scripts: str, depth: int
) -> ScriptEffect | None:
    """Read what a function of the page does with these arguments."""
    function = _function(name, scripts)
    if function is None or not depth:
        return None
    parameters, body = function
    values = dict(zip(parameters, given, strict=False))
    if found := _simple_effect(body, values):
        return found
    # A function that only calls another one, perhaps after a question.
    calls = [one for one in _INNER.finditer(body) if f"function {one[1]}" in scripts]
    if len(calls) != 1:
        return None
    inner = _effect_of_call(
        calls[0][1], _arguments(calls[0][2], values), scripts, depth - 1
    )
    confirms = any(
        _asks_first(body, one.start(), values) for one in _CONFIRMS.finditer(body)
    )
    return replace(inner, asks=inner.asks or confirms) if inner else None


def _simple_effect(body: str, values: dict[str, str | None]) -> ScriptEffect | None:
    confirms = any(
        _asks_first(body, one.start(), values) for one in _CONFIRMS.finditer(body)
    )
    sets = []
    for one in _SETS.finditer(body):
        value = _argument_value(one.groups()[3:], values)
        if value is None:
            return None
        sets.append((one[1] or one[2] or one[3], value))
    for one in _VAL.finditer(body):
        value = _argument_value(one.groups()[1:], values)
        if value is None:
            return None
        sets.append((one[1], value))
    action = _found_value(_ACTION, body, values)
    if _SUBMITS.search(body):
        named = _FORM.search(body)
        name = next(filter(None, named.groups()), "") if named else ""
        requests = "requestSubmit" in body
        return ScriptEffect(tuple(sets), True, action, "", confirms, name, requests)
    goes = _found_value(_GOES, body, values)
    return ScriptEffect((), False, "", goes, confirms) if goes else None


def _found_value(
    pattern: re.Pattern[str], body: str, values: dict[str, str | None]
) -> str:
    one = pattern.search(body)
    return (_argument_value(one.groups(), values) or "") if one else ""


def _argument_value(
    texts: tuple[str | None, ...], values: dict[str, str | None]
) -> str | None:
    single, double, name = texts
    if name is not None:
        return values.get(name)
    return single if single is not None else double


def _asks_first(body: str, at: int, values: dict[str, str | None]) -> bool:
    """Whether a question comes for these values: not where a condition excludes it."""
    start = max(body.rfind(mark, 0, at) for mark in ";{}")
    for name, expected in _GUARD.findall(body[start + 1 : at]):
        if name in values and values[name] != expected:
            return False
    return True


def _arguments(text: str, values: dict[str, str | None]) -> list[str | None]:
    return [_argument(one.strip(), values) for one in text.split(",")]


def _argument(text: str, values: dict[str, str | None]) -> str | None:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text if text.isdigit() else values.get(text)


def _function(name: str, scripts: str) -> tuple[list[str], str] | None:
    """Give the parameters and the body of a function of the page."""
    for found in _FUNCTION.finditer(scripts):
        if found[1] == name:
            parameters = [one.strip() for one in found[2].split(",") if one.strip()]
            return parameters, _body(scripts, found.end())
    return None


def _body(scripts: str, start: int) -> str:
    depth = 1
    for at in range(start, min(len(scripts), start + 5000)):
        if scripts[at] == "{":
            depth += 1
        elif scripts[at] == "}":
            depth -= 1
            if not depth:
                return scripts[start:at]
    return ""
