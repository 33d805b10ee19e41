# What figures show: attacked images, strongest inputs of neurons, approximations.

from advmip.experiments.kronqvist import catalogue as kronqvist


rule gallery:
    input:
        network=network_file,
        attacks=lambda wildcards: within(
            SHARDS, zhu.attacked_images(SETTINGS, "gallery", wildcards.network)
        ),
    output:
        pictures=f"{SHARDS}/zhu/gallery/{{network}}/pictures.csv",
    log:
        f"{LOGS}/zhu/gallery/{{network}}.log",
    benchmark:
        f"{BENCHMARKS}/zhu/gallery/{{network}}.tsv"
    priority: 70
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*zhu.CODE["gallery"]),
        shards=subpath(output.pictures, ancestor=4),
    shell:
        "python -m advmip zhu gallery {wildcards.network} --shards {params.shards}"
        " --settings {params.settings} --network-file {input.network}"
        " --threads {threads} --out {output.pictures}"
        f"{LOGGED}"


rule features:
    # The journal is no output: it outlives a run that fails or is killed.
    input:
        network=network_file,
    output:
        rows=multiext(
            f"{SHARDS}/zhu/features/{{network}}/", "neurons.csv", "pictures.csv"
        ),
    log:
        f"{LOGS}/zhu/features/{{network}}.log",
    benchmark:
        f"{BENCHMARKS}/zhu/features/{{network}}.tsv"
    priority: 70
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    resources:
        mem_mb=8000,
        runtime=720,
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*zhu.CODE["features"]),
        time_limit=SETTINGS["zhu"]["feature_time_limit"],
        seed=SETTINGS["seed"],
        journal=f"{JOURNALS}/zhu/features/{{network}}.jsonl",
        folder=subpath(output[0], parent=True),
    shell:
        "python -m advmip zhu features {wildcards.network} --settings {params.settings}"
        " --network-file {input.network} --threads {threads}"
        " --journal {params.journal} --out {params.folder}"
        f"{LOGGED}"


rule square:
    output:
        samples=f"{SHARDS}/zhu/square/{{distance}}/samples.csv",
    log:
        f"{LOGS}/zhu/square/{{distance}}.log",
    benchmark:
        f"{BENCHMARKS}/zhu/square/{{distance}}.tsv"
    wildcard_constraints:
        distance=r"l2-\d+",
    priority: 70
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*zhu.CODE["square"]),
    shell:
        "python -m advmip zhu square {wildcards.distance}"
        " --settings {params.settings} --threads {threads} --out {output.samples}"
        f"{LOGGED}"


rule two_nodes:
    output:
        rows=multiext(
            f"{SHARDS}/kronqvist/relaxation/TwoNodes/", "neurons.csv", "samples.csv"
        ),
    log:
        f"{LOGS}/kronqvist/relaxation/TwoNodes.log",
    benchmark:
        f"{BENCHMARKS}/kronqvist/relaxation/TwoNodes.tsv"
    priority: 70
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*kronqvist.CODE["relaxation"]),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m advmip kronqvist two-nodes --settings {params.settings}"
        " --threads {threads} --out {params.folder}"
        f"{LOGGED}"
