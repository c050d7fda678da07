"""What a user may not read is refused with a hint at its permissions; the rest of the folder is read."""

import pytest

from helpers.knowledge.errors import DocumentRefused, DocumentUnreadable, FolderUnusable
from helpers.knowledge.folder import files


@pytest.fixture
def folder(tmp_path):
    """A folder with a readable document, and one in a folder that a test locks."""
    made = tmp_path / "documents"
    (made / "locked").mkdir(parents=True)
    for name in ("a.txt", "locked/b.txt"):
        (made / name).write_text("Text.")
    return made


def locked(folder, path, mode, as_nobody):
    """What is found by a user for whom `path` has no permissions but `mode`."""
    path.chmod(mode)
    try:
        with as_nobody():
            return dict(files(folder))
    finally:
        path.chmod(0o755)


@pytest.mark.parametrize("mode", [0o000, 0o111, 0o444], ids=["closed", "not to be listed", "not to be entered"])
def test_a_folder_that_may_not_be_read_is_named_and_the_rest_is_found(folder, as_nobody, mode):
    found = locked(folder, folder / "locked", mode, as_nobody)
    assert list(found) == ["a.txt", "locked"]
    assert isinstance(found["locked"], DocumentUnreadable)
    assert str(found["locked"]) == "a folder that may not be read; look at its permissions"


@pytest.mark.parametrize("mode", [0o000, 0o111, 0o444], ids=["closed", "not to be listed", "not to be entered"])
def test_a_folder_that_may_not_be_read_itself_is_told(folder, as_nobody, mode):
    with pytest.raises(FolderUnusable, match=r"may not be read by you. Look at its permissions: ls -ld .*/documents"):
        locked(folder, folder, mode, as_nobody)


def test_a_file_whose_name_is_not_utf_8_is_refused_under_a_name_that_can_be_shown(folder):
    (folder / "na\udcffme.txt").write_text("Text.")
    found = dict(files(folder))
    assert list(found) == ["a.txt", "locked/b.txt", "na\ufffdme.txt"]
    assert isinstance(found["na\ufffdme.txt"], DocumentRefused)
    assert str(found["na\ufffdme.txt"]) == "its name is not UTF-8; rename it"
