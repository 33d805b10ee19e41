"""The settings of a run: the user's file laid over those of a scale, checked and completed.

Light on purpose: the workflow reads settings before every run, so nothing here loads torch.
"""

from __future__ import annotations

import copy
import difflib
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypedDict, cast

import jsonschema
import yaml
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from advmip.durability.storage import read_yaml, write_text
from advmip.errors import InputError, unknown_name
from advmip.finetuning_settings import FinetuningRuns, ZhaoKronqvist
from advmip.reuse import Reuse


class Attack(TypedDict):
    """FGSM and PGD: the radius and step in the protocol's space, and the number of steps."""

    epsilon: float
    step: float
    iterations: int


class Training(TypedDict):
    """How a network is trained from scratch."""

    epochs: int
    batch_size: int
    optimizer: Literal["adam", "sgd"]
    learning_rate: float
    momentum: float
    decay: float


class Retraining(TypedDict):
    """Training from scratch against attacks, to compare fine-tuning with."""

    epochs: int
    adversarial_count: int
    inner_iterations: int


class NetworkSettings(TypedDict):
    """One of the paper's networks at one scale."""

    architecture: str
    dataset: str
    attack: Attack
    training: Training
    retraining: Retraining
    attacked_images: int | None
    attacks_per_job: int
    training_images: int | None
    test_images: int | None


class TrainedNetwork(TypedDict):
    """A network that is always trained here."""

    architecture: str
    dataset: str
    training: Training


class Defence(TypedDict):
    """What a network is made robust against in training, and how."""

    method: Literal["linear-bounds", "pgd", "none"]
    epsilon: float
    ramp: int
    hidden: Literal["forms", "intervals"]
    iterations: int
    weight_penalty: float


class ExactAttacks(TypedDict):
    """The exact attacks on one network in one experiment."""

    distances: list[str]
    images: int
    images_by_distance: dict[str, int]
    of_each_class: bool
    formulation: str
    bounds: str
    solver: str
    time_limit: float
    gap: float
    attacks_per_job: int


class Zhu(TypedDict):
    """The networks of Zhu's thesis, and the attacks on them by experiment and network."""

    networks: dict[str, TrainedNetwork]
    ratio: float
    margin: float
    bound_time_limit: float
    feature_time_limit: float
    experiments: dict[str, dict[str, ExactAttacks]]


class PublishedNetwork(TrainedNetwork):
    """A network that is trained here unless a published file is named."""

    file: str | None
    defence: Defence


class SolverComparison(TypedDict):
    """The exact attacks on one network, each by every solver."""

    distances: list[str]
    solvers: list[str]
    images: int
    images_by_distance: dict[str, int]
    target: Literal["any", "runner-up"]
    bounds: str
    time_limit: float
    time_limit_by_solver: dict[str, float]
    gap: float


class CarliniWagner(TypedDict):
    """Carlini & Wagner's attack."""

    learning_rate: float
    iterations: int
    searches: int


class Appearance(TypedDict):
    """The attacks on one network that are to be looked at, each by every method."""

    methods: list[str]
    images: int
    attack: Attack
    carlini_wagner: CarliniWagner
    time_limit: float
    gap: float


class Efficiency(TypedDict):
    """Solvers beside each other, by network of the paper."""

    attacks_per_job: int
    networks: dict[str, SolverComparison]


class Appearances(TypedDict):
    """What attacks look like, by network of the paper."""

    attacks_per_job: int
    networks: dict[str, Appearance]


class BenMhenniExperiments(TypedDict):
    """The experiments of Ben Mhenni et al."""

    efficiency: Efficiency
    appearance: Appearances


class Denoising(TypedDict):
    """Noise, and the weight of the total variation that removes it."""

    noise: float
    weight: float


class BenMhenni(TypedDict):
    """The networks of Ben Mhenni et al., and the attacks on them."""

    margin: float
    variation_weight: float
    denoising: Denoising
    networks: dict[str, PublishedNetwork]
    experiments: BenMhenniExperiments


