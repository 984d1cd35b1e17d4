"""A site in each markup, without entries."""

from collections.abc import Iterator

import pytest

from tests.pages.site import Site
from tests.pages.skins import Cells, Labels, Scripts


@pytest.fixture(params=[Cells, Labels, Scripts], ids=["cells", "labels", "scripts"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with Site(request.param()) as made:
        yield made
