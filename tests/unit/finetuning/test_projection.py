"""The projection (13) against general solvers, its optimality conditions, and awkward cuts."""

import numpy as np
import pytest
import qpsolvers
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from advmip.finetuning import InfeasibleCutsError
from advmip.finetuning.block_coordinates import project_by_blocks
from advmip.finetuning.gradient_rows import FullRows
from advmip.finetuning.nonnegative_quadratic import solve_nonnegative
from advmip.finetuning.parameters import ParameterVector
from advmip.finetuning.projection import Projection
from advmip.networks import ARCHITECTURES, new_network

CPU = torch.device("cpu")


class MatrixCuts:
    """Rows given as an explicit matrix: matrix @ d >= right_hand_side."""

    def __init__(self, matrix, right_hand_side):
        self.matrix, self.right_hand_side = matrix, right_hand_side

    def slopes(self, step):
        return self.matrix @ step

    def gradients(self, rows):
        return FullRows(self.matrix[rows])


def random_cuts(seed, rows, length):
    """Cuts that some random step satisfies, most of them violated at zero."""
    generator = np.random.default_rng(seed)
    matrix = generator.standard_normal((rows, length))
    inside = generator.standard_normal(length)
    right = matrix @ inside - generator.exponential(0.5, rows)
    return matrix, right


def project(matrix, right, blocks=1):
    projection = Projection(matrix.shape[1], CPU, tolerance=1e-9)
    parts = np.array_split(np.arange(len(right)), blocks)
    for part in parts:
        projection.add(
            MatrixCuts(torch.from_numpy(matrix[part]), torch.from_numpy(np.asarray(right)[part]))
        )
    return projection.solve()


@pytest.mark.parametrize("solver", ["clarabel", "piqp", "osqp"])
@pytest.mark.parametrize(("rows", "length"), [(5, 40), (60, 80), (150, 60)])
def test_agrees_with_general_solvers(solver, rows, length):
    matrix, right = random_cuts(7, rows, length)
    precision = {
        "clarabel": {"tol_gap_rel": 1e-12, "tol_feas": 1e-12},
        "piqp": {"eps_abs": 1e-11, "eps_rel": 1e-11},
        "osqp": {"eps_abs": 1e-10, "eps_rel": 1e-10, "max_iter": 200_000},
    }[solver]
    reference = qpsolvers.solve_qp(
        np.eye(length), np.zeros(length), -matrix, -right, solver=solver, **precision
    )
    ours = project(matrix, right)
    assert ours.distance**2 == pytest.approx(float(reference @ reference), rel=1e-6)
    np.testing.assert_allclose(ours.step.numpy(), reference, atol=1e-4)


def test_agrees_with_gurobi_where_its_free_licence_admits_the_model():
    import gurobipy

    matrix, right = random_cuts(3, 90, 120)
    with (
        gurobipy.Env(params={"OutputFlag": 0}) as environment,
        gurobipy.Model(env=environment) as m,
    ):
        d = m.addMVar(120, lb=-gurobipy.GRB.INFINITY)
        m.addConstr(matrix @ d >= right)
        m.setObjective(d @ d)
        m.Params.BarQCPConvTol = m.Params.BarConvTol = 1e-12
        m.Params.FeasibilityTol = m.Params.OptimalityTol = 1e-9
        m.optimize()
        expected = m.ObjVal
    assert project(matrix, right).distance ** 2 == pytest.approx(expected, rel=1e-6)


def test_cuts_that_hold_at_the_last_step_are_not_derived_again_before_the_step_moves():
    class Counted(MatrixCuts):
        asked = 0

        def slopes(self, step):
            self.asked += 1
            return super().slopes(step)

    matrix, right = (torch.from_numpy(part) for part in random_cuts(5, 30, 40))
    old, loose, tight = (
        Counted(matrix, right),
        Counted(matrix, right - 1),
        MatrixCuts(matrix, right + 1),
    )
    projection = Projection(40, CPU, tolerance=1e-9)
    projection.add(old)
    first = projection.solve()
    known = old.asked
    projection.add(loose)
    again = projection.solve()
    assert (old.asked, loose.asked) == (known, 1)
    torch.testing.assert_close(again.step, first.step, rtol=0, atol=0)
    assert again.infeasibility == first.infeasibility
    projection.add(tight)
    moved = projection.solve()
    assert moved.distance > first.distance
    assert (matrix @ moved.step - right).min() >= 1 - 1e-8
    assert old.asked > known


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 40),
    length=st.integers(2, 30),
    blocks=st.integers(1, 4),
)
def test_optimality_conditions_hold(seed, rows, length, blocks):
    matrix, right = random_cuts(seed, rows, length)
    result = project(matrix, right, min(blocks, rows))
    step = result.step.numpy()
    slack = matrix @ step - right
    assert slack.min() >= -1e-8
    assert result.duality_gap <= 1e-8
    # d = A' lambda with lambda >= 0 on active rows only: project d on those rows by NNLS.
    active = np.abs(slack) < 1e-6
    if active.any():
        from scipy.optimize import nnls

        _, distance = nnls(matrix[active].T, step)
        assert distance < 1e-5 * max(1.0, np.linalg.norm(step))
    else:
        assert np.allclose(step, 0.0)


