"""The tables: one function each from tidy rows to a data frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from advmip.reporting.comparisons import (
    COMPARISON_COLUMNS,
    PROTOCOLS,
    compare_block,
    unpublished,
)
from advmip.reporting.outputs import Sources, TableKind
from advmip.reporting.rows import Rows
from advmip.reporting.zhao_kronqvist import certified_table, printing, repair_table
from advmip.reporting.zhao_kronqvist.names import (
    ACCURACIES,
    ADDED_DATA,
    ADVERSARIAL_TRAINING,
    ALL_WEIGHTS_FREE,
    FINE_TUNED,
    NETWORKS,
    RUNS,
    SEEDED_NETWORKS,
)


def training_methods(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Table 1: what each way of training costs and buys, with fifty adversarial examples.

    Returns:
        The columns of `compare_block`, `method`, and `change` and `published_change` from the
        initial network in percentage points; one row per network, method, protocol and quantity
        (three accuracies, and `seconds_total` where the method takes time).
    """
    source = sources["zk"]
    frames = []
    for network, stem in NETWORKS.items():
        initial, retrained, fine_tuned = (
            source.blocks[f"{stem}_{part}"] for part in ("initial", "retrained", "finetuned")
        )
        for protocol in PROTOCOLS:
            fifty = compare_block(rows, source, fine_tuned, protocol)
            fifty = fifty[(fifty["adversarial_count"] == 50) & (fifty["omega"] == 0.0)]
            parts = {
                "initial": compare_block(rows, source, initial, protocol),
                ADDED_DATA: compare_block(rows, source, retrained, protocol),
                ADVERSARIAL_TRAINING: _unpublished(
                    rows, network, ADVERSARIAL_TRAINING, protocol, ACCURACIES
                ),
                "fine-tuned": fifty,
            }
            for method, part in parts.items():
                seconds = _seconds(rows, network, method, protocol)
                part = part[part["quantity"].isin(ACCURACIES)]
                frames.append(pd.concat([part, seconds], ignore_index=True).assign(method=method))
    tidy = pd.concat(frames, ignore_index=True)
    start = tidy[tidy["method"] == "initial"].set_index(["network", "protocol", "quantity"])
    index = pd.MultiIndex.from_frame(tidy[["network", "protocol", "quantity"]])
    for change, value in (("change", "ours"), ("published_change", "published")):
        first = start[value].reindex(index).to_numpy()
        tidy[change] = (tidy[value] - first).where(tidy["method"] != "initial")
    return tidy


def fine_tuning(source: str, stem: str) -> Callable[[Rows, Sources], pd.DataFrame]:
    """Tables 2, 3, 4 and the lecture's: fine-tuned accuracy by number of examples and omega.

    Args:
        source: Short name of the source.
        stem: Beginning of the names of its blocks of one network.

    Returns:
        A function from rows and sources to the columns of `compare_block` and `variant`, one row
        per setting, protocol and quantity; the initial network has zero examples. Where a scale
        runs Algorithm 2 as well as the QP over all weights, the latter is the variant "all
        weights free".
    """

    def rows_to_frame(rows: Rows, sources: Sources) -> pd.DataFrame:
        chosen = sources[source]
        initial, fine_tuned = (chosen.blocks[f"{stem}_{part}"] for part in ("initial", "finetuned"))
        frames = []
        for protocol in PROTOCOLS:
            first = compare_block(rows, chosen, initial, protocol)
            frames.append(first.assign(adversarial_count=0, omega=float("nan")))
            frames.append(compare_block(rows, chosen, fine_tuned, protocol))
        network = fine_tuned.match["paper_network"]
        if fine_tuned.instead and rows.planned(network, "published", None, fine_tuned.instead):
            free = compare_block(rows, chosen, replace(fine_tuned, instead=None), "published")
            frames.append(free.assign(variant=ALL_WEIGHTS_FREE))
        return _concatenated(frames).assign(variant=lambda tidy: tidy.get("variant"))

    return rows_to_frame


