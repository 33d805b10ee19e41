# Networks that are trained to be robust, and proofs that they are.


rule robust_network:
    input:
        manifest=lambda wildcards: "{}/datasets/{}.json".format(
            RESULTS, SETTINGS["tjeng"]["networks"][wildcards.network]["dataset"]
        ),
    output:
        network=f"{VERIFIED_NETWORKS}/{{network}}.safetensors",
    log:
        f"{RESULTS}/logs/robust_network/{{network}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/robust_network/{{network}}.tsv"
    priority: 60
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=CODES.name("experiments.tjeng.networks", *DEFENDED),
        network=lambda wildcards: SETTINGS["tjeng"]["networks"][wildcards.network],
        seed=SETTINGS["seed"],
    shell:
        "python -m advmip tjeng train {wildcards.network} --settings {params.settings}"
        " --threads {threads} --out {output.network}"
        f"{LOGGED}"


rule finetuned_network:
    input:
        network=network_file,
        sets=lambda wildcards: str(
            adversarial_folder(
                SETTINGS,
                Path(SETS),
                wildcards.network,
                Attack("described", SETTINGS["seed"]),
            )
        ),
    output:
        network=f"{VERIFIED_NETWORKS}/{{network}}-finetuned.safetensors",
    log:
        f"{RESULTS}/logs/finetuned_network/{{network}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/finetuned_network/{{network}}.tsv"
    priority: 50
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*CODE, "experiments.tjeng.networks", "finetuning"),
        network=of_network("attack", "training_images", "retraining"),
        shards=lambda wildcards: finetuning_runs_of(
            SETTINGS, "tables", wildcards.network
        ),
        shared=[SETTINGS["zk"][name] for name in ("omega", "margin", "sweeps")],
        sets=subpath(input.sets, parent=True),
    shell:
        "python -m advmip tjeng finetune {wildcards.network} --settings {params.settings}"
        " --network-file {input.network} --adversarial-sets {params.sets}"
        " --threads {threads} --out {output.network}"
        f"{LOGGED}"


rule verifications:
    # The journal is no output: it outlives a run that fails or is killed.
    input:
        networks=verified_files,
        manifests=lambda wildcards: [
            f"{RESULTS}/datasets/{dataset}.json"
            for dataset in tjeng.datasets_of(SETTINGS, wildcards.experiment)
        ],
    output:
        rows=f"{VERIFIED}/{{experiment}}-{{shard}}/verifications.csv",
    log:
        f"{RESULTS}/logs/verifications/{{experiment}}-{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/verifications/{{experiment}}-{{shard}}.tsv"
    priority: 60
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(
            "checking.attacks",
            "datasets",
            "experiments.tjeng",
            "gradient_attacks",
            "mip",
            "networks",
        ),
        verifications=lambda wildcards: SETTINGS["tjeng"]["experiments"][
            wildcards.experiment
        ],
        shared=[
            SETTINGS["tjeng"][name]
            for name in ("pgd_iterations", "verifications_per_job")
        ],
        seed=SETTINGS["seed"],
        networks=f"{RESULTS}/networks",
        journal=f"{RESULTS}/journals/tjeng/{{experiment}}-{{shard}}.jsonl",
    shell:
        "python -m advmip tjeng verify {wildcards.experiment}"
        " --settings {params.settings} --shard {wildcards.shard}"
        " --networks {params.networks} --threads {threads}"
        " --journal {params.journal} --out {output.rows}"
        f"{LOGGED}"
