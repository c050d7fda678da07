"""A folder yields its files in order, and for what is no file of it, the reason."""

import os

import pytest

from helpers.knowledge.errors import DocumentRefused, FolderUnusable
from helpers.knowledge.folder import files


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "documents"
    made.mkdir()
    return made


def write(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("Text.")
    return path


def reason(folder, name):
    found = dict(files(folder))[name]
    assert isinstance(found, DocumentRefused)
    return str(found)


def test_files_come_in_order_of_their_paths_with_their_place(folder):
    paths = [write(folder / name) for name in ("b.txt", "a/z.txt", "c/d/e.md", "a.txt")]
    found = list(files(folder))
    assert [name for name, _ in found] == ["a/z.txt", "a.txt", "b.txt", "c/d/e.md"]
    assert {path for _, path in found} == set(paths)
    assert list(files(folder)) == found


def test_hidden_files_and_folders_are_left_out(folder):
    for name in (".hidden.txt", ".git/config.txt", "a/.cache/x.txt", "a/seen.txt"):
        write(folder / name)
    (folder / ".link.txt").symlink_to(folder / "a/seen.txt")
    assert [name for name, _ in files(folder)] == ["a/seen.txt"]


def test_an_empty_folder_has_no_files(folder):
    assert list(files(folder)) == []


def test_a_link_out_of_the_folder_is_not_followed(folder, tmp_path):
    (folder / "link.txt").symlink_to(write(tmp_path / "secret.txt"))
    assert "leads outside the folder; copy the file into it" in reason(folder, "link.txt")


def test_a_folder_whose_name_begins_alike_is_outside(folder, tmp_path):
    (folder / "link.txt").symlink_to(write(tmp_path / "documents-old" / "a.txt"))
    assert "leads outside" in reason(folder, "link.txt")


def test_a_link_to_a_folder_outside_is_refused_and_not_entered(folder, tmp_path):
    write(tmp_path / "elsewhere" / "a.txt")
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    assert [name for name, _ in files(folder)] == ["link"]
    assert "leads outside" in reason(folder, "link")


def test_a_link_within_the_folder_names_what_is_read_in_its_place(folder):
    (folder / "link.txt").symlink_to(write(folder / "a/real.txt"))
    assert "a link to a/real.txt, which is read under its own name" in reason(folder, "link.txt")


def test_a_link_to_the_folder_itself_ends(folder):
    write(folder / "a/real.txt")
    (folder / "a/again").symlink_to(folder)
    assert [name for name, _ in files(folder)] == ["a/again", "a/real.txt"]
    assert "a link to ." in reason(folder, "a/again")


def test_links_in_a_loop_are_refused(folder):
    (folder / "one.txt").symlink_to(folder / "two.txt")
    (folder / "two.txt").symlink_to(folder / "one.txt")
    assert "round in a loop" in reason(folder, "one.txt")
    assert "round in a loop" in reason(folder, "two.txt")


def test_a_dangling_link_is_refused(folder):
    (folder / "link.txt").symlink_to(folder / "gone.txt")
    assert "leads nowhere" in reason(folder, "link.txt")


def test_a_named_pipe_is_refused_without_being_opened(folder):
    os.mkfifo(folder / "pipe.txt")
    assert reason(folder, "pipe.txt") == "not a regular file"


def test_a_name_that_is_not_utf_8_is_refused_and_shown_as_far_as_it_can_be(folder):
    try:
        (folder / os.fsdecode(b"\xfcber.txt")).write_text("Text.")
    except OSError:
        pytest.skip("this file system takes no such name")
    assert reason(folder, "\ufffdber.txt") == "its name is not UTF-8; rename it"


def test_a_folder_may_be_named_by_a_link(folder, tmp_path):
    real = write(folder / "a.txt")
    (tmp_path / "link").symlink_to(folder)
    assert list(files(tmp_path / "link")) == [("a.txt", real)]


def test_a_missing_folder_is_named(folder):
    with pytest.raises(FolderUnusable, match=r"There is no folder .*/none"):
        list(files(folder / "none"))


def test_a_file_is_no_folder(folder):
    with pytest.raises(FolderUnusable, match="There is no folder"):
        list(files(write(folder / "a.txt")))
