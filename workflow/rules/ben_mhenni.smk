# The attacks of Ben Mhenni et al., and what illustrates them; a job may attack several networks.

from advmip.experiments.ben_mhenni import catalogue as ben_mhenni


rule illustrations:
    input:
        manifest=manifest_of(NETWORKS["MNIST-3x50"].dataset),
    output:
        rows=multiext(
            f"{SHARDS}/benmhenni/illustrations/",
            "networks.csv",
            "samples.csv",
            "pictures.csv",
            "nodes.csv",
        ),
    log:
        f"{LOGS}/benmhenni/illustrations.log",
    benchmark:
        f"{BENCHMARKS}/benmhenni/illustrations.tsv"
    priority: 70
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*ben_mhenni.CODE["illustrations"]),
        denoising=SETTINGS["benmhenni"]["denoising"],
        seed=SETTINGS["seed"],
        folder=subpath(output[0], parent=True),
    shell:
        "python -m advmip benmhenni illustrations --settings {params.settings}"
        " --threads {threads} --out {params.folder}"
        f"{LOGGED}"


for experiment, kinds in ben_mhenni.KINDS.items():

    rule:
        # The journal is no output: it outlives a run that fails or is killed.
        name:
            experiment
        input:
            lambda wildcards, experiment=experiment: [
                weights_of(network)
                for network in ben_mhenni.networks_attacked(
                    SETTINGS, experiment, int(wildcards.shard)
                )
            ],
        output:
            rows=multiext(
                f"{SHARDS}/benmhenni/{experiment}/{{shard}}/",
                *[f"{kind}.csv" for kind in kinds],
            ),
        log:
            f"{LOGS}/benmhenni/{experiment}/{{shard}}.log",
        benchmark:
            f"{BENCHMARKS}/benmhenni/{experiment}/{{shard}}.tsv"
        priority: 30
        conda:
            "../../envs/environment.yaml"
        threads: SETTINGS["threads"]
        resources:
            mem_mb=8000,
            runtime=720,
        params:
            settings=SETTINGS_FILE,
            experiment=experiment,
            code=CODES.name(*ben_mhenni.CODE[experiment]),
            attacks=SETTINGS["benmhenni"]["experiments"][experiment],
            shared=[
                SETTINGS["benmhenni"][name] for name in ("margin", "variation_weight")
            ],
            seed=SETTINGS["seed"],
            networks=lambda wildcards, experiment=experiment: " ".join(
                f"--network {network}={weights_of(network)}"
                for network in ben_mhenni.networks_attacked(
                    SETTINGS, experiment, int(wildcards.shard)
                )
            ),
            journal=f"{JOURNALS}/benmhenni/{experiment}/{{shard}}.jsonl",
            folder=subpath(output[0], parent=True),
        shell:
            "python -m advmip benmhenni {params.experiment} --settings {params.settings}"
            " --shard {wildcards.shard} {params.networks} --threads {threads}"
            " --journal {params.journal} --out {params.folder}"
            f"{LOGGED}"
