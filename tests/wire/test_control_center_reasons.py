"""What a node says to a command, with the codes of several releases."""

import pytest

from tests.wire.server import Server, soap
from wire import ControlCenterClient, Unlimited, run_loop
from wire.control_center_reasons import in_words

ITEM = (
    "<item><ServiceName>{name}</ServiceName><ServiceStatus>Started</ServiceStatus>"
    "<ReasonCode>{code}</ReasonCode><ReasonCodeString>{text}</ReasonCodeString></item>"
)


def answer(items="", code="-1", text=""):
    return soap(
        '<n:r xmlns:n="http://schemas.cisco.com/ast/soap"><n:return><ReturnCode>0'
        f"</ReturnCode><ReasonCode>{code}</ReasonCode><ReasonString>{text}"
        f"</ReasonString><ServiceInfoList>{items}</ServiceInfoList></n:return></n:r>"
    )


def control(sentence, action="restart"):
    statuses = answer(ITEM.format(name="Cisco SIP Proxy", code=-1, text=""))

    async def main():
        async with Server(statuses, sentence) as server:
            client = ControlCenterClient(server.node(), limiter=Unlimited())
            async with client as center:
                return await center.control(action, ["Cisco SIP Proxy"])

    [result] = run_loop(main())
    return result


@pytest.mark.parametrize("action", ["start", "stop", "restart"])
@pytest.mark.parametrize(
    ("code", "text", "ok"),
    [
        ("0", "OK", True),
        ("0", "", True),
        ("0", "Success.", True),
        ("-1", "", True),
        ("0", "Not permitted", False),
        ("1", "OK", False),
        ("-1013", "OK", False),
        ("zero", "OK", False),
    ],
)
def test_a_command_is_accepted_by_minus_one_and_by_an_ok(action, code, text, ok):
    item = ITEM.format(name="Cisco SIP Proxy", code=code, text=text)
    assert control(answer(item), action).ok is ok
    assert control(answer("", code, text), action).ok is ok


def test_the_words_of_an_ok_are_kept():
    assert in_words(0, "OK") == "OK"
    assert in_words(0) == "successful"
