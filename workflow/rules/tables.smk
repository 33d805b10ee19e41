# From tidy rows to tables, verdicts and the report.


rule rows:
    input:
        rows_behind,
    output:
        rows=multiext(
            f"{RESULTS}/rows/{{output}}/",
            "evaluations.csv",
            "iterations.csv",
            "pool.csv",
            "timings.csv",
            "networks.csv",
            "bounds.csv",
            "accuracies.csv",
            "attacks.csv",
            "neurons.csv",
            "pictures.csv",
            "perturbations.csv",
            "nodes.csv",
            "samples.csv",
            "verifications.csv",
        ),
    log:
        f"{RESULTS}/logs/rows/{{output}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/rows/{{output}}.tsv"
    priority: 90
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        folder=subpath(output[0], parent=True),
    shell:
        "python -m advmip rows {input} --out {params.folder}" f"{LOGGED}"


rule table:
    input:
        rows=rules.rows.output.rows,
        papers=PAPERS,
    output:
        multiext(f"{RESULTS}/tables/{{output}}", ".csv", ".md", ".tex"),
    log:
        f"{RESULTS}/logs/tables/{{output}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/tables/{{output}}.tsv"
    priority: 90
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        settings=SETTINGS_FILE,
        code=code_digest("reporting"),
        stem=subpath(output[0], strip_suffix=".csv"),
        rows=subpath(input[0], parent=True),
    shell:
        "python -m advmip table {wildcards.output} --settings {params.settings}"
        " --rows {params.rows} --out {params.stem}"
        f"{LOGGED}"


rule verdicts:
    input:
        rows=lambda wildcards: expand(rules.rows.output.rows, output=wildcards.source),
        papers=PAPERS,
    output:
        verdicts=f"{RESULTS}/verdicts/{{source}}.csv",
    log:
        f"{RESULTS}/logs/verdicts/{{source}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/verdicts/{{source}}.tsv"
    priority: 90
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        settings=SETTINGS_FILE,
        code=code_digest("reporting"),
        rows=subpath(input[0], parent=True),
    shell:
        "python -m advmip verdicts {wildcards.source} --settings {params.settings}"
        " --rows {params.rows} --out {output.verdicts}"
        f"{LOGGED}"


rule all_verdicts:
    input:
        verdicts=expand(rules.verdicts.output.verdicts, source=SOURCES),
    output:
        verdicts=f"{RESULTS}/verdicts.csv",
    log:
        f"{RESULTS}/logs/all_verdicts.log",
    benchmark:
        f"{RESULTS}/benchmarks/all_verdicts.tsv"
    priority: 90
    conda:
        "../../envs/environment.yaml"
    threads: 1
    shell:
        "python -m advmip all-verdicts {input.verdicts} --out {output.verdicts}"
        f"{LOGGED}"


rule report:
    input:
        outputs=files_of(*OUTPUTS),
        verdicts=rules.all_verdicts.output.verdicts,
        papers=PAPERS,
        kept=KEPT_VERDICTS,
    output:
        report=f"{RESULTS}/report.html",
    log:
        f"{RESULTS}/logs/report.log",
    benchmark:
        f"{RESULTS}/benchmarks/report.tsv"
    priority: 90
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        code=code_digest("reporting"),
        results=subpath(output.report, parent=True),
    shell:
        "python -m advmip report --results {params.results} --out {output.report}"
        f"{LOGGED}"
