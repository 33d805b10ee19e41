"""The files of published values: complete, and consistent with the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_rows import PAPERS

from advmip.errors import InputError
from advmip.reporting.figures import FIGURES
from advmip.reporting.sources import Better, Source, read_source, read_sources
from advmip.reporting.tables import TABLES
from advmip.reporting.verdicts import PREDICATES


def test_every_printed_number_is_there(sources: dict[str, Source]):
    count = {
        name: sum(len(block.values) * len(block.quantities) for block in source.blocks.values())
        for name, source in sources.items()
    }
    tables_2_to_4, table_1, figure_4, table_5 = 3 * 16 * 4, 3 * 3, 3 * 2 * 2, 3 * 4 + 3
    assert count == {
        "zk": tables_2_to_4 + table_1 + figure_4 + table_5,
        "kronqvist": 9 * 4 + 2 * 2,
        "tjeng": 4 * 5 + 4 * 6,
        # For each benchmark the tools that solved any of it.
        "vnncomp": 7 + 6 + 5 + 4 + 6 + 4 + 3 + 3 + 7 + 7 + 5,
        # Zhu's accuracies, Section 5.1, and Tables 2 to 8.
        "zhu": 5
        + 1
        + ((3 * 5 * 4 + 2 * 5) + 2 * 5 * 4)
        + (8 * 5 + 4 * (6 + 5) + 3 * 6 * 6)
        + (5 * 5 + 2 * 4 * 4),
        # Ben Mhenni's Tables 1 to 3, the last without its dashes.
        "benmhenni": 13 * 2 + 5 * 3 + 179,
    }


def test_some_numbers_as_the_paper_prints_them(sources: dict[str, Source]):
    blocks = sources["zk"].blocks
    fifty = {"adversarial_count": 50, "omega": 0.2}
    assert blocks["cnn_finetuned"].published(fifty, "pgd_accuracy") == 65.94
    assert blocks["cnn_light_initial"].published({}, "fgsm_accuracy") == 12.38
    last = {"adversarial_count": 50, "iteration": "last"}
    assert blocks["resnet8_projection_time"].published(last, "seconds_projection") == 4130.36


def test_the_lecture_repeats_the_paper(sources: dict[str, Source]):
    paper, lecture = (sources[name].blocks["cnn_finetuned"] for name in ("zk", "kronqvist"))
    for keys, numbers in lecture.values:
        if keys["omega"] is not None:
            assert numbers == {name: paper.published(keys, name) for name in numbers}


def test_every_block_and_claim_can_be_judged(sources: dict[str, Source]):
    for source in sources.values():
        for block in source.blocks.values():
            assert block.output in {*TABLES, *FIGURES}
            assert all(tolerance.reason for tolerance in block.tolerances.values())
            assert block.baseline is None or block.baseline in source.blocks
        for claim in source.claims:
            assert claim.predicate in PREDICATES
            assert claim.words


def test_costs_have_a_better_side_and_accuracies_and_lengths_have_none(sources: dict[str, Source]):
    better = {
        quantity: block.better.get(quantity)
        for source in sources.values()
        for block in source.blocks.values()
        for quantity in block.quantities
    }
    assert better["seconds_total"] is better["nodes"] is better["gap_left"] is Better.SMALLER
    assert better["solved"] is Better.LARGER
    for neither in ("pgd_accuracy", "objective", "change", "units", "training_loss"):
        assert better[neither] is None


def test_every_attack_has_the_time_limit_behind_it(sources: dict[str, Source]):
    for source in sources.values():
        for block in source.blocks.values():
            assert (block.time_limit is not None) == (block.rows in ("attacks", "answers")), (
                block.name
            )


def test_a_row_of_the_wrong_length_is_refused(tmp_path: Path):
    text = (PAPERS / "kronqvist.yaml").read_text(encoding="utf-8")
    bad = tmp_path / "bad.yaml"
    bad.write_text(text.replace("[10, 0.0, 0.0354,", "[10, 0.0354,"), encoding="utf-8")
    with pytest.raises(InputError, match="cnn_finetuned"):
        read_source(bad)


def test_a_folder_without_papers_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="no YAML file"):
        read_sources(tmp_path)
