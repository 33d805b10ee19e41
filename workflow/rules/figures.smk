# From tidy rows to figures.


rule figure:
    input:
        rows=rules.rows.output.rows,
        papers=PAPERS,
    output:
        multiext(f"{RESULTS}/figures/{{output}}", ".csv", ".pdf"),
        in_report(f"{RESULTS}/figures/{{output}}.png", "figures"),
    log:
        f"{LOGS}/figures/{{output}}.log",
    benchmark:
        f"{BENCHMARKS}/figures/{{output}}.tsv"
    priority: 90
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=SETTINGS_FILE,
        code=code_digest("reporting"),
        stem=subpath(output[0], strip_suffix=".csv"),
        rows=subpath(input[0], parent=True),
    shell:
        "python -m advmip figure {wildcards.output} --settings {params.settings}"
        " --rows {params.rows} --out {params.stem}"
        f"{LOGGED}"
