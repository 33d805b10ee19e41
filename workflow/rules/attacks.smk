# Attacks on the networks as they are, and the sets of adversarial examples found on the way.

from advmip.experiments.zhao_kronqvist import catalogue as zhao_kronqvist
from advmip.experiments.zhao_kronqvist import instances as zhao_kronqvist_instances


rule initial:
    input:
        network=network_file,
    output:
        rows=multiext(
            f"{SHARDS}/zk/initial/{{network}}/", "evaluations.csv", "timings.csv"
        ),
    log:
        f"{LOGS}/zk/initial/{{network}}.log",
    benchmark:
        f"{BENCHMARKS}/zk/initial/{{network}}.tsv"
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
        code=CODES.name(*zhao_kronqvist.CODE["initial"]),
        network=of_network("attack", "training_images", "test_images"),
        seed=SETTINGS["seed"],
        folder=subpath(output[0], parent=True),
    shell:
        "python -m advmip zk initial {wildcards.network} --settings {params.settings}"
        " --network-file {input.network} --threads {threads} --out {params.folder}"
        f"{LOGGED}"


rule adversarial_sets:
    input:
        network=network_file,
    output:
        sets=directory(f"{ADVERSARIAL_SETS}/{{network}}-{{shard}}"),
    log:
        f"{LOGS}/adversarial/{{network}}-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/adversarial/{{network}}-{{shard}}.tsv"
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
        code=CODES.name(*zhao_kronqvist.CODE["adversarial_sets"]),
        network=of_network("attack", "attacked_images"),
        attacks=lambda wildcards: {
            attack.file_name: zhao_kronqvist_instances.largest_count(
                SETTINGS, wildcards.network, attack
            )
            for attack in zhao_kronqvist_instances.attacks_of_shard(
                SETTINGS, wildcards.network, int(wildcards.shard)
            )
        },
    shell:
        "python -m advmip zk adversarial-sets {wildcards.network} --settings {params.settings}"
        " --shard {wildcards.shard} --network-file {input.network} --threads {threads}"
        " --out {output.sets}"
        f"{LOGGED}"
