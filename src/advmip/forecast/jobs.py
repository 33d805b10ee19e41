"""The jobs of a scale, by the same functions that the workflow's rules ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from advmip.datasets.loading import COUNTS
from advmip.experiments.ben_mhenni import instances as ben_mhenni
from advmip.experiments.catalogue import networks
from advmip.experiments.outputs import Outputs, files_of, shards_of_output, sources_of
from advmip.experiments.shards import networks_of
from advmip.experiments.tjeng import catalogue as tjeng_catalogue
from advmip.experiments.tjeng import instances as tjeng
from advmip.experiments.vnncomp import catalogue as vnncomp_catalogue
from advmip.experiments.vnncomp import instances as vnncomp
from advmip.experiments.zhao_kronqvist import catalogue as zhao_kronqvist_catalogue
from advmip.experiments.zhao_kronqvist import certified_instances
from advmip.experiments.zhao_kronqvist import instances as zhao_kronqvist
from advmip.experiments.zhu import catalogue as zhu_catalogue
from advmip.experiments.zhu import instances as zhu
from advmip.forecast import work
from advmip.forecast.work import Effort, Instance, Job, Kind, label, recorded, single
from advmip.reporting.zhao_kronqvist.names import ADDED_DATA, ADVERSARIAL_TRAINING
from advmip.settings import Settings, finetuning_runs_of

# Candidates of a fine-tuning run that are attacked: one for each omega, and the last iterate.
_LAST_ITERATE = 1


def jobs_of(settings: Settings, outputs: Outputs) -> dict[str, Job]:
    """All jobs of a scale, by name.

    Args:
        settings: All settings.
        outputs: What `workflow/outputs.yaml` holds.
    """
    jobs = [
        *_networks(settings),
        *_zhao_kronqvist(settings),
        *_certified(settings),
        *_zhu(settings),
        *_ben_mhenni(settings),
        *_tjeng(settings),
        *_vnncomp(settings),
        single("kronqvist/relaxation/TwoNodes", Effort(Kind("two_nodes", ""))),
        *_reporting(settings, outputs),
    ]
    known = {job.name: job for job in jobs}
    wanted = closure(known, ["report"])
    return {name: job for name, job in known.items() if name in wanted}


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
    recipes = networks(settings)
    for name, recipe in recipes.items():
        chosen = vars(recipe)
        fetching = Effort(Kind("fetching", label(chosen)))
        effort = fetching if recipe.released else work.training(chosen)
        yield single(f"networks/{name}", effort, [f"datasets/{recipe.dataset}"])
    verified = {
        dataset
        for experiment in settings["tjeng"]["experiments"]
        for dataset in tjeng.datasets_of(settings, experiment)
    }
    for dataset in verified.union(recipe.dataset for recipe in recipes.values()):
        yield single(f"datasets/{dataset}", Effort(Kind("data set", dataset)))


def _zhao_kronqvist(settings: Settings) -> Iterator[Job]:
    for name, chosen in settings["networks"].items():
        network, test = label(chosen), work.test_images(chosen)
        own = f"networks/{name}"
        yield single(f"zk/initial/{name}", Effort(Kind("initial", network), test), [own])
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
        first = zhao_kronqvist.first_attacks(settings)
        needs = [own, *_adversarial_sets(settings, name, first)]
        yield recorded(f"zk/added_data/{name}", [anew[ADDED_DATA]] * len(first), needs)
        yield recorded(f"zk/adversarial_training/{name}", [anew[ADVERSARIAL_TRAINING]], [own])
        for experiment, by_network in settings["zk"]["experiments"].items():
            if name not in by_network:
                continue
            for shard, runs in enumerate(zhao_kronqvist.shards_of(settings, experiment, name)):
                instances = [_finetuning(settings, experiment, name, run) for run in runs]
                needs = [own, *_adversarial_sets(settings, name, [run.attack for run in runs])]
                yield recorded(f"zk/{experiment}/{name}-{shard}", instances, needs, "finetuning")


def _finetuning(
    settings: Settings, experiment: str, name: str, run: zhao_kronqvist.Run
) -> Instance:
    chosen, shared = settings["networks"][name], settings["zk"]["experiments"][experiment][name]
    network, iterations = label(chosen), shared["iterations"]
    candidates = len(settings["zk"]["omega"]) + _LAST_ITERATE
    if shared["accuracy_per_iteration"]:
        candidates += iterations
    images = candidates * work.test_images(chosen)
    count, ratio = run.adversarial_count, shared["fixed_ratio"]
    return Instance(
        (
            work.projections(network, count, ratio, iterations),
            work.passes(network, iterations, work.training_images(chosen)),
            work.evaluations(network, run.attack.protocol, images),
        )
    )


def _certified(settings: Settings) -> Iterator[Job]:
    """Runs until images are proved robust, whatever they start from."""
    for experiment in certified_instances.EXPERIMENTS:
        for name, shared in certified_instances.certified_runs_of(settings, experiment).items():
            chosen = certified_instances.network_settings(settings, experiment, name)
            runs_of_jobs = certified_instances.certified_shards_of(settings, experiment, name)
            for shard, runs in enumerate(runs_of_jobs):
                instances = [_proving(label(chosen), shared, run) for run in runs]
                job = f"zk/{experiment}/{name}-{shard}"
                yield recorded(job, instances, [f"networks/{name}"], "certified_finetuning")


def _proving(
    network: str, shared: Mapping[str, Any], run: certified_instances.CertifiedRun
) -> Instance:
    images = shared.get("verified_images", 0) + run.images
    verified = work.proofs(network, run.epsilon, images)
    limit = images * shared["image_time_limit"]
    if run.method == certified_instances.INITIAL:
        return Instance((verified,), limit)
    tuned = work.certified(network, run.epsilon, run.images, run.method)
    return Instance((tuned, verified), shared["time_limit"] + limit)


def _adversarial_sets(
    settings: Settings, name: str, attacks: Iterable[zhao_kronqvist.Attack]
) -> list[str]:
    sets = zhao_kronqvist_catalogue.adversarial_sets(settings, name, attacks)
    return [f"adversarial/{each}" for each in sets]


def _zhu(settings: Settings) -> Iterator[Job]:
    networks = settings["zhu"]["networks"]
    described = [f"networks/{name}" for name in networks]
    yield single("zhu/networks", Effort(Kind("networks described", "")), described)
    yield single("zhu/square/l2-5", Effort(Kind("square", "")))
    for name, chosen in networks.items():
        network, own = label(chosen), f"networks/{name}"
        yield single(f"zhu/features/{name}", Effort(Kind("features", network)), [own])
        for method in zhu.STORED_BOUNDS:
            bounding = Instance((Effort(work.bounding(network, method)),))
            yield recorded(f"zhu/bounds/{name}-{method}", [bounding], [own])
        for experiment in settings["zhu"]["experiments"]:
            yield from _exact_attacks(settings, experiment, name)
        retrained = []
        for trained_on in zhu.retrainings(settings, name):
            place = zhu.TRAINING_EXAMPLES, name, trained_on
            examples = zhu_catalogue.attack_shards(settings, *place)
            retrained.append(f"retrained/{name}-{trained_on}")
            yield single(retrained[-1], work.training(chosen), [own, *examples])
        examples = zhu_catalogue.attack_shards(settings, zhu.TEST_EXAMPLES, name)
        effort = Effort(Kind("accuracies", network))
        yield single(f"zhu/accuracies/{name}", effort, [own, *retrained, *examples])
        shown = zhu_catalogue.attack_shards(settings, "gallery", name)
        yield single(f"zhu/gallery/{name}", Effort(Kind("gallery", network)), [own, *shown])


def _exact_attacks(settings: Settings, experiment: str, name: str) -> Iterator[Job]:
    chosen = zhu.attacks_of(settings, experiment, name)
    if chosen is None:
        return
    network = label(settings["zhu"]["networks"][name])
    how = chosen["solver"], chosen["formulation"], chosen["bounds"]
    efforts = {
        distance: Instance((Effort(work.attack(network, distance, *how)),), chosen["time_limit"])
        for distance in chosen["distances"]
    }
    for shard, attacks in enumerate(zhu.shards_of(settings, experiment, name)):
        bounds = zhu_catalogue.bounds_shards(settings, experiment, name)
        needs = [f"networks/{name}", *bounds]
        if attacks[0].trained_on is not None:
            needs.append(f"retrained/{name}-{attacks[0].trained_on}")
        instances = [efforts[attack.distance] for attack in attacks]
        yield recorded(f"zhu/{experiment}/{name}-{shard}", instances, needs, "exact_attacks")


def _ben_mhenni(settings: Settings) -> Iterator[Job]:
    networks = settings["benmhenni"]["networks"]
    data = networks["MNIST-3x50"]["dataset"]
    effort = Effort(Kind("illustrations", data))
    yield single("benmhenni/illustrations", effort, [f"datasets/{data}"], "illustrations")
    compared = settings["benmhenni"]["experiments"]["efficiency"]["networks"]
    shown = settings["benmhenni"]["experiments"]["appearance"]["networks"]

    def instance(instance: ben_mhenni.Instance) -> Instance:
        name, network = instance.paper_network, label(networks[instance.paper_network])
        if instance.solver is None:
            kind, limit = work.visible_attack(network, instance.method), shown[name]["time_limit"]
        else:
            bounds = compared[name]["bounds"]
            kind = work.attack(network, instance.method, instance.solver, "big-m", bounds)
            limit = ben_mhenni.time_limit_of(settings, instance)
        return Instance((Effort(kind),), limit)

    for experiment in (ben_mhenni.EFFICIENCY, ben_mhenni.APPEARANCE):
        for shard, instances in enumerate(ben_mhenni.shards_of(settings, experiment)):
            needs = [f"networks/{name}" for name in networks_of(instances)]
            yield recorded(f"benmhenni/{experiment}/{shard}", map(instance, instances), needs)


def _tjeng(settings: Settings) -> Iterator[Job]:
    for name, chosen in settings["networks"].items():
        runs = finetuning_runs_of(settings, "tables", name)
        if runs is None:
            continue
        amount = runs["iterations"] * work.training_images(chosen)
        attacks = [tjeng.finetuned_on(settings)]
        needs = [f"networks/{name}", *_adversarial_sets(settings, name, attacks)]
        effort = Effort(Kind("finetuned network", label(chosen)), amount)
        yield single(f"finetuned_network/{name}", effort, needs)
    made = {*tjeng_catalogue.networks(settings), *settings["networks"]}
    for experiment, by_network in settings["tjeng"]["experiments"].items():
        data = [f"datasets/{each}" for each in tjeng.datasets_of(settings, experiment)]
        for shard, verifications in enumerate(tjeng.shards_of(settings, experiment)):
            needs = [
                f"finetuned_network/{name}" if finetuned else f"networks/{origin}"
                for name, finetuned in dict.fromkeys(each.network for each in verifications)
                for origin in [tjeng.origin_of(settings, name)]
                if origin in made
            ]
            instances: Counter[Instance] = Counter()
            counted = Counter(each[:3] for each in verifications)
            for (name, epsilon, variant), number in counted.items():
                kind = work.verification(tjeng.name_of(settings, name), epsilon, variant)
                instances[Instance((Effort(kind),), by_network[name]["time_limit"])] += number
            job = f"tjeng/{experiment}/{shard}"
            yield recorded(job, instances, [*data, *needs], "verifications")


def _vnncomp(settings: Settings) -> Iterator[Job]:
    for name, chosen in settings["vnncomp"]["benchmarks"].items():
        networks = [f"networks/{each}" for each in chosen["networks"]]
        data = [f"datasets/{each}" for each in vnncomp_catalogue.datasets_of(settings, name)]
        for shard, asked in enumerate(vnncomp.shards_of(settings, name)):
            kinds = [work.answering(name, each.solver) for each in asked]
            instances = [Instance((Effort(kind),), chosen["time_limit"]) for kind in kinds]
            job = f"vnncomp/{vnncomp.EXPERIMENT}/{name}-{shard}"
            yield recorded(job, instances, [*data, *networks], "benchmark_answers")


def _reporting(settings: Settings, outputs: Outputs) -> Iterator[Job]:
    sources = sources_of(outputs)
    for name in [*outputs, *sources]:
        shards = shards_of_output(settings, outputs, name)
        yield _report(f"rows/{name}", [shard.name for shard in shards])
    made = files_of(outputs, *outputs)
    for file in made:
        yield _report(file, [f"rows/{file.rpartition('/')[2]}"])
    for source in sources:
        yield _report(f"verdicts/{source}", [f"rows/{source}"])
    yield _report("all_verdicts", [f"verdicts/{source}" for source in sources])
    yield _report("report", [*made, "all_verdicts"])


def _report(name: str, needs: Iterable[str]) -> Job:
    return single(name, Effort(Kind(name.partition("/")[0], "")), dict.fromkeys(needs))
