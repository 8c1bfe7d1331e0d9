"""Descriptions come out of locked packages, once, and say where they came from."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from tests.fakes.described import shelf
from tests.fakes.described.install import CannotInstall, compare, install, unpack
from tests.fakes.described.openapi import OpenApi
from tests.fakes.described.packed import Packed, packed
from tests.fakes.described.vendors import VENDORS

_PETS = Packed("pets", "api/pets.json")
_DOCUMENT = {
    "openapi": "3.0.0",
    "info": {"version": "7"},
    "paths": {
        "/pets/{id}": {
            "get": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}
                },
            }
        }
    },
    "components": {"schemas": {"Pet": {"type": "object", "properties": {"name": {"type": "string"}}}}},
}


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """A package as npm packs it, and an empty place for descriptions."""
    monkeypatch.setattr(shelf, "FOLDER", tmp_path / "descriptions")
    path, content = tmp_path / "pets-1.0.0.tgz", json.dumps(_DOCUMENT).encode()
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo("package/api/pets.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return path


def _locked(archive):
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    return {"version": "1.0.0", "integrity": f"sha512-{digest}"}


def test_what_is_installed_already_is_left_alone():
    assert install(packed()) == []


def test_a_document_is_read_from_its_package_in_parts(archive):
    unpack(archive, [_PETS], _locked(archive))
    pets = OpenApi("pets", (_PETS,))
    operation, path = pets.find("GET", "/pets/7", "")
    assert (operation.name, path) == ("GET /pets/{id}", {"id": "7"})
    assert operation.resolve("#/components/schemas/Pet") == _DOCUMENT["components"]["schemas"]["Pet"]
    (origin,) = pets.origins()
    assert (origin.package, origin.version, origin.revision) == ("npm pets", "1.0.0", "7")


def test_another_version_of_the_package_is_installed_anew(archive):
    locked = _locked(archive)
    unpack(archive, [_PETS], locked)
    assert _PETS.is_installed(locked)
    assert not _PETS.is_installed(locked | {"version": "1.0.1"})


def test_an_archive_that_is_not_the_locked_one_is_refused(archive):
    locked = _locked(archive)
    archive.write_bytes(archive.read_bytes() + b"x")
    with pytest.raises(CannotInstall, match=r"pets-1\.0\.0\.tgz is not what package-lock\.json names"):
        compare(archive, locked)


def test_a_package_that_lacks_a_document_says_which(archive):
    with pytest.raises(CannotInstall, match=r"has no package/api/cats\.json"):
        unpack(archive, [Packed("pets", "api/cats.json")], _locked(archive))


def test_a_description_that_is_not_installed_says_what_to_do(archive):
    with pytest.raises(shelf.NotInstalled, match=r"pets\+api\+pets\.json\.sqlite .* make \.venv/\.test"):
        OpenApi("pets", (_PETS,)).find("GET", "/pets/7", "")


def test_the_lock_file_names_no_registry():
    assert "resolved" not in Path(shelf.__file__).with_name("package-lock.json").read_text()


def test_every_document_of_a_locked_package_is_in_the_readme_with_its_age():
    readme = Path(shelf.__file__).parents[1].joinpath("README.md").read_text()
    for vendor in VENDORS:
        for origin in vendor.description.origins():
            assert origin.version
            assert origin.revision
            if origin.package.startswith("npm "):
                row = (origin.vendor, origin.title, origin.package, origin.version, origin.revision)
                assert f"| {' | '.join(row)} |" in readme