class VerifiedNetwork(TypedDict):
    """A network whose robustness is verified: trained here, of a file, or the same as another."""

    architecture: str | None
    file: str | None
    same_as: str | None
    dataset: str
    training_images: int | None
    training: Training
    defence: Defence


class Verifications(TypedDict):
    """The verifications on one network in one experiment."""

    images: int
    epsilons: list[float]
    solver: str
    time_limit: float


class Tjeng(TypedDict):
    """The networks of Tjeng's poster, and what is verified by experiment and network."""

    networks: dict[str, VerifiedNetwork]
    pgd_iterations: int
    verifications_per_job: int
    experiments: dict[str, dict[str, Verifications]]


class Benchmark(TypedDict):
    """A benchmark of VNN-COMP; or boxes around test images, where networks are named."""

    instances: int
    networks: list[str]
    epsilon: float
    solvers: list[str]
    time_limit: float


class VnnComp(TypedDict):
    """What is answered of the competition's benchmarks."""

    instances_per_job: int
    benchmarks: dict[str, Benchmark]


class Settings(TypedDict):
    """All settings, complete: every key that the schemas describe is present."""

    scale: str
    share: float
    data_dir: str
    network_dir: str
    vnncomp_dir: str
    download: bool
    weights: Literal["trained", "released"]
    reuse: Reuse
    seed: int
    threads: int
    gpus: int
    networks: dict[str, NetworkSettings]
    zk: ZhaoKronqvist
    zhu: Zhu
    benmhenni: BenMhenni
    tjeng: Tjeng
    vnncomp: VnnComp


# What stored settings say of themselves.
_COMPLETE = "complete"

_Properties = Callable[
    [Any, Mapping[str, Any], Any, Mapping[str, Any]], Iterator[jsonschema.ValidationError]
]


def load_settings(config: Path | Mapping[str, Any], workflow: Path) -> Settings:
    """The user's settings laid over those of the scale that they name.

    Any key of a scale may stand in the user's settings too, and then wins; lists are replaced
    whole, and null leaves a network or an experiment of the scale out. Of the scale's own counts of
    instances and seeds the `share` is taken that is asked for.
    The stored result of `save_settings` is again such a file: it says that it is complete, and what
    the scale has become since is not laid under it.

    Args:
        config: A YAML file, or its contents.
        workflow: The folder with `scales/` and `schemas/`.

    Returns:
        Complete settings.

    Raises:
        InputError: A file is missing or no YAML mapping, a key is unknown (the nearest known one
            is named), or a value is not admitted.
    """
    chosen = dict(config) if isinstance(config, Mapping) else _read_mapping(config)
    complete = chosen.pop(_COMPLETE, False)
    scale = {} if complete else _scale_of(chosen, workflow / "scales")
    schemas = workflow / "schemas"
    merged = _filled_in(scale, chosen, schemas)
    if not complete and merged["share"] < 1:
        whole = _filled_in(scale, {}, schemas)
        merged = _filled_in(_share_of(whole, merged["share"], schemas), chosen, schemas)
    return cast(Settings, merged)


def save_settings(settings: Settings, path: Path) -> None:
    """Write complete settings as YAML; a file that already says the same is left untouched."""
    text = yaml.safe_dump({_COMPLETE: True, **settings}, sort_keys=False, allow_unicode=True)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


def finetuning_runs_of(
    settings: Settings, experiment: str, paper_network: str
) -> FinetuningRuns | None:
    """The fine-tuning runs of a network in an experiment, or None where the scale has none."""
    return settings["zk"]["experiments"].get(experiment, {}).get(paper_network)


