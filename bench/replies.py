"""Valid replies of every operation, written from the documented shapes."""

from collections.abc import Sequence

AXL = "http://www.cisco.com/AXL/API/8.5"
AST = "http://schemas.cisco.com/ast/soap"


def envelope(content: str) -> bytes:
    return (
        "<?xml version='1.0' encoding='UTF-8'?>"
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
        f"{content}</soapenv:Body></soapenv:Envelope>"
    ).encode()


def query_reply(rows: str) -> bytes:
    return envelope(
        f'<ns:executeSQLQueryResponse xmlns:ns="{AXL}" sequence="1">'
        f"<return>{rows}</return></ns:executeSQLQueryResponse>"
    )


def user_row(number: int) -> str:
    return (
        f"<row><pkid>0227450c-2bc3-5280-a60e-{number:012d}</pkid>"
        f"<userid>user{number}</userid>"
        f"<directoryuri>user{number}@example.com</directoryuri>"
        f"<mailid>user{number}@mail.example.com</mailid>"
        "<primarynodeid>2</primarynodeid><nodename>cup1.example.com</nodename>"
        "<tkuserprofile>1</tkuserprofile></row>"
    )


def axl_fault(code: int, text: str) -> bytes:
    return envelope(
        "<soapenv:Fault><faultcode>soapenv:Server</faultcode>"
        f"<faultstring>{text}</faultstring><detail><axlError><axlcode>{code}</axlcode>"
        f"<axlmessage>{text}</axlmessage><request>executeSQLQuery</request></axlError>"
        "</detail></soapenv:Fault>"
    )


COUNT = query_reply("<row><count>1</count></row>")
USERS = query_reply("".join(user_row(number) for number in range(20)))
UPDATED = envelope(
    f'<ns:executeSQLUpdateResponse xmlns:ns="{AXL}"><return>'
    "<rowsUpdated>1</rowsUpdated></return></ns:executeSQLUpdateResponse>"
)
VERSION = envelope(
    f'<ns:getCCMVersionResponse xmlns:ns="{AXL}"><return><componentVersion>'
    "<version>8.6.5.10000(12)</version></componentVersion></return>"
    "</ns:getCCMVersionResponse>"
)
AUTHENTICATED = envelope(
    f'<ns:doAuthenticateUserResponse xmlns:ns="{AXL}"><return>'
    "<userAuthenticated>true</userAuthenticated><code>0</code></return>"
    "</ns:doAuthenticateUserResponse>"
)
TOO_LARGE = axl_fault(
    -1,
    "Query request too large. Total rows matched: 2816 rows. "
    "Suggestive Row Fetch: less than 844 rows",
)
DUPLICATE = axl_fault(-239, "Could not insert new row")
UNAVAILABLE = (
    b"<html><body><h1>HTTP Status 599 - The specified version is not available.  "
    b"Available versions are 1.0, 6.0, 6.1, 7.0 and 7.1</h1></body></html>"
)


def _status(names: Sequence[str], up_time: int) -> str:
    items = "".join(
        f"<n:item><n:ServiceName>{name}</n:ServiceName>"
        "<n:ServiceStatus>Started</n:ServiceStatus><n:ReasonCode>-1</n:ReasonCode>"
        "<n:ReasonCodeString> </n:ReasonCodeString>"
        "<n:StartTime>Thu Jul 12 12:05:12 2012</n:StartTime>"
        f"<n:UpTime>{up_time}</n:UpTime></n:item>"
        for name in names
    )
    return (
        "<n:ReturnCode>0</n:ReturnCode><n:ReasonCode>-1</n:ReasonCode><n:ReasonString/>"
        f"<n:ServiceInfoList>{items}</n:ServiceInfoList>"
    )


def _list(names: Sequence[str]) -> str:
    items = "".join(
        f"<n:item><n:ServiceName>{name}</n:ServiceName>"
        "<n:ServiceType>Service</n:ServiceType><n:Deployable>true</n:Deployable>"
        "<n:GroupName>IM and Presence Services</n:GroupName>"
        "<n:Restrict>none</n:Restrict><n:DependentServices/></n:item>"
        for name in names
    )
    return f"<n:Services>{items}</n:Services>"


def _new(operation: str, content: str) -> bytes:
    return envelope(
        f'<n:{operation}Response xmlns:n="{AST}"><n:{operation}Return>{content}'
        f"</n:{operation}Return></n:{operation}Response>"
    )


def statuses(names: Sequence[str], up_time: int) -> bytes:
    """All of these services run, for so many seconds."""
    return _new("soapGetServiceStatus", _status(names, up_time))


def service_list(names: Sequence[str]) -> bytes:
    return _new("getStaticServiceListExtended", _list(names))


PROXY = ["Cisco SIP Proxy"]
STATUSES = statuses(PROXY * 3, 123)
CONTROLLED = _new("soapDoControlServices", _status(PROXY * 3, 123))
STATIC_LIST = service_list(PROXY)
PRODUCTS = _new(
    "getProductInformationList",
    "<n:ActiveServerVersion>12.5.1</n:ActiveServerVersion><n:Products><n:item>"
    "<n:ProductName>IM and Presence</n:ProductName>"
    "<n:ProductVersion>12.5.1</n:ProductVersion></n:item></n:Products>",
)
LEGACY_STATUSES = envelope(
    '<ns1:soapGetServiceStatusResponse xmlns:ns1="http://schemas.cisco.com/ast/soap/">'
    '<ServiceInformationResponse href="#id0"/></ns1:soapGetServiceStatusResponse>'
    '<multiRef id="id0"><ReturnCode>0</ReturnCode><ReasonCode>-1</ReasonCode>'
    '<ServiceInfoList><item href="#id1"/><item href="#id1"/>'
    "</ServiceInfoList></multiRef>"
    '<multiRef id="id1"><ServiceName>Cisco UP SIP Proxy</ServiceName>'
    '<ServiceStatus href="#id2"/><ReasonCode>-1</ReasonCode><UpTime>5</UpTime>'
    "</multiRef>"
    '<multiRef id="id2">Started</multiRef>'
)
