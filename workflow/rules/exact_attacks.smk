# Exact attacks on the thesis's networks, and the bounds that they are given.


rule networks_described:
    input:
        networks=[
            f"{RESULTS}/networks/{chosen['architecture']}.safetensors"
            for chosen in SETTINGS["zhu"]["networks"].values()
        ],
    output:
        rows=f"{ATTACKS}/networks/networks.csv",
    log:
        f"{RESULTS}/logs/networks_described.log",
    benchmark:
        f"{RESULTS}/benchmarks/networks_described.tsv"
    priority: 70
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=CODES.name("datasets", "experiments.exact", "experiments.zhu", "networks"),
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
            f"{ATTACKS}/bounds/{{network}}-{{method}}/", "bounds.npz", "bounds.csv"
        ),
    log:
        f"{RESULTS}/logs/bounds/{{network}}-{{method}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/bounds/{{network}}-{{method}}.tsv"
    priority: 40
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=CODES.name("datasets", "experiments.zhu.bounds", "mip", "networks"),
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
            f"{folder}/bounds.npz"
            for folder in bounds_folder(wildcards.experiment, wildcards.network)
        ],
        retrained=lambda wildcards: [
            retrained_file(wildcards.network, trained_on)
            for trained_on in attacked_network(wildcards)
        ],
    output:
        attacks=multiext(
            f"{ATTACKS}/{{experiment}}/{{network}}-{{shard}}/",
            "attacks.csv",
            "adversarial.npz",
        ),
    log:
        f"{RESULTS}/logs/exact_attacks/{{experiment}}/{{network}}-{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/exact_attacks/{{experiment}}/{{network}}-{{shard}}.tsv"
    wildcard_constraints:
        experiment="(?!(long_)?(basic|exact|weaker)/)[a-z_]+",
    priority: 40
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(
            "checking.attacks",
            "datasets",
            "experiments.exact",
            "experiments.zhu",
            "mip",
            "networks",
        ),
        attacks=lambda wildcards: zhu.attacks_of(
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
        journal=f"{RESULTS}/journals/zhu/{{experiment}}/{{network}}-{{shard}}.jsonl",
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
        examples=lambda wildcards: examples(
            zhu.TRAINING_EXAMPLES, wildcards.network, [wildcards.trained_on]
        ),
        network=network_file,  # after it, so that its data set is checked
    output:
        network=retrained_file("{network}", "{trained_on}"),
    log:
        f"{RESULTS}/logs/retrained/{{network}}-{{trained_on}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/retrained/{{network}}-{{trained_on}}.tsv"
    priority: 40
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=CODES.name("datasets", "experiments.zhu.retraining", "networks"),
        training=lambda wildcards: [
            NETWORKS[wildcards.network]["training"],
            SETTINGS["seed"],
        ],
        attacks=ATTACKS,
    shell:
        "python -m advmip zhu retrain {wildcards.network} {wildcards.trained_on}"
        " --settings {params.settings} --attacks {params.attacks}"
        " --threads {threads} --out {output.network}"
        f"{LOGGED}"


rule accuracies:
    input:
        network=network_file,
        retrained=lambda wildcards: [
            retrained_file(wildcards.network, trained_on)
            for trained_on in zhu.retrainings(SETTINGS, wildcards.network)
        ],
        examples=lambda wildcards: examples(
            zhu.TEST_EXAMPLES,
            wildcards.network,
            zhu.attacks_of(SETTINGS, zhu.TEST_EXAMPLES, wildcards.network)[
                "distances"
            ],
        ),
    output:
        rows=f"{ATTACKS}/accuracies/{{network}}/accuracies.csv",
    log:
        f"{RESULTS}/logs/accuracies/{{network}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/accuracies/{{network}}.tsv"
    priority: 70
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=CODES.name("datasets", "experiments.exact", "experiments.zhu", "networks"),
        retrained=RETRAINED,
        attacks=lambda wildcards, input: Path(input.examples[0]).parents[2],
    shell:
        "python -m advmip zhu accuracies {wildcards.network} --settings {params.settings}"
        " --network-file {input.network} --retrained {params.retrained}"
        " --attacks {params.attacks} --threads {threads} --out {output.rows}"
        f"{LOGGED}"
