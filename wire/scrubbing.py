"""Makes XML of what clusters send in its place, before a parser sees it."""

import codecs
import re

_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.-]{1,40})")
_SINGLE_BYTE = {"iso-8859-1", "latin1", "latin-1", "windows-1252", "cp1252"}
_CONTROL = bytes(x for x in range(32) if x not in (9, 10, 13))
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_TOKEN = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)|\]\]>|<!--|<!\[CDATA\[|<\?")
_NUMERIC = re.compile(r"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,10}));")
_OPENING = re.compile(r"[<&\]]")
_VERBATIM = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}
# Every token has one of these.
_RARE = "&!?]"
# No token is longer, nor two references of which one means nothing.
_AHEAD = 32
_MAX_HEAD = 512
# Blanks, and the byte order mark: before an XML declaration the parser takes neither.
_BLANK = b" \t\r\n\xef\xbb\xbf"
MARK = "\ufffd"


class Scrubber:
    """Decodes a message and repairs what keeps it from being XML.

    Bytes that are no UTF-8, and characters and references that XML forbids, become
    U+FFFD: marked, not lost. Two references to the halves of a surrogate pair become
    their character. An ampersand that begins no reference stays an ampersand, and
    `]]>` in a text stays what it shows. Blanks before the message are left out: the
    parser takes none before a declaration. Tags are left alone: what is wrong with
    them is for the parser to refuse.

    The text is the same however the bytes are cut into pieces.
    """

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = None
        self._head = b""
        self._held = ""
        self._end = ""

    def scrub(self, data: bytes, final: bool = False) -> str:
        text = self._held + self._characters(data, final)
        if self._end or any(mark in text for mark in _RARE):
            return self._repaired(text, final)
        keep = len(text) - (text.endswith("<") and not final)
        self._held = text[keep:]
        return text[:keep]

    def _characters(self, data: bytes, final: bool) -> str:
        if self._decoder is None:
            self._head = (self._head + data).lstrip(_BLANK)
            if b">" not in self._head and len(self._head) < _MAX_HEAD and not final:
                return ""
            data, self._head = self._head, b""
            self._decoder = codecs.getincrementaldecoder(_encoding(data))("replace")
        text = self._decoder.decode(data, final)
        controls = len(data.translate(None, _CONTROL)) != len(data)
        if controls or "\ufffe" in text or "\uffff" in text:
            text = _FORBIDDEN.sub(MARK, text)
        return text

    def _repaired(self, text: str, final: bool) -> str:
        """Repair all but an end of the text that more text could give a meaning."""
        sure = len(text) if final else len(text) - _AHEAD
        pieces: list[str] = []
        at = 0
        while True:
            if self._end:
                at = self._copy(text, at, final, pieces)
                if self._end:
                    break
            token = _TOKEN.search(text, at)
            if token is None or token.start() >= sure:
                stop = None if final else _OPENING.search(text, max(at, sure))
                end = stop.start() if stop else len(text)
                pieces.append(text[at:end])
                at = end
                break
            pieces.append(text[at : token.start()])
            repaired, at = self._token(text, token)
            pieces.append(repaired)
        self._held = text[at:]
        return "".join(pieces)

    def _copy(self, text: str, at: int, final: bool, pieces: list[str]) -> int:
        """Copy a section whose content is no markup, as far as it is there."""
        end = text.find(self._end, at)
        if end >= 0:
            end += len(self._end)
            self._end = ""
        else:
            end = len(text) if final else max(at, len(text) - len(self._end) + 1)
        pieces.append(text[at:end])
        return end

    def _token(self, text: str, token: re.Match[str]) -> tuple[str, int]:
        """Give what stands for a token, and where the text goes on behind it."""
        if token[0] == "&":
            return _reference(text, token.start())
        if token[0] == "]]>":
            return "]]&gt;", token.end()
        self._end = _VERBATIM[token[0]]
        return token[0], token.end()


def _encoding(head: bytes) -> str:
    declared = _DECLARED.match(head)
    name = declared[1].decode().lower() if declared else ""
    return "cp1252" if name in _SINGLE_BYTE else "utf-8"


def _reference(text: str, at: int) -> tuple[str, int]:
    found = _NUMERIC.match(text, at)
    if not found:
        return "&amp;", at + 1
    code = _code(found)
    if 0xD800 <= code < 0xDC00 and (low := _NUMERIC.match(text, found.end())):
        half = _code(low) - 0xDC00
        if 0 <= half < 0x400:
            return chr(0x10000 + (code - 0xD800) * 0x400 + half), low.end()
    return found[0] if _allowed(code) else MARK, found.end()


def _code(reference: re.Match[str]) -> int:
    return int(reference[1], 16) if reference[1] else int(reference[2])


def _allowed(code: int) -> bool:
    return (
        code in (9, 10, 13)
        or 0x20 <= code < 0xD800
        or 0xE000 <= code < 0xFFFE
        or 0x10000 <= code < 0x110000
    )
