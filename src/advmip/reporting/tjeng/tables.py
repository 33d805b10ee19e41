"""The poster's tables: one function each from tidy rows to a data frame."""

from __future__ import annotations

import pandas as pd

from advmip.reporting.comparisons import compare_block, unpublished
from advmip.reporting.outputs import Sources, TableKind
from advmip.reporting.rows import Rows, where
from advmip.reporting.tjeng import printing
from advmip.reporting.tjeng.names import ADVERSARIAL_ERROR, FINETUNED, STAGES, VERIFIERS, WHOLE

CLASSIFIER = "MNIST-classifier"


def ablation(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Table 1: what each optimisation of the verifier is worth.

    Returns:
        The columns of `compare_block` and `variant`: for each verifier the published quantities,
        and ours alone of `undecided`; for our own way, ours alone of all.
    """
    source = sources["tjeng"]
    block = source.blocks["ablation"]
    frames = [compare_block(rows, source, block, "published")]
    for variant in VERIFIERS:
        quantities = {"undecided": 0}
        if variant == WHOLE:
            quantities |= block.quantities
        own = where(rows.frame("verifications"), block.match | {"variant": variant})
        ours = unpublished(own, source.name, quantities, network=CLASSIFIER)
        frames.append(ours.assign(variant=variant))
    return pd.concat(frames, ignore_index=True)


def adversarial_error(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Table 2: certified bounds of the adversarial error.

    Returns:
        The columns of `compare_block`, `dataset`, and `epsilon` (ours; empty where not run), for
        each of the poster's networks and last for a published one of the family.
    """
    source = sources["tjeng"]
    block = source.blocks["adversarial_error"]
    compared = compare_block(rows, source, block, "published")
    verified = where(rows.frame("verifications"), {"experiment": ADVERSARIAL_ERROR})
    own = where(verified, {"paper_network": CLASSIFIER})
    ours = unpublished(own, source.name, block.quantities, network=CLASSIFIER)
    tidy = pd.concat([compared, ours], ignore_index=True)
    by_network = verified.groupby("paper_network")
    described = {name: by_network[name].first() for name in ("dataset", "network", "epsilon")}
    stands = described.pop("network")
    for name, values in described.items():
        tidy[name] = tidy["network"].map(values)
    tidy["stand_in"] = tidy["network"].map(stands)
    return tidy[tidy["published"].notna() | tidy["ours"].notna()].reset_index(drop=True)


FINETUNED_COLUMNS = [
    *["network", "stage", "epsilon", "images", "clean", "pgd", "unbroken"],
    *["certified", "linear", "seconds"],
]


def finetuned(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Extension 1: accuracies before and after fine-tuning, under attack and proved.

    Returns:
        The columns `FINETUNED_COLUMNS`, accuracies in percent: `pgd` under PGD, `unbroken` where
        nothing found an attack, `certified` proved, `linear` proved by linear bounds alone.
    """
    verified = where(rows.frame("verifications"), {"experiment": FINETUNED})
    records = []
    for (network, epsilon, variant), part in verified.groupby(
        ["paper_network", "epsilon", "variant"], sort=False
    ):
        errors = ["test_error", "pgd_error", "lower_error", "upper_error", "linear_error"]
        shares = 100.0 - part[errors].mean()
        records.append(
            [network, STAGES[str(variant)], epsilon, len(part), *shares, part["seconds"].mean()]
        )
    return pd.DataFrame(records, columns=FINETUNED_COLUMNS)


TABLES: dict[str, TableKind] = {
    "tjeng_table1": TableKind(ablation, printing.ablation),
    "tjeng_table2": TableKind(adversarial_error, printing.adversarial_error),
    "tjeng_extension1": TableKind(finetuned, printing.finetuned),
}
