"""Names of the code: they change with it, or stay; and mixed results are made again."""

import pytest

from advmip.errors import InputError
from advmip.reuse import Codes


@pytest.fixture
def named(tmp_path, monkeypatch):
    """The name of the solvers in a run under a setting, with the code in a given state."""

    def name(reuse, code):
        monkeypatch.setattr("advmip.reuse.code_digest", lambda *parts: code)
        codes = Codes(tmp_path / "code.json", reuse)
        asked = codes.name("mip", "networks")
        assert codes.name("networks", "mip", "mip") == asked
        codes.save()
        return asked

    return name


def test_same_code_follows_every_change_back_and_forth(named):
    first = named("same-code", "a")
    assert named("same-code", "b") != first
    assert named("same-code", "a") == first


def test_any_code_keeps_the_name_whatever_changes(named):
    first = named("same-code", "a")
    assert named("any-code", "b") == first
    assert named("any-code", "c") == first


def test_any_code_from_the_start_is_named_after_the_code_of_the_start(named):
    assert named("any-code", "a") == named("any-code", "b") == named("any-code", "a")


def test_results_of_mixed_code_are_made_again_even_by_the_first_code(named):
    first = named("same-code", "a")
    named("any-code", "b")
    named("any-code", "c")
    unmixed = named("same-code", "a")
    assert unmixed != first
    assert named("same-code", "a") == unmixed
    named("any-code", "b")
    assert named("same-code", "a") not in (first, unmixed)


def test_any_code_without_a_change_mixes_nothing(named):
    first = named("same-code", "a")
    assert named("any-code", "a") == first
    assert named("same-code", "a") == first


@pytest.mark.parametrize("text", ["", "[]", '{"mip": 1}', '{"mip": {"name": "a"}}'])
def test_a_damaged_memory_is_named(tmp_path, text):
    (tmp_path / "code.json").write_text(text)
    with pytest.raises(InputError, match=r"code\.json"):
        Codes(tmp_path / "code.json", "same-code")
