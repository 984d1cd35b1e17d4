"""A list of services is whole, or an error."""

import pytest

from bench import replies
from wire import Code, WireError
from wire.services import items_of, read_infos, read_statuses, result_of
from wire.xml import parse_message

NAMES = ["A", "B", "C"]


def statuses(body):
    message = parse_message(body, "cup1")
    items = items_of(message, result_of(message), "ServiceInfoList")
    return [x.name for x in read_statuses(message, items)]


def infos(body):
    return [x.name for x in read_infos(parse_message(body, "cup1"))]


LISTS = [
    (statuses, replies.statuses(NAMES, 5)),
    (infos, replies.service_list(NAMES)),
]


@pytest.mark.parametrize(("read", "body"), LISTS)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<n:ServiceName>B</n:ServiceName>", b""),
        (b"<n:ServiceName>B</n:ServiceName>", b"<n:ServiceName/>"),
        (
            b"</n:item><n:item><n:ServiceName>B<",
            b"</n:item><n:item>&gt;</n:item><n:item><n:ServiceName>B<",
        ),
        (
            b"<n:ServiceName>B</",
            b"<n:ServiceName>B<n:item><n:ServiceName>B</n:ServiceName></n:item></",
        ),
        (b"<n:ServiceName>B</", b"</n:item><n:item><n:ServiceName></"),
        (b"</n:item><n:item><n:ServiceName>B<", b"<n:ServiceName>B<"),
        (b"<n:ServiceName>B<", b"<n:item/><n:ServiceName>B<"),
    ],
)
def test_service_that_lost_its_name_is_not_left_out(read, body, old, new):
    assert old in body
    with pytest.raises(WireError) as caught:
        read(body.replace(old, new, 1))
    assert caught.value.code is Code.NOT_SOAP


@pytest.mark.parametrize(("read", "body"), LISTS)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"</n:item><n:item>", b"</n:item><n:item/><n:item> </n:item><n:item>"),
        (b"n:item>", b"n:itex>"),
        (b"</n:item><n:item>", b"</n:item></n:LIST><n:LIST><n:item>"),
    ],
)
def test_services_are_all_there_whatever_their_items_are_called(read, body, old, new):
    name = b"ServiceInfoList" if b"ServiceInfoList" in body else b"Services"
    assert read(body.replace(old, new.replace(b"LIST", name))) == NAMES


def test_second_result_is_not_left_out():
    again = b"</n:soapGetServiceStatusReturn><n:soapGetServiceStatusReturn>"
    body = replies.statuses(NAMES, 5)
    with pytest.raises(WireError):
        statuses(body.replace(b"<n:ServiceInfoList>", again + b"<n:ServiceInfoList>"))


@pytest.mark.parametrize("twice", ["n:soapGetServiceStatusResponse", "soapenv:Body"])
def test_second_answer_is_never_passed_over(twice):
    body = replies.statuses(NAMES, 5)
    start, end = body.index(f"<{twice}".encode()), body.rindex(f"</{twice}>".encode())
    whole = body[start : end + len(twice) + 3]
    with pytest.raises(WireError) as refused:
        statuses(body.replace(whole, whole * 2))
    assert refused.value.code is Code.NOT_SOAP


@pytest.mark.parametrize(
    "behind", [b"<a>", b"x", b"</soapenv:Body></soapenv:Envelope>"]
)
def test_what_follows_the_envelope_is_damage_after_a_first_error_too(behind):
    body = replies.statuses(NAMES, 5).replace(b"XMLSchema-", b"XMLSchema\xef\xbf\xbd-")
    assert statuses(body + b"<!-- x --> \n<?y z?>") == NAMES
    with pytest.raises(WireError) as refused:
        statuses(body + behind)
    assert refused.value.code is Code.NOT_SOAP
