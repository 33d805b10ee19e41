# Attacks on the networks as they are, and the sets of adversarial examples found on the way.


rule initial:
    input:
        network=network_file,
    output:
        rows=multiext(
            f"{SHARDS}/initial/{{network}}/", "evaluations.csv", "timings.csv"
        ),
    log:
        f"{RESULTS}/logs/initial/{{network}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/initial/{{network}}.tsv"
    priority: 50
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*CODE, "experiments.zhao_kronqvist.attacks", "finetuning"),
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
        sets=directory(f"{SETS}/{{network}}-{{shard}}"),
    log:
        f"{RESULTS}/logs/adversarial/{{network}}-{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/adversarial/{{network}}-{{shard}}.tsv"
    priority: 50
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*CODE),
        network=of_network("attack", "attacked_images"),
        attacks=lambda wildcards: {
            attack.file_name: largest_count(SETTINGS, wildcards.network, attack)
            for attack in attacks_of_shard(
                SETTINGS, wildcards.network, int(wildcards.shard)
            )
        },
    shell:
        "python -m advmip zk adversarial-sets {wildcards.network} --settings {params.settings}"
        " --shard {wildcards.shard} --network-file {input.network} --threads {threads}"
        " --out {output.sets}"
        f"{LOGGED}"
