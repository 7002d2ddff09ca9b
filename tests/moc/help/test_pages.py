"""The help pages say what the code says."""

import pytest

from moc import rules
from moc.access.classes import DataClass
from moc.access.roles import PERMISSIONS
from moc.apps import own_models
from moc.help import governance
from moc.help.drawing import draw
from registry.ders.dictionary import FIELDS
from registry.submissions.models import Submission

PAGES = ("", "data-dictionary/", "rules/", "lifecycles/", "roles/", "data-governance/")


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


def test_governance_names_every_table_and_field(world, client_of):
    """N12: a new model is among them by itself, and every column in exactly one group."""
    html = html_of(client_of(world.nobody), "data-governance/")
    assert [model for model in own_models() if f'id="{model._meta.db_table}"' not in html] == []
    found = {dataset.table: dataset for _, datasets in governance.datasets() for dataset in datasets}
    for model in own_models():
        dataset = found[model._meta.db_table]
        shown = [name for group in dataset.groups for name in group.fields]
        sealed = set(getattr(model, "personal", ()))
        assert sorted(shown) == sorted({field.name for field in model._meta.concrete_fields} | sealed), model
        assert dataset.basis and dataset.about, model


def test_governance_tells_readers_as_policy_takes_them(world):
    """N3, N12: owners' personal data are read by those roles of aggregator and utility that hold the permission, and by no overseer."""
    found = {dataset.table: dataset for _, datasets in governance.datasets() for dataset in datasets}
    facts, personal, secret = found["registry_derowner"].groups
    assert personal.fields == ("edc_account_no", "owner_name", "owner_email", "owner_phone")
    assert dict(personal.who) == {
        "The aggregator of the record": "filer, approver, administrator",
        "The utility of the record": "reviewer, approver, administrator",
    }
    of_ders = dict(found["registry_der"].groups[0].who)
    assert of_ders["The utility of the record"] == "every role" and "Regulator and RTO that oversee one of these" in of_ders
    assert dict(found["moc_accessentry"].groups[0].who)["The organization of the record"] == "who may read every version and who wrote it"
    assert facts.fields and secret.who == (("Nobody", ""),)
    assert found["registry_der"].basis.endswith("¶336)") and found["moc_accessentry"].basis.endswith("(not verified)")
    assert "kept 7 years at least (not verified), archived after 730 days (not verified)" in found["moc_accessentry"].kept
    assert found["registry_county"].groups[0].who == (("Everybody signed in", ""),)
    assert dict(found["registry_stagedder"].groups[0].who).keys() >= {"The utility of the record, once it concerns it"}
    assert (found["registry_der"].owner, found["registry_der"].data_class) == ("the aggregator", DataClass.REGISTRY)
    assert found["registry_derowner"].custodian == governance.KEYED and found["moc_job"].owner == "the person"


def test_a_drawing_has_every_status_and_move_and_no_box_on_another():
    labels = dict(Submission.Status.choices)
    drawing = draw(Submission.lifecycle, labels)
    assert {box.status for box in drawing.boxes} == set(labels)
    places = [(box.x, box.y) for box in drawing.boxes]
    assert len(set(places)) == len(places)
    bundles = {(source, move.target) for move in Submission.lifecycle.transitions.values() for source in move.sources}
    assert len(drawing.curves) == len(bundles)
    assert [number for number, *_ in drawing.moves] == list(range(1, len(Submission.lifecycle.transitions) + 1))
