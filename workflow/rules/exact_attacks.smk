# Exact attacks on the thesis's networks, and the bounds that they are given.

from advmip.experiments.zhu import catalogue as zhu
from advmip.experiments.zhu import instances as zhu_instances


rule networks_described:
    input:
        networks=[weights_of(network) for network in zhu.networks(SETTINGS)],
    output:
        rows=f"{SHARDS}/zhu/networks/networks.csv",
    log:
        f"{LOGS}/zhu/networks.log",
    benchmark:
        f"{BENCHMARKS}/zhu/networks.tsv"
    priority: 70
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*zhu.CODE["networks"]),
        folder=subpath(input[0], parent=True),
    shell:
        "python -m advmip zhu networks --settings {params.settings}"
        " --networks {params.folder} --threads {threads} --out {output.rows}"
        f"{LOGGED}"


rule network_bounds:
    input:
        network=network_file,
    output:
        bounds=multiext(
            f"{SHARDS}/zhu/bounds/{{network}}-{{method}}/", "bounds.npz", "bounds.csv"
        ),
    log:
        f"{LOGS}/zhu/bounds/{{network}}-{{method}}.log",
    benchmark:
        f"{BENCHMARKS}/zhu/bounds/{{network}}-{{method}}.tsv"
    wildcard_constraints:
        method="|".join(zhu_instances.STORED_BOUNDS),
    priority: 40
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    resources:
        mem_mb=8000,
        runtime=720,
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*zhu.CODE["bounds"]),
        time_limit=SETTINGS["zhu"]["bound_time_limit"],
        folder=subpath(output[0], parent=True),
    shell:
        "python -m advmip zhu bounds {wildcards.network} {wildcards.method}"
        " --settings {params.settings} --network-file {input.network}"
        " --threads {threads} --out {params.folder}"
        f"{LOGGED}"


rule exact_attacks:
    # The journal is no output: it outlives a run that fails or is killed.
    input:
        network=network_file,
        bounds=lambda wildcards: [
            f"{SHARDS}/{shard}/bounds.npz"
            for shard in zhu.bounds_shards(
                SETTINGS, wildcards.experiment, wildcards.network
            )
        ],
        retrained=lambda wildcards: within(
            WEIGHTS,
            zhu.retrained_network(
                SETTINGS,
                wildcards.experiment,
                wildcards.network,
                int(wildcards.shard),
            ),
        ),
    output:
        attacks=multiext(
            f"{SHARDS}/zhu/{{experiment}}/{{network}}-{{shard}}/",
            "attacks.csv",
            "adversarial.npz",
        ),
    log:
        f"{LOGS}/zhu/{{experiment}}/{{network}}-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/zhu/{{experiment}}/{{network}}-{{shard}}.tsv"
    wildcard_constraints:
        experiment="(?!(long_)?(basic|exact|weaker)/)[a-z_]+",
    priority: 40
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    resources:
        mem_mb=8000,
        runtime=720,
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*zhu.CODE["attacks"]),
        attacks=lambda wildcards: zhu_instances.attacks_of(
            SETTINGS, wildcards.experiment, wildcards.network
        ),
        shared=[SETTINGS["zhu"][name] for name in ("ratio", "margin")],
        seed=SETTINGS["seed"],
        bounds=lambda wildcards, input: (
            f"--bounds-file {input.bounds[0]}" if input.bounds else ""
        ),
        retrained=lambda wildcards, input: (
            f"--retrained-file {input.retrained[0]}" if input.retrained else ""
        ),
        journal=f"{JOURNALS}/zhu/{{experiment}}/{{network}}-{{shard}}.jsonl",
        folder=subpath(output[0], parent=True),
    shell:
        "python -m advmip zhu attacks {wildcards.network} --settings {params.settings}"
        " --experiment {wildcards.experiment} --shard {wildcards.shard}"
        " --network-file {input.network} {params.bounds} {params.retrained}"
        " --threads {threads}"
        " --journal {params.journal} --out {params.folder}"
        f"{LOGGED}"


use rule exact_attacks as slower_attacks with:
    # Most of what other models are compared by ends at its limit: it comes after our own way.
    wildcard_constraints:
        experiment="(long_)?(basic|exact|weaker)",
    priority: 35


rule retrained_network:
    input:
        examples=lambda wildcards: within(
            SHARDS,
            zhu.attacked_images(
                SETTINGS,
                zhu_instances.TRAINING_EXAMPLES,
                wildcards.network,
                wildcards.trained_on,
            ),
        ),
        network=network_file,  # after it, so that its data set is checked
    output:
        network=f"{WEIGHTS}/{zhu.retrained_file('{network}', '{trained_on}')}",
    log:
        f"{LOGS}/retrained/{{network}}-{{trained_on}}.log",
    benchmark:
        f"{BENCHMARKS}/retrained/{{network}}-{{trained_on}}.tsv"
    wildcard_constraints:
        trained_on="[a-z0-9-]+",
    priority: 40
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    resources:
        mem_mb=8000,
        runtime=720,
        gpu=SETTINGS["gpus"],
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*zhu.CODE["retrained"]),
        training=lambda wildcards: [
            NETWORKS[wildcards.network].training,
            SETTINGS["seed"],
        ],
        shards=SHARDS,
    shell:
        "python -m advmip zhu retrain {wildcards.network} {wildcards.trained_on}"
        " --settings {params.settings} --shards {params.shards}"
        " --threads {threads} --out {output.network}"
        f"{LOGGED}"


rule accuracies:
    input:
        network=network_file,
        retrained=lambda wildcards: [
            f"{WEIGHTS}/{zhu.retrained_file(wildcards.network, trained_on)}"
            for trained_on in zhu_instances.retrainings(SETTINGS, wildcards.network)
        ],
        examples=lambda wildcards: within(
            SHARDS,
            zhu.attacked_images(
                SETTINGS, zhu_instances.TEST_EXAMPLES, wildcards.network
            ),
        ),
    output:
        rows=f"{SHARDS}/zhu/accuracies/{{network}}/accuracies.csv",
    log:
        f"{LOGS}/zhu/accuracies/{{network}}.log",
    benchmark:
        f"{BENCHMARKS}/zhu/accuracies/{{network}}.tsv"
    priority: 70
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    resources:
        mem_mb=8000,
        runtime=720,
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*zhu.CODE["accuracies"]),
        retrained=f"{WEIGHTS}/retrained",
        shards=subpath(output.rows, ancestor=4),
    shell:
        "python -m advmip zhu accuracies {wildcards.network} --settings {params.settings}"
        " --network-file {input.network} --retrained {params.retrained}"
        " --shards {params.shards} --threads {threads} --out {output.rows}"
        f"{LOGGED}"
