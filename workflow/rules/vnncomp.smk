# Benchmarks of VNN-COMP, answered beside the tools that took part.

from advmip.experiments.vnncomp import catalogue as vnncomp


rule benchmark_answers:
    # The journal is no output: it outlives a run that fails or is killed.
    input:
        networks=lambda wildcards: within(
            WEIGHTS, vnncomp.network_files(SETTINGS, wildcards.benchmark)
        ),
        manifests=lambda wildcards: [
            manifest_of(dataset)
            for dataset in vnncomp.datasets_of(SETTINGS, wildcards.benchmark)
        ],
    output:
        rows=multiext(
            f"{SHARDS}/vnncomp/benchmarks/{{benchmark}}-{{shard}}/",
            "answers.csv",
            "published_answers.csv",
        ),
    log:
        f"{LOGS}/vnncomp/benchmarks/{{benchmark}}-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/vnncomp/benchmarks/{{benchmark}}-{{shard}}.tsv"
    wildcard_constraints:
        benchmark="|".join(SETTINGS["vnncomp"]["benchmarks"]),
    priority: 60
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    resources:
        mem_mb=8000,
        runtime=720,
    params:
        settings=SETTINGS_FILE,
        code=CODES.name(*vnncomp.CODE["benchmark_answers"]),
        chosen=lambda wildcards: SETTINGS["vnncomp"]["benchmarks"][wildcards.benchmark],
        instances_per_job=SETTINGS["vnncomp"]["instances_per_job"],
        seed=SETTINGS["seed"],
        networks=WEIGHTS,
        folder=subpath(output[0], parent=True),
        journal=f"{JOURNALS}/vnncomp/benchmarks/{{benchmark}}-{{shard}}.jsonl",
    shell:
        "python -m advmip competition answer {wildcards.benchmark}"
        " --settings {params.settings} --shard {wildcards.shard}"
        " --networks {params.networks} --threads {threads}"
        " --journal {params.journal} --out {params.folder}"
        f"{LOGGED}"
