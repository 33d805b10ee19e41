"""Data sets by name."""

import pytest

import advmip.durability.storage
from advmip.datasets import load_dataset, verify_dataset
from advmip.errors import InputError


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'cifar10'"):
        load_dataset("cifar-10", "train")
    with pytest.raises(InputError, match="did you mean 'mnist'"):
        verify_dataset("minst")
    with pytest.raises(InputError, match="did you mean 'test'"):
        load_dataset("digits", "tests")


def test_without_a_folder_the_users_cache_is_looked_in(tmp_path, monkeypatch):
    cache = advmip.durability.storage.platformdirs
    monkeypatch.setattr(cache, "user_cache_dir", lambda project: str(tmp_path / project))
    with pytest.raises(InputError) as caught:
        load_dataset("mnist", "train", download=False)
    assert str(tmp_path / "advmip") in caught.value.subject
