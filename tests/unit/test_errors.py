"""Errors say what is wrong, and how to mend it."""

import pytest

from advmip.errors import CheckError, InputError, exit_status, looked_up, unknown_name


def test_input_error_has_four_short_lines():
    error = InputError(subject="the network", found="7 outputs", expected="10", mend="retrain it")
    assert str(error).splitlines() == [
        "the network",
        "  found:    7 outputs",
        "  expected: 10",
        "  to mend:  retrain it",
    ]
    assert isinstance(error, ValueError)


@pytest.mark.parametrize(
    ("given", "hint"),
    [("minst", "did you mean 'mnist'?"), ("CIFAR-10", "did you mean 'cifar10'?")],
)
def test_unknown_name_offers_the_nearest(given, hint):
    assert unknown_name("data set", given, ["mnist", "cifar10"]).mend == hint


def test_unknown_name_far_from_all_offers_the_list():
    error = unknown_name("data set", "zzz", ["mnist", "cifar10"])
    assert error.expected == "one of cifar10, mnist"
    assert "above" in error.mend


def test_a_name_is_looked_up_or_refused():
    assert looked_up("data set", "mnist", {"mnist": 1, "cifar10": 2}) == 1
    with pytest.raises(InputError, match="unknown data set"):
        looked_up("data set", "zzz", {"mnist": 1})


def test_check_error_names_the_saved_instance(tmp_path):
    assert str(tmp_path) in str(CheckError("duality gap 0.3", tmp_path))
    assert str(CheckError("duality gap 0.3")) == "duality gap 0.3"


@pytest.mark.parametrize(
    ("kinds", "status"),
    [("", 0), ("i", 2), ("ii", 2), ("c", 3), ("ic", 3), ("ci", 3)],
)
def test_a_command_ends_with_a_status_for_the_gravest_failure(kinds: str, status: int) -> None:
    made = {
        "i": InputError(subject="image", found="none", expected="one", mend="name one"),
        "c": CheckError("an answer fails its check"),
    }
    assert exit_status(made[kind] for kind in kinds) == status
