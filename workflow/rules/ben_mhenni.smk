# The attacks of Ben Mhenni et al., and what illustrates them; a job may attack several networks.


rule illustrations:
    input:
        manifest=f"{RESULTS}/datasets/{NETWORKS['MNIST-3x50']['dataset']}.json",
    output:
        rows=multiext(
            f"{BEN_MHENNI}/illustrations/",
            "networks.csv",
            "samples.csv",
            "pictures.csv",
            "nodes.csv",
        ),
    log:
        f"{RESULTS}/logs/illustrations.log",
    benchmark:
        f"{RESULTS}/benchmarks/illustrations.tsv"
    priority: 70
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(
            "datasets", "experiments.ben_mhenni", "mip", "networks", "pictures"
        ),
        denoising=SETTINGS["benmhenni"]["denoising"],
        seed=SETTINGS["seed"],
        folder=subpath(output[0], parent=True),
    shell:
        "python -m advmip benmhenni illustrations --settings {params.settings}"
        " --threads {threads} --out {params.folder}"
        f"{LOGGED}"


for trial, kinds in ben_mhenni.ROWS.items():

    rule:
        # The journal is no output: it outlives a run that fails or is killed.
        name:
            trial
        input:
            lambda wildcards, trial=trial: [
                *networks_attacked(trial, wildcards.shard).values()
            ],
        output:
            rows=multiext(
                f"{BEN_MHENNI}/{trial}-{{shard}}/", *[f"{kind}.csv" for kind in kinds]
            ),
        log:
            f"{RESULTS}/logs/{trial}/{{shard}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/{trial}/{{shard}}.tsv"
        priority: 30
        conda:
            "../../envs/environment.yaml"
        threads: SETTINGS["threads"]
        params:
            settings=SETTINGS_FILE,
            trial=trial,
            code=CODES.name(
                "appearance",
                "checking.attacks",
                "datasets",
                "experiments.ben_mhenni",
                "experiments.exact",
                "gradient_attacks",
                "mip",
                "networks",
            ),
            attacks=SETTINGS["benmhenni"]["experiments"][trial],
            shared=[
                SETTINGS["benmhenni"][name] for name in ("margin", "variation_weight")
            ],
            seed=SETTINGS["seed"],
            networks=lambda wildcards, trial=trial: " ".join(
                f"--network {name}={file}"
                for name, file in networks_attacked(trial, wildcards.shard).items()
            ),
            journal=f"{RESULTS}/journals/benmhenni/{trial}/{{shard}}.jsonl",
            folder=subpath(output[0], parent=True),
        shell:
            "python -m advmip benmhenni {params.trial} --settings {params.settings}"
            " --shard {wildcards.shard} {params.networks} --threads {threads}"
            " --journal {params.journal} --out {params.folder}"
            f"{LOGGED}"
