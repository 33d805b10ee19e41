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
        code=code_digest(*CODE, "experiments.zhao_kronqvist.attacks", "finetuning"),
        uses=lambda wildcards: [
            SETTINGS["networks"][wildcards.network],
            SETTINGS["seed"],
        ],
        folder=subpath(output[0], parent=True),
    shell:
        "python -m advmip zk initial {wildcards.network} --settings {params.settings}"
        " --network-file {input.network} --threads {threads} --out {params.folder}"
        f"{LOGGED}"


rule adversarial_set:
    input:
        network=network_file,
    output:
        points=f"{SETS}/{{network}}-{{protocol}}-{{seed}}{{first}}.npz",
    log:
        f"{RESULTS}/logs/adversarial/{{network}}-{{protocol}}-{{seed}}{{first}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/adversarial/{{network}}-{{protocol}}-{{seed}}{{first}}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=code_digest(*CODE),
        uses=lambda wildcards: SETTINGS["networks"][wildcards.network],
        images=lambda wildcards: wildcards.first.replace("-first", "--attacked-images "),
        largest=lambda wildcards: largest_count(SETTINGS, wildcards.network),
    shell:
        "python -m advmip zk adversarial-set {wildcards.network} --settings {params.settings}"
        " --network-file {input.network} --protocol {wildcards.protocol} --seed {wildcards.seed}"
        " {params.images}"
        " --threads {threads} --out {output.points}"
        f"{LOGGED}"
