# Fine-tuning, and the retraining that it is compared with.


rule finetuning:
    # The journal is no output: it outlives a run that fails or is killed.
    input:
        network=network_file,
        sets=sets_behind,
    output:
        rows=multiext(
            f"{SHARDS}/{{experiment}}/{{network}}-{{shard}}/",
            "evaluations.csv",
            "iterations.csv",
            "pool.csv",
        ),
    log:
        f"{RESULTS}/logs/finetuning/{{experiment}}/{{network}}-{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/finetuning/{{experiment}}/{{network}}-{{shard}}.tsv"
    priority: 50
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(
            *CODE,
            "checking.finetuned",
            "experiments.zhao_kronqvist.finetuning",
            "finetuning",
        ),
        network=of_network("attack", "training_images", "test_images"),
        shards=lambda wildcards: finetuning_runs_of(
            SETTINGS, wildcards.experiment, wildcards.network
        ),
        shared=[SETTINGS["zk"][name] for name in ("omega", "margin", "sweeps")],
        sets=subpath(input[1], parent=True),
        journal=f"{RESULTS}/journals/zk/{{experiment}}/{{network}}-{{shard}}.jsonl",
        folder=subpath(output[0], parent=True),
    shell:
        "python -m advmip zk finetune {wildcards.network} --settings {params.settings}"
        " --experiment {wildcards.experiment} --shard {wildcards.shard}"
        " --network-file {input.network} --adversarial-sets {params.sets} --threads {threads}"
        " --journal {params.journal} --out {params.folder}"
        f"{LOGGED}"


rule added_data:
    input:
        network=network_file,
        sets=sets_behind,
    output:
        rows=f"{SHARDS}/added_data/{{network}}/evaluations.csv",
    log:
        f"{RESULTS}/logs/added_data/{{network}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/added_data/{{network}}.tsv"
    priority: 20
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*CODE, "experiments.zhao_kronqvist.retraining"),
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
        rows=f"{SHARDS}/adversarial_training/{{network}}/evaluations.csv",
    log:
        f"{RESULTS}/logs/adversarial_training/{{network}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/adversarial_training/{{network}}.tsv"
    priority: 20
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*CODE, "experiments.zhao_kronqvist.retraining"),
        network=of_network("attack", "training", "retraining", "test_images"),
        seed=SETTINGS["seed"],
    shell:
        "python -m advmip zk adversarial-training {wildcards.network}"
        " --settings {params.settings} --network-file {input.network}"
        " --threads {threads} --out {output.rows}"
        f"{LOGGED}"
