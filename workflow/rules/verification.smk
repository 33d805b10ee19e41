# Networks made robust by fine-tuning, and proofs of networks' robustness.

from advmip.experiments.tjeng import catalogue as tjeng
from advmip.experiments.tjeng import instances as tjeng_instances


rule finetuned_network:
    input:
        network=network_file,
        sets=lambda wildcards: within(
            ADVERSARIAL_SETS,
            zhao_kronqvist.adversarial_sets(
                SETTINGS, wildcards.network, [tjeng_instances.finetuned_on(SETTINGS)]
            ),
        ),
    output:
        network=f"{WEIGHTS}/verified/{{network}}-finetuned.safetensors",
    log:
        f"{LOGS}/finetuned_network/{{network}}.log",
    benchmark:
        f"{BENCHMARKS}/finetuned_network/{{network}}.tsv"
    priority: 50
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    resources:
        mem_mb=8000,
        runtime=720,
        gpu=SETTINGS["gpus"],
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*tjeng.CODE["finetuned_network"]),
        network=of_network("attack", "training_images", "retraining"),
        runs=lambda wildcards: finetuning_runs_of(SETTINGS, "tables", wildcards.network),
        shared=[SETTINGS["zk"][name] for name in ("omega", "margin", "sweeps")],
        sets=subpath(input[1], parent=True),
    shell:
        "python -m advmip tjeng finetune {wildcards.network} --settings {params.settings}"
        " --network-file {input.network} --adversarial-sets {params.sets}"
        " --threads {threads} --out {output.network}"
        f"{LOGGED}"


rule verifications:
    # The journal is no output: it outlives a run that fails or is killed.
    input:
        networks=lambda wildcards: within(
            WEIGHTS,
            tjeng.network_files(SETTINGS, wildcards.experiment, int(wildcards.shard)),
        ),
        manifests=lambda wildcards: [
            manifest_of(dataset)
            for dataset in tjeng_instances.datasets_of(SETTINGS, wildcards.experiment)
        ],
    output:
        rows=f"{SHARDS}/tjeng/{{experiment}}/{{shard}}/verifications.csv",
    log:
        f"{LOGS}/tjeng/{{experiment}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/tjeng/{{experiment}}/{{shard}}.tsv"
    priority: 60
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    resources:
        mem_mb=8000,
        runtime=720,
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*tjeng.CODE["verifications"]),
        verifications=lambda wildcards: SETTINGS["tjeng"]["experiments"][
            wildcards.experiment
        ],
        shared=[
            SETTINGS["tjeng"][name]
            for name in ("pgd_iterations", "verifications_per_job")
        ],
        seed=SETTINGS["seed"],
        networks=WEIGHTS,
        journal=f"{JOURNALS}/tjeng/{{experiment}}/{{shard}}.jsonl",
    shell:
        "python -m advmip tjeng verify {wildcards.experiment}"
        " --settings {params.settings} --shard {wildcards.shard}"
        " --networks {params.networks} --threads {threads}"
        " --journal {params.journal} --out {output.rows}"
        f"{LOGGED}"