def running_times(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Table 5: seconds of one projection, first and last, and of one pass of the loss.

    Returns:
        The columns of `compare_block`, one row per network, number of examples and iteration
        (quantity `seconds_projection`), and one per network (quantity `seconds`).
    """
    source = sources["zk"]
    blocks = [source.blocks[f"{stem}_projection_time"] for stem in NETWORKS.values()]
    frames = [
        compare_block(rows, source, block, protocol)
        for block in [*blocks, source.blocks["loss_time"]]
        for protocol in PROTOCOLS
    ]
    return _concatenated(frames).drop(columns="paper_network")


def over_seeds(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Extension 1: Tables 2 and 3 over the seeds of the attack that picks the examples.

    Returns:
        The columns of `compare_block`; `lower` and `upper` bound the mean over the seeds, and
        `further_lower` and `further_upper` one further run, such as the paper's.
    """
    source = sources["zk"]
    require_further_seeds(rows)
    blocks = [source.blocks[f"{NETWORKS[network]}_finetuned"] for network in SEEDED_NETWORKS]
    return _concatenated(
        [compare_block(rows, source, block, protocol) for block in blocks for protocol in PROTOCOLS]
    )


def require_further_seeds(rows: Rows) -> None:
    """Make sure that the further seeds of extension 1 are there, if the scale runs any.

    Raises:
        MissingRowsError: They are not.
    """
    for network in SEEDED_NETWORKS:
        if rows.planned(network, "published", experiment="extension1"):
            match = {"experiment": "extension1", "paper_network": network}
            rows.select("evaluations", {**match, "protocol": "published"})


def attacked_images(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Extension 3: Tables 2 and 3 by how many training images the examples are chosen from.

    Returns:
        The columns of `compare_block` and `attacked_images` (the first so many; empty for all), as
        published; for the numbers of examples that were run with a part of the images.
    """
    source = sources["zk"]
    frames = []
    for network in SEEDED_NETWORKS:
        if not rows.planned(network, "published", experiment="extension3"):
            continue
        block = source.blocks[f"{NETWORKS[network]}_finetuned"]
        match = {"experiment": "extension3", "paper_network": network, "protocol": "published"}
        parts = rows.select("evaluations", match)
        for images in [*sorted(parts["attacked_images"].unique()), None]:
            experiment = RUNS if images is None else "extension3"
            part = {**block.match, "experiment": experiment, "attacked_images": images}
            values = [
                (keys, numbers)
                for keys, numbers in block.values
                if keys["adversarial_count"] in set(parts["adversarial_count"])
            ]
            same = replace(block, match=part, values=values)
            compared = compare_block(rows, source, same, "published")
            frames.append(compared.assign(attacked_images=images))
    return _concatenated(frames)


TABLES: dict[str, TableKind] = {
    "zk_table1": TableKind(training_methods, printing.training_methods),
    "zk_table2": TableKind(fine_tuning("zk", "cnn_light"), printing.fine_tuning),
    "zk_table3": TableKind(fine_tuning("zk", "cnn"), printing.fine_tuning),
    "zk_table4": TableKind(fine_tuning("zk", "resnet8"), printing.fine_tuning),
    "zk_table5": TableKind(running_times, printing.running_times),
    "kronqvist_table1": TableKind(fine_tuning("kronqvist", "cnn"), printing.fine_tuning),
    "zk_extension1": TableKind(over_seeds, printing.over_seeds),
    "zk_extension3": TableKind(attacked_images, printing.attacked_images),
    "zk_extension4": TableKind(certified_table.certified, certified_table.printed),
    "zk_extension5": TableKind(repair_table.repaired, repair_table.printed),
}


def _concatenated(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Frames below each other; columns that are empty in one do not change another's type."""
    return pd.concat([frame.astype(object) for frame in frames], ignore_index=True).infer_objects()


def _unpublished(
    rows: Rows,
    network: str,
    method: str,
    protocol: str,
    quantities: Sequence[str],
    match: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    own = {"paper_network": network, "method": method, "protocol": protocol}
    chosen = rows.select("evaluations", {**(match or {}), **own})
    decimals = dict.fromkeys(quantities)
    return unpublished(chosen, "zk", decimals, protocol, output="zk_table1", network=network)


def _seconds(rows: Rows, network: str, method: str, protocol: str) -> pd.DataFrame:
    """The time of a method; none for the initial network, nor where a scale leaves runs out."""
    left_out = method == "fine-tuned" and not rows.planned(network, protocol, 50)
    if method == "initial" or left_out:
        return pd.DataFrame(columns=COMPARISON_COLUMNS)
    match = {**FINE_TUNED, "adversarial_count": 50, "omega": 0.0} if method == "fine-tuned" else {}
    return _unpublished(rows, network, method, protocol, ["seconds_total"], match)
