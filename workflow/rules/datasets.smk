# Data sets, checked before anything is trained on them.


rule dataset:
    output:
        manifest=f"{RESULTS}/datasets/{{dataset}}.json",
    log:
        f"{RESULTS}/logs/datasets/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/datasets/{{dataset}}.tsv"
    priority: 80
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        settings=SETTINGS_FILE,
        code=CODES.name("datasets"),
    shell:
        "python -m advmip data verify {wildcards.dataset} --settings {params.settings}"
        " --out {output.manifest}"
        f"{LOGGED}"
