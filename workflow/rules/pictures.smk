# What is there to be looked at: attacked images, strongest inputs of neurons, approximations.


rule gallery:
    input:
        network=network_file,
        attacks=lambda wildcards: [
            f"{folder}/{file}"
            for folder in attack_folders("gallery", wildcards.network)
            for file in ("attacks.csv", "adversarial.npz")
        ],
    output:
        pictures=f"{ATTACKS}/gallery/{{network}}/pictures.csv",
    log:
        f"{RESULTS}/logs/gallery/{{network}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/gallery/{{network}}.tsv"
    priority: 70
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(
            "checking.attacks",
            "datasets",
            "experiments.exact",
            "experiments.zhu",
            "pictures",
        ),
        folders=lambda wildcards: attack_folders("gallery", wildcards.network),
    shell:
        "python -m advmip zhu gallery {wildcards.network} {params.folders}"
        " --settings {params.settings} --network-file {input.network}"
        " --threads {threads} --out {output.pictures}"
        f"{LOGGED}"


rule features:
    # The journal is no output: it outlives a run that fails or is killed.
    input:
        network=network_file,
    output:
        rows=multiext(f"{ATTACKS}/features/{{network}}/", "neurons.csv", "pictures.csv"),
    log:
        f"{RESULTS}/logs/features/{{network}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/features/{{network}}.tsv"
    priority: 70
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(
            "checking.activations",
            "checking.relu_inputs",
            "datasets",
            "experiments.exact",
            "experiments.activations",
            "experiments.zhu",
            "mip",
            "networks",
            "pictures",
        ),
        time_limit=SETTINGS["zhu"]["feature_time_limit"],
        seed=SETTINGS["seed"],
        journal=f"{RESULTS}/journals/zhu/features/{{network}}.jsonl",
        folder=subpath(output[0], parent=True),
    shell:
        "python -m advmip zhu features {wildcards.network} --settings {params.settings}"
        " --network-file {input.network} --threads {threads}"
        " --journal {params.journal} --out {params.folder}"
        f"{LOGGED}"


rule square:
    output:
        samples=f"{ATTACKS}/square/{{distance}}/samples.csv",
    log:
        f"{RESULTS}/logs/square/{{distance}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/square/{{distance}}.tsv"
    priority: 70
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        settings=SETTINGS_FILE,
        code=CODES.name("experiments.zhu.square", "mip.distances"),
    shell:
        "python -m advmip zhu square {wildcards.distance}"
        " --settings {params.settings} --threads {threads} --out {output.samples}"
        f"{LOGGED}"


rule two_nodes:
    output:
        rows=multiext(f"{LECTURE}/relaxation/TwoNodes/", "neurons.csv", "samples.csv"),
    log:
        f"{RESULTS}/logs/two_nodes.log",
    benchmark:
        f"{RESULTS}/benchmarks/two_nodes.tsv"
    priority: 70
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(
            "checking.activations",
            "checking.relu_inputs",
            "experiments.kronqvist",
            "experiments.activations",
            "mip",
            "networks",
        ),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m advmip kronqvist two-nodes --settings {params.settings}"
        " --threads {threads} --out {params.folder}"
        f"{LOGGED}"
