# Data sets, checked before anything is trained on them.


rule dataset:
    output:
        manifest=manifest_of("{dataset}"),
    log:
        f"{LOGS}/datasets/{{dataset}}.log",
    benchmark:
        f"{BENCHMARKS}/datasets/{{dataset}}.tsv"
    priority: 80
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=SETTINGS_FILE,
        code=CODES.name("datasets"),
    shell:
        "python -m advmip data verify {wildcards.dataset} --settings {params.settings}"
        " --out {output.manifest}"
        f"{LOGGED}"