def _scale_of(chosen: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The settings of the scale that others name."""
    scale = chosen.get("scale", "demo")
    scales = {file.stem: file for file in folder.glob("*.yaml")}
    if scale not in scales:
        raise unknown_name("scale", str(scale), scales)
    return _read_mapping(scales[scale])


def _read_mapping(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(
            subject=f"settings file {path}",
            found="no such file",
            expected="a YAML file of settings",
            mend="check the path, or run from the project's folder",
        )
    try:
        contents = read_yaml(path)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(
            subject=f"settings file {path}",
            found=" ".join(str(error).split()),
            expected="YAML",
            mend="correct the file at the place named",
        ) from error
    if not isinstance(contents, dict):
        raise InputError(
            subject=f"settings file {path}",
            found=f"a {type(contents).__name__}",
            expected="keys with values",
            mend="write one `key: value` a line",
        )
    return contents


def _overlaid(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes` laid over it, mapping by mapping; null leaves a mapping out."""
    merged = copy.deepcopy(dict(base))
    for key, value in changes.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = _overlaid(below, value)
        elif isinstance(below, Mapping) and value is None:
            del merged[key]
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _filled_in(
    scale: Mapping[str, Any], chosen: Mapping[str, Any], schemas: Path
) -> dict[str, Any]:
    """Settings laid over those of a scale, checked, with defaults for what neither says."""
    merged = _overlaid(scale, chosen)
    _check(_validator(schemas, _fill_and_check), merged)
    return merged


def _share_of(settings: dict[str, Any], share: float, schemas: Path) -> dict[str, Any]:
    """Valid settings with a share of every number that the schemas call a count, rounded up."""
    for error in _validator(schemas, _Share(share)).iter_errors(settings):
        raise AssertionError(f"a share of valid settings is valid: {error.message}")
    return settings


def _validator(schemas: Path, properties: _Properties) -> Any:
    """A validator of whole settings that treats keys of mappings in its own way as it goes down."""
    contents = {file.name: _read_mapping(file) for file in schemas.glob("*.yaml")}
    registry: Registry[Any] = Registry().with_resources(
        (name, DRAFT202012.create_resource(schema)) for name, schema in contents.items()
    )
    own = extend(  # type: ignore[no-untyped-call]
        jsonschema.Draft202012Validator, {"properties": properties}
    )
    return own(contents["config.schema.yaml"], registry=registry)


def _fill_and_check(
    validator: Any, properties: Mapping[str, Any], instance: Any, schema: Mapping[str, Any]
) -> Iterator[jsonschema.ValidationError]:
    if isinstance(instance, dict):
        for name, described in properties.items():
            if "default" in described:
                instance.setdefault(name, copy.deepcopy(described["default"]))
    check = jsonschema.Draft202012Validator.VALIDATORS["properties"]
    yield from check(validator, properties, instance, schema)


class _Share:
    """Takes a share of counts, of each mapping's once: a YAML anchor puts one in several places."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._done: dict[int, Any] = {}

    def __call__(
        self,
        validator: Any,
        properties: Mapping[str, Any],
        instance: Any,
        schema: Mapping[str, Any],
    ) -> Iterator[jsonschema.ValidationError]:
        if isinstance(instance, dict) and id(instance) not in self._done:
            self._done[id(instance)] = instance
            for name, described in properties.items():
                if described.get("count") and name in instance:
                    instance[name] = self._of(instance[name])
        yield from jsonschema.Draft202012Validator.VALIDATORS["properties"](
            validator, properties, instance, schema
        )

    def _of(self, count: int | dict[str, int]) -> Any:
        if isinstance(count, dict):
            return {key: self._of(value) for key, value in count.items()}
        # What rounding adds to a whole number is no further instance.
        return math.ceil(self._share * count - 1e-9)


def _check(validator: Any, settings: dict[str, Any]) -> None:
    """Fill in defaults, and refuse the first thing that the schema does not admit."""
    error = next(iter(sorted(validator.iter_errors(settings), key=lambda e: len(e.path))), None)
    if error is None:
        return
    place = ".".join(map(str, error.absolute_path)) or "the settings"
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        unknown = next(key for key in error.instance if key not in known)
        nearest = difflib.get_close_matches(str(unknown), known, n=1, cutoff=0.4)
        raise InputError(
            subject=f"unknown key in {place}",
            found=repr(unknown),
            expected=f"one of {', '.join(known)}",
            mend=f"did you mean {nearest[0]!r}?" if nearest else "remove it",
        )
    described = error.schema.get("description", error.message)
    raise InputError(
        subject=f"setting {place}",
        found=repr(error.instance),
        expected=f"{described} ({error.validator}: {error.validator_value})",
        mend="correct it in config.yaml, in workflow/scales, or on the command line",
    )
