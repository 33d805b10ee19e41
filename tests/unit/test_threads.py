"""Threads are as many as were promised, for the process or for an answer."""

import torch
from threadpoolctl import threadpool_info

from advmip.threads import held_to, use_threads


def linear_algebra_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_threads_are_set_for_torch_and_linear_algebra():
    before = torch.get_num_threads()
    try:
        use_threads(1)
        assert torch.get_num_threads() == 1
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
    finally:
        use_threads(before)


def test_torch_and_linear_algebra_are_held_for_a_while_and_let_go():
    before = linear_algebra_threads(), torch.get_num_threads()
    with held_to(2):
        assert (linear_algebra_threads(), torch.get_num_threads()) == ({2}, 2)
        with held_to(1):
            assert (linear_algebra_threads(), torch.get_num_threads()) == ({1}, 1)
        assert (linear_algebra_threads(), torch.get_num_threads()) == ({2}, 2)
    assert (linear_algebra_threads(), torch.get_num_threads()) == before