def test_rows_added_later_give_what_all_rows_give_at_once():
    matrix, right = random_cuts(11, 80, 60)
    projection = Projection(60, CPU)
    distances = []
    for part in np.array_split(np.arange(80), 5):
        projection.add(MatrixCuts(torch.from_numpy(matrix[part]), torch.from_numpy(right[part])))
        distances.append(projection.solve().distance)
    assert distances == sorted(distances), "more cuts never bring the projection nearer"
    assert distances[-1] == pytest.approx(project(matrix, right).distance, rel=1e-9)


def test_repeated_and_dependent_rows_change_nothing():
    matrix, right = random_cuts(5, 12, 20)
    once = project(matrix, right)
    twice = project(np.vstack([matrix, matrix, 3.0 * matrix]), np.hstack([right, right, 3 * right]))
    np.testing.assert_allclose(twice.step.numpy(), once.step.numpy(), atol=1e-7)
    assert twice.duality_gap < 1e-6


def test_no_cut_violated_means_no_step():
    matrix, _ = random_cuts(1, 10, 5)
    result = project(matrix, -np.ones(10))
    assert result.distance == 0.0
    assert result.active_rows == 0


@pytest.mark.parametrize(
    ("matrix", "right"),
    [
        ([[1.0, 0.0], [-1.0, 0.0]], [1.0, 1.0]),
        ([[1.0, 1.0], [-1.0, 0.0], [0.0, -1.0]], [1.0, 0.0, 0.0]),
        ([[0.0, 0.0]], [1.0]),
    ],
    ids=["opposite rows", "three rows", "zero gradient"],
)
def test_infeasible_cuts_are_recognised_and_named(matrix, right):
    with pytest.raises(InfeasibleCutsError, match="loss_slack"):
        project(np.array(matrix), np.array(right))


def test_the_dual_is_solved_whatever_the_first_guess():
    matrix, right = random_cuts(2, 30, 50)
    gram, linear = torch.from_numpy(matrix @ matrix.T), torch.from_numpy(right)
    guesses = [torch.zeros(30, dtype=torch.bool), torch.ones(30, dtype=torch.bool)]
    guesses.append(torch.arange(30) % 2 == 0)
    answers = [solve_nonnegative(gram, linear, guess) for guess in guesses]
    for answer in answers:
        torch.testing.assert_close(answer, answers[0])
        assert float(answer.min()) >= 0.0


@pytest.mark.parametrize("seed", range(8))
def test_rows_that_nearly_contradict_each_other_are_missed_by_a_share_of_their_multipliers(seed):
    """82 rows around 25 in 300 dimensions: rounding leaves no pattern of signs consistent."""
    generator = np.random.default_rng(seed)
    near = generator.normal(size=(25, 300))[np.arange(82) % 25]
    rows = near + 1e-6 * generator.normal(size=near.shape)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    asked = 0.1 * generator.normal(size=82)
    gram, linear = torch.from_numpy(rows @ rows.T), torch.from_numpy(asked)
    found = solve_nonnegative(gram, linear, torch.zeros(82, dtype=torch.bool)).numpy()
    missed = asked - rows @ (rows.T @ found)
    assert found.min() >= 0.0
    assert (missed <= 1e-3 * found + 1e-8).all()
    assert (missed[found > 0] >= -1e-8).all()


class TestBlockCoordinates:
    """Algorithm 2 gives feasible steps that are no shorter than the projection's."""

    def setup_method(self):
        body = new_network(ARCHITECTURES["digits_cnn_light"], seed=0).body
        self.parameters = ParameterVector(body)
        matrix, right = random_cuts(4, 30, self.parameters.count)
        self.block = MatrixCuts(torch.from_numpy(matrix), torch.from_numpy(right))
        self.matrix, self.right = matrix, right

    def steps(self, ratio, sweeps):
        return project_by_blocks(
            [self.block],
            self.parameters,
            fixed_ratio=ratio,
            sweeps=sweeps,
            generator=torch.Generator().manual_seed(2),
            device=CPU,
        )

    def test_feasible_and_longer_the_more_is_fixed(self):
        exact = project(self.matrix, self.right).distance
        distances = [self.steps(ratio, 1).distance for ratio in (0.5, 0.8, 0.95)]
        assert exact < distances[0] < distances[1] < distances[2]
        slack = self.matrix @ self.steps(0.8, 1).step.numpy() - self.right
        assert slack.min() > -1e-5

    def test_overlapping_sweeps_shorten_the_step(self):
        distances = [self.steps(0.8, sweeps).distance for sweeps in (1, 2, 4, 8)]
        assert distances == sorted(distances, reverse=True)
        assert distances[-1] < distances[0]

    def test_biases_stay_free_and_the_share_of_weights_is_fixed(self):
        step = self.steps(0.8, 1).step
        for entry in self.parameters.entries:
            moved = float((step[entry.start : entry.stop] != 0).double().mean())
            if entry.name.endswith("bias"):
                assert moved == 1.0
            else:
                assert moved == pytest.approx(0.2, abs=0.02)
