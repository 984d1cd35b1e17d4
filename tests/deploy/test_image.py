"""The image: built by its own instructions on a bare Debian, started as it starts."""

import shlex

import pytest

from tests.deploy.image import SERVICES, Image

pytestmark = pytest.mark.servers

# Asks from inside, where the image has Python and no curl.
ASK = """
import re, time, urllib.request

def ask(path):
    return urllib.request.urlopen("http://127.0.0.1:8000" + path).read().decode()

end = time.monotonic() + 120
while True:
    try:
        ask("/readyz?deep=1")
        break
    except OSError:
        if time.monotonic() > end:
            raise
        time.sleep(0.2)
print("ready")
page = ask("/")
print("signs in" if 'type="password"' in page else page)
style = re.search(r'href="(/static/[^"]+[.]css)"', page)[1]
print("styled" if "{" in ask(style) else "bare")
"""
VARIABLES = {
    "CUPADMIN_SECRET_KEY": "x" * 50,
    "CUPADMIN_ALLOWED_HOSTS": "127.0.0.1",
}


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return Image(tmp_path_factory.mktemp("image"))


def test_it_is_built_and_serves_the_console(image):
    (prepare,) = SERVICES["prepare"]["command"]
    script = f"""
        set -e
        id -u
        touch /opt/cupadmin/written 2>/dev/null && echo writable
        {prepare}
        {image.command("worker")} >&2 &
        {image.command("beat")} >&2 &
        {image.command("web")} >&2 &
        python3 -c {shlex.quote(ASK)}
    """
    lines = image.start(script, VARIABLES).splitlines()
    assert lines == ["10001", "ready", "signs in", "styled"]
