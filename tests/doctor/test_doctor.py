"""The doctor names a remedy for whatever is wrong, and says so when all is well."""

import shutil
from collections import namedtuple

import pytest

from helpers.doctor import Finding, Report, checks, doctor
from helpers.inference.store import Store


@pytest.mark.model
def test_a_machine_that_is_set_up_needs_no_remedy():
    report = doctor()
    assert report.ok, report
    assert {finding.what for finding in report.findings} >= {"Python", "Cores", "Models", "Packages", "Profile"}


def test_a_missing_model_is_named_with_the_command_that_brings_it(monkeypatch, tmp_path):
    monkeypatch.setattr(checks, "Store", lambda: Store(tmp_path))
    finding = checks.models()
    assert not finding.ok and "qwen2.5-coder:1.5b" in finding.found
    assert finding.remedy == "python -m helpers.inference pull"


def test_a_small_disk_is_told(monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 9, 1))
    assert "WORKSHOP_CACHE_DIR" in checks.disk().remedy


def test_an_old_python_is_told(monkeypatch):
    version = namedtuple("version", "major minor micro")
    monkeypatch.setattr(checks.sys, "version_info", version(3, 9, 1))
    monkeypatch.setattr(checks, "OLDEST", (3, 11))
    assert "3.11 or newer" in checks.python().remedy


def test_a_package_that_differs_from_the_lock_is_named(monkeypatch):
    real = checks.importlib.metadata.version
    monkeypatch.setattr(checks.importlib.metadata, "version", lambda name: "0.0.1" if name == "ollama" else real(name))
    finding = checks.packages()
    assert finding.found == "1 differ from the lock: ollama 0.0.1"
    assert finding.remedy == "Install what is locked: make setup"


def test_a_check_that_fails_becomes_a_finding(monkeypatch):
    def broken():
        raise OSError("no such device")

    assert checks._guarded(broken) == Finding("Broken", "OSError", False, "no such device")


def test_the_report_is_readable_as_text_and_html():
    report = Report([Finding("Disk", "1 GB", False, "free <some>")])
    assert not report.ok
    assert "needs help" in repr(report) and "needs help" in report._repr_html_()
    assert "&lt;some&gt;" in report._repr_html_()
