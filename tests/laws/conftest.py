"""An excused law must fail: an excuse that no longer holds is an error."""

import pytest

from tests.laws.helper import NAMES, StandIn
from zeuxis import catalog
from zeuxis.engine import state


@pytest.fixture(autouse=True)
def no_weights_of_other_people(monkeypatch):
    monkeypatch.setattr(state, "fixed_net", lambda name: StandIn())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    excused = {name: catalog.load(name).excused for name in NAMES}
    for item in items:
        law = getattr(getattr(item, "function", None), "law", None)
        name = getattr(item, "callspec", None) and item.callspec.params.get("name")
        if law and law in excused.get(name, {}):
            item.add_marker(pytest.mark.xfail(reason=excused[name][law], strict=True, raises=AssertionError))
