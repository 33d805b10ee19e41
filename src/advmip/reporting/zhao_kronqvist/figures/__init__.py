"""The paper's figures: two functions each, from tidy rows to data, and from these to a drawing."""

from advmip.reporting.outputs import FigureKind
from advmip.reporting.zhao_kronqvist.figures.improvement import draw_improvement, improvement_data
from advmip.reporting.zhao_kronqvist.figures.many_examples import (
    draw_many_examples,
    many_examples_data,
)
from advmip.reporting.zhao_kronqvist.figures.pool import draw_pool, pool_data
from advmip.reporting.zhao_kronqvist.figures.proved import draw_proved, proved_data
from advmip.reporting.zhao_kronqvist.figures.radius import draw_radius, radius_data
from advmip.reporting.zhao_kronqvist.figures.repairs import draw_repairs, repairs_data
from advmip.reporting.zhao_kronqvist.figures.seeds import draw_seeds, seeds_data
from advmip.reporting.zhao_kronqvist.figures.times import draw_time, time_data

FIGURES: dict[str, FigureKind] = {
    "zk_figure1": FigureKind(pool_data, draw_pool),
    "zk_figure2": FigureKind(improvement_data, draw_improvement),
    "zk_figure3": FigureKind(radius_data, draw_radius),
    "zk_figure4": FigureKind(time_data, draw_time),
    "zk_extension1": FigureKind(seeds_data, draw_seeds),
    "zk_extension2": FigureKind(many_examples_data, draw_many_examples),
    "zk_extension4": FigureKind(proved_data, draw_proved),
    "zk_extension5": FigureKind(repairs_data, draw_repairs),
}
