"""The help pages say what the code says."""

import pytest

from moc import rules
from moc.access.roles import PERMISSIONS
from moc.apps import own_models
from moc.help.drawing import draw
from registry.ders.dictionary import FIELDS
from registry.submissions.models import Submission

PAGES = ("", "data-dictionary/", "rules/", "lifecycles/", "roles/")


def html_of(client, page: str) -> str:
    response = client.get(f"/help/{page}")
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_strangers_sign_in_first(client_of, db, page):
    assert client_of(None).get(f"/help/{page}").status_code == 302


def test_the_dictionary_names_every_column_and_its_standards(world, client_of):
    html = html_of(client_of(world.nobody), "data-dictionary/")
    assert [name for name in FIELDS if f'id="{name}"' not in html] == []
    for term in ("WMaxRtg", "DERCapability.rtgMaxW", "Asset.serialNumber", "lv_trip"):
        assert term in html


def test_the_rules_are_told_with_sentence_and_remedy(world, client_of):
    html = html_of(client_of(world.nobody), "rules/")
    assert rules.registry
    assert [code for code in rules.registry if f'id="{code}"' not in html] == []
    assert "Energy storage has an energy capacity in kWh." in html and "Fill energy_capacity_kwh." in html


def test_every_lifecycle_is_drawn(world, client_of):
    html = html_of(client_of(world.nobody), "lifecycles/")
    for model in own_models():
        if hasattr(model, "lifecycle"):
            assert f'id="{model._meta.model_name}"' in html
            for move in model.lifecycle.transitions.values():
                assert f"{move.title}</th>" in html


def test_every_permission_has_its_anchor(world, client_of):
    html = html_of(client_of(world.nobody), "roles/")
    assert [name for name in PERMISSIONS if f"<code>{name}</code>" not in html] == []
    assert html.count('id="audit"') == 1


def test_a_drawing_has_every_status_and_move_and_no_box_on_another():
    labels = dict(Submission.Status.choices)
    drawing = draw(Submission.lifecycle, labels)
    assert {box.status for box in drawing.boxes} == set(labels)
    places = [(box.x, box.y) for box in drawing.boxes]
    assert len(set(places)) == len(places)
    bundles = {(source, move.target) for move in Submission.lifecycle.transitions.values() for source in move.sources}
    assert len(drawing.curves) == len(bundles)
    assert [number for number, *_ in drawing.moves] == list(range(1, len(Submission.lifecycle.transitions) + 1))
