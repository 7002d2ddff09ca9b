"""Lost updates: a page that changes a record which exists is refused unless it says which version of it was seen (N11, N13)."""

import pytest
from django.db import transaction

from tests.contracts.doors import WRITES, address
from tests.contracts.scene import MACHINES, OWN, written
from tests.factories.browser import is_versioned

pytestmark = pytest.mark.usefixtures("cheap")
FORMS = [(route, write) for route, write in WRITES if write.method == "post" and not route.route.startswith(("api/", "admin/"))]


def test_every_update_door_refuses_a_form_without_its_version(scene):
    """The form's own body with which the writing succeeds, without the hidden field: a sentence, and nothing is changed."""
    asked, wrong = 0, []
    for route, write in FORMS:
        url = address(route, scene, write)
        if not is_versioned(url):
            continue
        asked += 1
        actor = OWN if OWN in write.may else sorted(write.may - MACHINES)[0]
        with transaction.atomic():
            before = written()
            response = scene.clients[actor].post(url, write.body(scene) if callable(write.body) else write.body, bare=True, follow=True)
            touched = {table for table, count in written().items() if count != before.get(table, 0)}
            said = "does not say which version" in response.content.decode()
            transaction.set_rollback(True)
        if touched or not said:
            wrong.append((url, actor, response.status_code, sorted(touched)))
    assert asked > 20 and not wrong
