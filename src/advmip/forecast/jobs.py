"""The jobs of a scale, by the same functions that the workflow's rules ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from advmip.datasets.loading import COUNTS
from advmip.experiments.ben_mhenni import instances as ben_mhenni
from advmip.experiments.tjeng import instances as tjeng
from advmip.experiments.zhao_kronqvist import runs as zhao_kronqvist
from advmip.experiments.zhu import instances as zhu
from advmip.forecast import work
from advmip.forecast.work import Effort, Instance, Job, Kind, label, recorded, single
from advmip.reporting.zhao_kronqvist.names import ADDED_DATA, ADVERSARIAL_TRAINING
from advmip.settings import Settings

# Candidates of a fine-tuning run that are attacked: one for each omega, and the last iterate.
_LAST_ITERATE = 1

Outputs = Mapping[str, Mapping[str, Any]]
# How many verifications each job does, by experiment; by network, radius and variant.
_Verifications = Mapping[str, list[Counter[tuple[str, float, str]]]]


def jobs_of(settings: Settings, outputs: Outputs) -> dict[str, Job]:
    """All jobs of a scale, by name.

    Args:
        settings: All settings.
        outputs: What `workflow/outputs.yaml` holds.
    """
    verifications = _verifications(settings)
    jobs = [
        *_networks(settings),
        *_zhao_kronqvist(settings),
        *_zhu(settings),
        *_ben_mhenni(settings),
        *_tjeng(settings, verifications),
        single("two_nodes", Effort(Kind("two_nodes", ""))),
        *_reporting(settings, outputs, verifications),
    ]
    known = {job.name: job for job in jobs}
    wanted = closure(known, ["report"])
    return {name: job for name, job in known.items() if name in wanted}


def jobs_behind(jobs: Mapping[str, Job], output: str, makes: Iterable[str]) -> set[str]:
    """The names of the jobs that a table or a figure needs, itself included."""
    return closure(jobs, [f"{folder}/{output}" for folder in makes])


def closure(jobs: Mapping[str, Job], names: Iterable[str]) -> set[str]:
    """These jobs, those that they need, those that these need, and so on."""
    found: set[str] = set()
    open_names = list(names)
    while open_names:
        name = open_names.pop()
        if name not in found:
            found.add(name)
            open_names += jobs[name].needs
    return found


def _networks(settings: Settings) -> Iterator[Job]:
    networks: dict[str, Any] = {
        **settings["networks"],
        **settings["zhu"]["networks"],
        **settings["benmhenni"]["networks"],
    }
    for name, chosen in networks.items():
        data = [f"datasets/{chosen['dataset']}"]
        released = settings["weights"] == "released" and name in settings["networks"]
        effort = Effort(Kind("fetching", label(chosen))) if released else work.training(chosen)
        yield single(f"networks/{name}", effort, data)
    robust = settings["tjeng"]["networks"]
    for name in tjeng.trained_networks(settings):
        data = [f"datasets/{robust[name]['dataset']}"]
        yield single(f"robust_network/{name}", work.training(robust[name]), data)
    every = [*networks.values(), *robust.values()]
    for dataset in dict.fromkeys(chosen["dataset"] for chosen in every):
        yield single(f"datasets/{dataset}", Effort(Kind("data set", dataset)))


def _zhao_kronqvist(settings: Settings) -> Iterator[Job]:
    for name, chosen in settings["networks"].items():
        network, test = label(chosen), work.test_images(chosen)
        own = f"networks/{name}"
        yield single(f"initial/{name}", Effort(Kind("initial", network), test), [own])
        for shard, attacks in enumerate(zhao_kronqvist.attacks_of(settings, name)):
            every = chosen["attacked_images"] or COUNTS[chosen["dataset"]]["train"]
            amount = sum(attack.attacked_images or every for attack in attacks)
            effort = Effort(Kind("adversarial sets", network), amount)
            yield single(f"adversarial/{name}-{shard}", effort, [own])
        epochs = chosen["retraining"]["epochs"]
        anew = {
            method: Instance((work.retraining(network, method, epochs),))
            for method in (ADDED_DATA, ADVERSARIAL_TRAINING)
        }
        first = [
            zhao_kronqvist.Attack(protocol, settings["seed"])
            for protocol in zhao_kronqvist.PROTOCOL_NAMES
        ]
        needs = [own, *_adversarial_sets(settings, name, first)]
        yield recorded(f"added_data/{name}", [anew[ADDED_DATA]] * len(first), needs)
        yield recorded(f"adversarial_training/{name}", [anew[ADVERSARIAL_TRAINING]], [own])
        for experiment, by_network in settings["zk"]["experiments"].items():
            if name not in by_network:
                continue
            for shard, runs in enumerate(zhao_kronqvist.shards_of(settings, experiment, name)):
                instances = [_finetuning(settings, experiment, name, run) for run in runs]
                needs = [own, *_adversarial_sets(settings, name, [run.attack for run in runs])]
                yield recorded(f"finetuning/{experiment}/{name}-{shard}", instances, needs)


def _finetuning(
    settings: Settings, experiment: str, name: str, run: zhao_kronqvist.Run
) -> Instance:
    chosen, shards = settings["networks"][name], settings["zk"]["experiments"][experiment][name]
    network, iterations = label(chosen), shards["iterations"]
    candidates = len(settings["zk"]["omega"]) + _LAST_ITERATE
    if shards["accuracy_per_iteration"]:
        candidates += iterations
    images = candidates * work.test_images(chosen)
    count, ratio = run.adversarial_count, shards["fixed_ratio"]
    return Instance(
        (
            work.projections(network, count, ratio, iterations),
            work.passes(network, iterations, work.training_images(chosen)),
            work.evaluations(network, run.attack.protocol, images),
        )
    )


def _adversarial_sets(
    settings: Settings, name: str, attacks: Sequence[zhao_kronqvist.Attack]
) -> list[str]:
    folder = Path("adversarial")
    return [
        zhao_kronqvist.adversarial_folder(settings, folder, name, attack).as_posix()
        for attack in attacks
    ]


def _zhu(settings: Settings) -> Iterator[Job]:
    networks = settings["zhu"]["networks"]
    described = [f"networks/{name}" for name in networks]
    yield single("networks_described", Effort(Kind("networks described", "")), described)
    yield single("square/l2-5", Effort(Kind("square", "")))
    for name, chosen in networks.items():
        network, own = label(chosen), f"networks/{name}"
        yield single(f"features/{name}", Effort(Kind("features", network)), [own])
        for method in zhu.STORED_BOUNDS:
            bounding = Instance((Effort(work.bounding(network, method)),))
            yield recorded(f"bounds/{name}-{method}", [bounding], [own])
        for experiment in settings["zhu"]["experiments"]:
            yield from _exact_attacks(settings, experiment, name)
        retrained = []
        for trained_on in zhu.retrainings(settings, name):
            examples = _attacks_by(settings, zhu.TRAINING_EXAMPLES, name, trained_on)
            retrained.append(f"retrained/{name}-{trained_on}")
            yield single(retrained[-1], work.training(chosen), [own, *examples])
        examples = [
            job
            for distance in _distances(settings, zhu.TEST_EXAMPLES, name)
            for job in _attacks_by(settings, zhu.TEST_EXAMPLES, name, distance)
        ]
        effort = Effort(Kind("accuracies", network))
        yield single(f"accuracies/{name}", effort, [own, *retrained, *examples])
        shown = [
            f"exact_attacks/gallery/{name}-{shard}" for shard in _shards(settings, "gallery", name)
        ]
        yield single(f"gallery/{name}", Effort(Kind("gallery", network)), [own, *shown])


def _exact_attacks(settings: Settings, experiment: str, name: str) -> Iterator[Job]:
    chosen = zhu.attacks_of(settings, experiment, name)
    if chosen is None:
        return
    network = label(settings["zhu"]["networks"][name])
    how = chosen["solver"], chosen["formulation"], chosen["bounds"]
    for shard, attacks in enumerate(zhu.shards_of(settings, experiment, name)):
        needs = [f"networks/{name}"]
        if chosen["bounds"] in zhu.STORED_BOUNDS:
            needs.append(f"bounds/{name}-{chosen['bounds']}")
        if attacks[0].trained_on is not None:
            needs.append(f"retrained/{name}-{attacks[0].trained_on}")
        efforts = {
            distance: Instance(
                (Effort(work.attack(network, distance, *how)),), chosen["time_limit"]
            )
            for distance in chosen["distances"]
        }
        instances = [efforts[attack.distance] for attack in attacks]
        yield recorded(f"exact_attacks/{experiment}/{name}-{shard}", instances, needs)


def _attacks_by(settings: Settings, experiment: str, name: str, distance: str) -> list[str]:
    folders = zhu.example_folders(settings, Path("exact_attacks"), experiment, name, distance)
    return [folder.as_posix() for folder in folders]


def _distances(settings: Settings, experiment: str, name: str) -> list[str]:
    chosen = zhu.attacks_of(settings, experiment, name)
    return [] if chosen is None else chosen["distances"]


def _shards(settings: Settings, experiment: str, name: str) -> range:
    return range(len(zhu.shards_of(settings, experiment, name)))


def _ben_mhenni(settings: Settings) -> Iterator[Job]:
    networks = settings["benmhenni"]["networks"]
    data = networks["MNIST-3x50"]["dataset"]
    yield single("illustrations", Effort(Kind("illustrations", data)), [f"datasets/{data}"])
    compared = settings["benmhenni"]["experiments"]["efficiency"]["networks"]
    shown = settings["benmhenni"]["experiments"]["appearance"]["networks"]

    def instance(instance: ben_mhenni.Instance) -> Instance:
        name, network = instance.network, label(networks[instance.network])
        if instance.solver is None:
            kind, limit = work.look(network, instance.method), shown[name]["time_limit"]
        else:
            bounds = compared[name]["bounds"]
            kind = work.attack(network, instance.method, instance.solver, "big-m", bounds)
            limit = ben_mhenni.time_limit_of(settings, instance)
        return Instance((Effort(kind),), limit)

    for experiment in ben_mhenni.ROWS:
        for shard, instances in enumerate(ben_mhenni.shards_of(settings, experiment)):
            needs = [f"networks/{name}" for name in ben_mhenni.networks_of(instances)]
            yield recorded(f"{experiment}/{shard}", map(instance, instances), needs)


def _verifications(settings: Settings) -> _Verifications:
    return {
        experiment: [
            Counter((each.paper_network, each.epsilon, each.variant) for each in instances)
            for instances in tjeng.shards_of(settings, experiment)
        ]
        for experiment in settings["tjeng"]["experiments"]
    }


def _tjeng(settings: Settings, verifications: _Verifications) -> Iterator[Job]:
    attacked = zhao_kronqvist.Attack("described", settings["seed"])
    for name, chosen in settings["networks"].items():
        shards = settings["zk"]["experiments"].get("tables", {}).get(name)
        if shards is None:
            continue
        iterations = shards["iterations"]
        amount = iterations * work.training_images(chosen)
        needs = [f"networks/{name}", *_adversarial_sets(settings, name, [attacked])]
        effort = Effort(Kind("finetuned network", label(chosen)), amount)
        yield single(f"finetuned_network/{name}", effort, needs)
    trained = tjeng.trained_networks(settings)
    for experiment, by_network in settings["tjeng"]["experiments"].items():
        data = [f"datasets/{each}" for each in tjeng.datasets_of(settings, experiment)]
        for shard, counted in enumerate(verifications[experiment]):
            names = sorted({name for name, _, _ in counted})
            origins = [tjeng.origin_of(settings, name) for name in names]
            needs = data + [f"robust_network/{each}" for each in origins if each in trained]
            if experiment == tjeng.FINETUNED:
                needs += [f"networks/{name}" for name in names]
                needs += [f"finetuned_network/{name}" for name in names]
            instances: Counter[Instance] = Counter()
            for (name, epsilon, variant), number in counted.items():
                kind = work.verification(verified(settings, name), epsilon, variant)
                instances[Instance((Effort(kind),), by_network[name]["time_limit"])] += number
            yield recorded(f"verifications/{experiment}-{shard}", instances, needs)


def verified(settings: Settings, name: str) -> str:
    """A network that is verified, as rows name it."""
    if name in settings["networks"]:
        return settings["networks"][name]["architecture"]
    chosen: dict[str, Any] = {**settings["tjeng"]["networks"][tjeng.origin_of(settings, name)]}
    return label({**chosen, "defence": {"method": "none"}})


def _reporting(
    settings: Settings, outputs: Outputs, verifications: _Verifications
) -> Iterator[Job]:
    sources = list(dict.fromkeys(name.partition("_")[0] for name in outputs))
    behind: dict[str, list[str]] = {}
    for output, described in outputs.items():
        behind[output] = [
            job
            for experiment, networks in described["runs"].items()
            for name in networks
            for job in _row_jobs(settings, verifications, experiment, name)
        ]
        yield _report(f"rows/{output}", behind[output])
        for folder in described["makes"]:
            yield _report(f"{folder}/{output}", [f"rows/{output}"])
    made = [f"{folder}/{name}" for name, each in outputs.items() for folder in each["makes"]]
    for source in sources:
        # The lecture reports runs of the paper, whose seeds bear on its verdicts.
        of = (source, "zk") if source == "kronqvist" else (source,)
        needs = [job for name in outputs if name.partition("_")[0] in of for job in behind[name]]
        yield _report(f"rows/{source}", needs)
        yield _report(f"verdicts/{source}", [f"rows/{source}"])
    yield _report("all_verdicts", [f"verdicts/{source}" for source in sources])
    yield _report("report", [*made, "all_verdicts"])


def _report(name: str, needs: Iterable[str]) -> Job:
    return single(name, Effort(Kind(name.partition("/")[0], "")), dict.fromkeys(needs))


def _row_jobs(
    settings: Settings, verifications: _Verifications, experiment: str, name: str
) -> list[str]:
    """The jobs that write the rows of an experiment on a network; none where it is left out."""
    if experiment in ("illustrations", "relaxation"):
        return ["illustrations" if experiment == "illustrations" else "two_nodes"]
    if experiment in ben_mhenni.ROWS:
        shards = ben_mhenni.shards_on(settings, experiment, name)
        return [f"{experiment}/{shard}" for shard in shards]
    if experiment == "square":
        return [f"square/{name}"]
    if name in settings["zhu"]["networks"]:
        return _thesis_jobs(settings, experiment, name)
    if experiment in verifications:
        return [
            f"verifications/{experiment}-{shard}"
            for shard, counted in enumerate(verifications[experiment])
            if any(name == verified_name for verified_name, _, _ in counted)
        ]
    if experiment in ("initial", "added_data", "adversarial_training"):
        return [f"{experiment}/{name}"]
    runs = zhao_kronqvist.shards_of(settings, experiment, name)
    return [f"finetuning/{experiment}/{name}-{shard}" for shard in range(len(runs))]


def _thesis_jobs(settings: Settings, experiment: str, name: str) -> list[str]:
    if experiment == "networks":
        return ["networks_described"]
    if experiment == "features":
        return [f"features/{name}"]
    if experiment == "accuracies":
        tested = zhu.attacks_of(settings, zhu.TEST_EXAMPLES, name)
        return [] if tested is None else [f"accuracies/{name}"]
    shards = _shards(settings, experiment, name)
    jobs = [f"exact_attacks/{experiment}/{name}-{shard}" for shard in shards]
    chosen = zhu.attacks_of(settings, experiment, name)
    if chosen is not None and experiment == "gallery":
        jobs.append(f"gallery/{name}")
    if chosen is not None and chosen["bounds"] in zhu.STORED_BOUNDS:
        jobs.append(f"bounds/{name}-{chosen['bounds']}")
    return jobs
