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
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=CODE,
        uses=lambda wildcards: [
            SETTINGS["networks"][wildcards.network],
            SETTINGS["seed"],
        ],
        folder=subpath(output[0], parent=True),
    shell:
        "python -m advmip zk initial {wildcards.network} --settings {params.settings}"
        " --network-file {input.network} --threads {threads} --out {params.folder} > {log} 2>&1"


rule adversarial_set:
    input:
        network=network_file,
    output:
        points=f"{SETS}/{{network}}-{{protocol}}-{{seed}}.npz",
    log:
        f"{RESULTS}/logs/adversarial/{{network}}-{{protocol}}-{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/adversarial/{{network}}-{{protocol}}-{{seed}}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=code_digest("datasets", "networks", "margins", "gradient_attacks"),
        uses=lambda wildcards: SETTINGS["networks"][wildcards.network],
        largest=lambda wildcards: largest_count(SETTINGS, wildcards.network),
    shell:
        "python -m advmip zk adversarial-set {wildcards.network} --settings {params.settings}"
        " --network-file {input.network} --protocol {wildcards.protocol} --seed {wildcards.seed}"
        " --threads {threads} --out {output.points} > {log} 2>&1"
