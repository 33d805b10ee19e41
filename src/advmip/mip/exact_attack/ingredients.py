"""What an exact attack consists of, and its variants for ablations."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Ingredients:
    """What the progressive exact attack consists of; each may be left out, to see what it is worth.

    Attributes:
        search: A gradient search and the programs of activation patterns give a first attack.
        ball: The neurons are bounded over the ball of the best attack, not over the whole box.
        relaxation: They are bounded by linear forms and programs, not by intervals alone.
        tree: In L-infinity, where the solver is left open and more than a few neurons are, a tree
            over signs with bounds by forms takes turns with the solver.
        restart: After a clearly nearer attack, the ball shrinks and the solver starts again.
        distance_cuts: Where the solver takes long, it starts again with rows that fall towards the
            image, or in exact L2 with priced products, and with the bounds that follow from them.
    """

    search: bool = True
    ball: bool = True
    relaxation: bool = True
    tree: bool = True
    restart: bool = True
    distance_cuts: bool = True


# The whole exact attack, and the exact attack without one of its ingredients, by name.
PROGRESSIVE = "progressive"
PROGRESSIVE_VARIANTS = {
    PROGRESSIVE: Ingredients(),
    **{
        f"{PROGRESSIVE}-without-{each.name.replace('_', '-')}": Ingredients(**{each.name: False})
        for each in fields(Ingredients)
    },
}
