# Fine-tuning, and the retraining that it is compared with.

from advmip.experiments.zhao_kronqvist import certified_instances
from advmip.settings import finetuning_runs_of

CERTIFIED_CODE = {
    experiment: CODES.name(*zhao_kronqvist.CODE[experiment])
    for experiment in certified_instances.EXPERIMENTS
}


rule finetuning:
    # The journal is no output: it outlives a run that fails or is killed.
    input:
        network=network_file,
        sets=lambda wildcards: within(
            ADVERSARIAL_SETS,
            zhao_kronqvist.sets_of_shard(
                SETTINGS,
                wildcards.experiment,
                wildcards.network,
                int(wildcards.shard),
            ),
        ),
    output:
        rows=multiext(
            f"{SHARDS}/zk/{{experiment}}/{{network}}-{{shard}}/",
            *[f"{kind}.csv" for kind in zhao_kronqvist.FINETUNING_KINDS],
        ),
    log:
        f"{LOGS}/zk/{{experiment}}/{{network}}-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/zk/{{experiment}}/{{network}}-{{shard}}.tsv"
    priority: 50
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    resources:
        mem_mb=16000,
        runtime=1440,
        gpu=SETTINGS["gpus"],
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*zhao_kronqvist.CODE["finetuning"]),
        network=of_network("attack", "training_images", "test_images"),
        runs=lambda wildcards: finetuning_runs_of(
            SETTINGS, wildcards.experiment, wildcards.network
        ),
        shared=[SETTINGS["zk"][name] for name in ("omega", "margin", "sweeps")],
        sets=subpath(input[1], parent=True),
        journal=f"{JOURNALS}/zk/{{experiment}}/{{network}}-{{shard}}.jsonl",
        folder=subpath(output[0], parent=True),
    shell:
        "python -m advmip zk finetune {wildcards.network} --settings {params.settings}"
        " --experiment {wildcards.experiment} --shard {wildcards.shard}"
        " --network-file {input.network} --adversarial-sets {params.sets} --threads {threads}"
        " --journal {params.journal} --out {params.folder}"
        f"{LOGGED}"


rule certified_finetuning:
    input:
        network=network_file,
    output:
        rows=f"{SHARDS}/zk/{{experiment}}/{{network}}-{{shard}}/robustness.csv",
    log:
        f"{LOGS}/zk/{{experiment}}/{{network}}-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/zk/{{experiment}}/{{network}}-{{shard}}.tsv"
    priority: 50
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    resources:
        mem_mb=16000,
        runtime=1440,
    params:
        settings=SETTINGS_FILE,
        code=lambda wildcards: CERTIFIED_CODE[wildcards.experiment],
        network=of_network("attack", "training_images", "test_images"),
        runs=lambda wildcards: certified_instances.certified_runs_of(
            SETTINGS, wildcards.experiment
        )[wildcards.network],
        margin=SETTINGS["zk"]["margin"],
        seed=SETTINGS["seed"],
        journal=f"{JOURNALS}/zk/{{experiment}}/{{network}}-{{shard}}.jsonl",
    shell:
        "python -m advmip zk robustify {wildcards.network} --settings {params.settings}"
        " --experiment {wildcards.experiment} --shard {wildcards.shard}"
        " --network-file {input.network} --threads {threads}"
        " --journal {params.journal} --out {output.rows}"
        f"{LOGGED}"


rule added_data:
    input:
        network=network_file,
        sets=lambda wildcards: within(
            ADVERSARIAL_SETS,
            zhao_kronqvist.adversarial_sets(
                SETTINGS,
                wildcards.network,
                zhao_kronqvist_instances.first_attacks(SETTINGS),
            ),
        ),
    output:
        rows=f"{SHARDS}/zk/added_data/{{network}}/evaluations.csv",
    log:
        f"{LOGS}/zk/added_data/{{network}}.log",
    benchmark:
        f"{BENCHMARKS}/zk/added_data/{{network}}.tsv"
    priority: 20
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    resources:
        mem_mb=8000,
        runtime=720,
        gpu=SETTINGS["gpus"],
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*zhao_kronqvist.CODE["added_data"]),
        network=of_network("attack", "training", "retraining", "test_images"),
        sets=subpath(input[1], parent=True),
    shell:
        "python -m advmip zk added-data {wildcards.network} --settings {params.settings}"
        " --network-file {input.network} --adversarial-sets {params.sets}"
        " --threads {threads} --out {output.rows}"
        f"{LOGGED}"


rule adversarial_training:
    input:
        network=network_file,
    output:
        rows=f"{SHARDS}/zk/adversarial_training/{{network}}/evaluations.csv",
    log:
        f"{LOGS}/zk/adversarial_training/{{network}}.log",
    benchmark:
        f"{BENCHMARKS}/zk/adversarial_training/{{network}}.tsv"
    priority: 20
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    resources:
        mem_mb=8000,
        runtime=720,
        gpu=SETTINGS["gpus"],
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*zhao_kronqvist.CODE["adversarial_training"]),
        network=of_network("attack", "training", "retraining", "test_images"),
        seed=SETTINGS["seed"],
    shell:
        "python -m advmip zk adversarial-training {wildcards.network}"
        " --settings {params.settings} --network-file {input.network}"
        " --threads {threads} --out {output.rows}"
        f"{LOGGED}"
