"""Placeholders are numbered, can be turned back inside, and what is behind them does not leave."""

import copy
import json
import pickle
import time

import pytest

from helpers.guardrails import Vault, VaultLeaves


def numbered(original, masked, *found):
    vault = Vault()
    made = vault.numbered(original, masked, found)
    return made, vault.reveal(made)


def test_one_text_has_one_number_and_another_has_another():
    original = "Ada Byron met Otto Frank; Ada Byron left."
    made, revealed = numbered(
        original, "{NAME} met {NAME}; {NAME} left.", ("NAME", "Ada Byron"), ("NAME", "Otto Frank")
    )
    assert made == "{NAME-1} met {NAME-2}; {NAME-1} left."
    assert revealed == original


@pytest.mark.parametrize(
    ("original", "masked", "found", "made"),
    [
        ("Ada Byron 555-1234", "{NAME} {PHONE}", [("NAME", "Ada Byron"), ("PHONE", "555-1234")], "{NAME-1} {PHONE-1}"),
        ("AdaOtto", "{NAME}{NAME}", [("NAME", "Ada"), ("NAME", "Otto")], "{NAME-1}{NAME-2}"),
        ("a P\u200b-1001.", "a {ID}.", [("ID", "P-1001")], "a {ID-1}."),  # it was found under a disguise
        ("{NAME} is Ada", "{NAME} is {NAME}", [("NAME", "Ada")], "{NAME} is {NAME-1}"),  # the author's own braces
        ("Adam and Ada", "{NAME} and {NAME}", [("NAME", "Ada"), ("NAME", "Adam")], "{NAME-1} and {NAME-2}"),
        ("x", "{A}b}", [("A}b", "x")], "{A_b-1}"),  # a regular expression may have such a name
    ],
)
def test_what_is_behind_a_mask_is_read_from_the_text(original, masked, found, made):
    assert numbered(original, masked, *found) == (made, original)


def test_what_does_not_fit_stays_masked_and_tells_nothing():
    vault = Vault()
    assert vault.numbered("Ada was here", "{NAME} has left", [("NAME", "Ada")]) == "{NAME} has left"
    assert len(vault) == 0


def test_a_placeholder_that_nobody_gave_stays_as_it_is():
    assert Vault().reveal("{NAME-7} and {x-1}") == "{NAME-7} and {x-1}"


@pytest.mark.parametrize("leave", [pickle.dumps, copy.deepcopy, json.dumps])
def test_a_vault_does_not_leave_its_process(leave):
    vault = Vault()
    vault.token("NAME", "Ada Byron")
    with pytest.raises((VaultLeaves, TypeError)):
        leave(vault)
    assert "Ada" not in repr(vault) + str(vault)


def test_a_megabyte_takes_no_more_than_its_share():
    def seconds(times):
        original, masked = "Ada Byron met Otto. " * times, "{NAME} met {NAME}. " * times
        began = time.thread_time()
        Vault().numbered(original, masked, [("NAME", "Ada Byron"), ("NAME", "Otto")] * times)
        return time.thread_time() - began

    seconds(100)
    assert seconds(50_000) < 30 * max(seconds(5_000), 0.005), "ten times as long a text, not a hundred"
