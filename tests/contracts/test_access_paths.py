"""Every concrete model of ours says who may see its rows, and is in the workplace."""

from types import SimpleNamespace

from django.contrib import admin

from moc.access.checks import access_paths_declared
from moc.access.policy import paths_of
from moc.admin import RecordAdmin
from moc.apps import own_models


def test_the_system_check_finds_nothing():
    assert access_paths_declared(None) == []


def test_the_system_check_finds_a_model_without_a_word(monkeypatch):
    nameless = SimpleNamespace(_meta=SimpleNamespace(label="moc.Nameless"))
    monkeypatch.setattr("moc.access.checks.own_models", lambda: [nameless])
    assert [error.id for error in access_paths_declared(None)] == ["moc.E001"]


def test_history_inherits_the_words_of_its_model():
    recorded = [model for model in own_models() if hasattr(model, "history")]
    assert recorded
    for model in recorded:
        assert paths_of(model.history.model) == model.access_paths


def test_every_model_is_in_the_workplace():
    missing = [model._meta.label for model in own_models() if not isinstance(admin.site._registry.get(model), RecordAdmin)]
    assert missing == []


def test_no_foreign_model_is_in_the_workplace():
    assert {model._meta.label for model in admin.site._registry} <= {model._meta.label for model in own_models()}
