"""Making the virtual environment: what is skipped, what is asked of a person, what a failure shows."""

import subprocess
import sys

import pytest

from moc.up import bootstrap


@pytest.fixture
def var(tmp_path, monkeypatch):
    """Runtime state in a temporary folder."""
    monkeypatch.setattr(bootstrap, "VAR", tmp_path / "var")
    bootstrap.prepare_var()
    return tmp_path / "var"


def test_a_stamp_holds_until_an_input_changes(tmp_path):
    lock, stamp = tmp_path / "lock", tmp_path / "stamp"
    lock.write_text("a==1")
    assert not bootstrap.is_stamped(stamp, bootstrap.digest(lock))
    stamp.write_text(bootstrap.digest(lock))
    assert bootstrap.is_stamped(stamp, bootstrap.digest(lock))
    lock.write_text("a==2")
    assert not bootstrap.is_stamped(stamp, bootstrap.digest(lock))


def test_a_failed_command_shows_the_end_of_its_output(var):
    with pytest.raises(bootstrap.Refusal, match=r"(?s)no such thing.*var/log/probe\.log"):
        bootstrap.run([sys.executable, "-c", "import sys; sys.exit('no such thing')"], "probe")


@pytest.mark.parametrize("stamp", ["unfinished", "digest /moved/away/.venv"])
def test_an_unfinished_or_moved_environment_is_made_afresh(tmp_path, monkeypatch, stamp):
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    assert bootstrap.is_sound(tmp_path / "moc.stamp")
    (tmp_path / "moc.stamp").write_text(stamp)
    assert not bootstrap.is_sound(tmp_path / "moc.stamp")


def test_without_any_pip_and_without_root_a_person_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(bootstrap, "apt_install", lambda _packages: False)
    with pytest.raises(bootstrap.Refusal, match=rf"apt-get install --no-install-recommends python3\.{sys.version_info.minor}-venv"):
        bootstrap.venv_command()


def test_the_pip_outside_serves_where_python_has_no_ensurepip(monkeypatch):
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else object())
    assert "--without-pip" in bootstrap.venv_command()


def test_the_script_needs_the_standard_library_only():
    code = "import runpy; runpy.run_path('moc/up/bootstrap.py', run_name='probe')"
    assert subprocess.run([sys.executable, "-I", "-S", "-c", code], cwd=bootstrap.ROOT, check=False).returncode == 0
