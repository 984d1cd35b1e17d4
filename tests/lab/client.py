"""Raw HTTP and SOAP, to ask the lab as any client might."""

import base64
import http.client
import socket
import ssl
from dataclasses import dataclass

from lxml import etree

from lab import LabNode

ENVELOPE = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{}'
    "</e:Body></e:Envelope>"
)
CENTER = "/controlcenterservice2/services/ControlCenterServices"
EXTENDED = CENTER + "Ex"
LEGACY = "/controlcenterservice/services/ControlCenterServicesPort"
NS = "http://schemas.cisco.com/ast/soap"
AGENT = {"cup7": "Cisco UP Intercluster Sync Agent"}
AGENT["cup8"] = AGENT["cup7"]
AGENT["imp"] = "Cisco Intercluster Sync Agent"


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def all(self, name):
        root = etree.fromstring(self.body)
        return [e for e in root.iter() if etree.QName(e).localname == name]

    def one(self, name):
        return self.all(name)[0].text

    def rows(self):
        return [{c.tag: c.text for c in row} for row in self.all("row")]


def context():
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    result.check_hostname = False
    result.verify_mode = ssl.CERT_NONE
    return result


def connect(node, timeout=60):
    return http.client.HTTPSConnection(
        node.address, node.axl_port, timeout=timeout, context=context()
    )


def basic(user, password):
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {token}"}


def ask_node(
    node: LabNode, method, path, body=b"", headers=None, user=None, timeout=60
):
    """Send one request on a connection of its own."""
    connection = connect(node, timeout)
    user = user or (node.cluster.axl_username, node.cluster.axl_password)
    credentials = basic(*user) if user != "nobody at all" else {}
    try:
        connection.request(method, path, body, {**credentials, **(headers or {})})
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def newest(node):
    return node.cluster.release.schemas[-1]


def axl(node, operation, inner="", *, version=None, namespace=None, **more):
    version = version or newest(node)
    body = ENVELOPE.format(
        f'<n:{operation} sequence="42" '
        f'xmlns:n="http://www.cisco.com/AXL/API/{namespace or version}">'
        f"{inner}</n:{operation}>"
    )
    headers = {
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": f'"CUCM:DB ver={version} {operation}"',
    } | more.pop("headers", {})
    return ask_node(node, "POST", "/axl/", body.encode(), headers, **more)


def query(node, sql, **more):
    return axl(node, "executeSQLQuery", f"<sql>{escape(sql)}</sql>", **more)


def update(node, sql, **more):
    return axl(node, "executeSQLUpdate", f"<sql>{escape(sql)}</sql>", **more)


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def center(node, operation, inner="<s:ServiceStatus/>", path=CENTER, **more):
    body = ENVELOPE.format(f'<s:{operation} xmlns:s="{NS}">{inner}</s:{operation}>')
    headers = {"Content-Type": "text/xml", "SOAPAction": f'"{operation}"'}
    return ask_node(
        node, "POST", path, body.encode(), headers | more.pop("headers", {})
    )


def legacy(node, operation, inner="<ServiceStatus/>"):
    body = ENVELOPE.format(f'<s:{operation} xmlns:s="{NS}/">{inner}</s:{operation}>')
    headers = {"Content-Type": "text/xml", "SOAPAction": '"whatever"'}
    return ask_node(node, "POST", LEGACY, body.encode(), headers)


def control(node, action, *names, node_name=""):
    items = "".join(f"<s:item>{name}</s:item>" for name in names)
    named = f"<s:NodeName>{node_name}</s:NodeName>" if node_name else ""
    return center(
        node,
        "soapDoControlServices",
        f"<s:ControlServiceRequest>{named}<s:ControlType>{action}</s:ControlType>"
        f"<s:ServiceList>{items}</s:ServiceList></s:ControlServiceRequest>",
    )


def status_of(node, name):
    reply = center(
        node, "soapGetServiceStatus", f"<s:ServiceStatus>{name}</s:ServiceStatus>"
    )
    return reply.one("ServiceStatus")


def options(node, transport="UDP", *, tls=None, port=None, timeout=60, wait=True):
    """Send SIP OPTIONS; return the answer, which is empty when there is none."""
    message = (
        f"OPTIONS sip:{node.address} SIP/2.0\r\n"
        f"Via: SIP/2.0/{transport} 127.0.0.1:5999;branch=z9hG4bKx;rport\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:probe@127.0.0.1>;tag=a\r\n"
        f"To: <sip:{node.address}>\r\nCall-ID: one@lab\r\nCSeq: 1 OPTIONS\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()
    kind = socket.SOCK_DGRAM if transport == "UDP" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as plain:
        plain.settimeout(timeout)
        plain.connect((node.address, port or node.sip_port))
        wrapped = tls.wrap_socket(plain) if tls else plain
        wrapped.send(message)
        try:
            return wrapped.recv(4096).decode()
        except TimeoutError:
            return ""
        finally:
            wrapped.close()
