# From tidy rows to tables, verdicts and the report.

from advmip.experiments.rows import COLUMNS


rule rows:
    input:
        row_files,
    output:
        rows=multiext(
            f"{RESULTS}/rows/{{output}}/", *[f"{kind}.csv" for kind in COLUMNS]
        ),
    log:
        f"{LOGS}/rows/{{output}}.log",
    benchmark:
        f"{BENCHMARKS}/rows/{{output}}.tsv"
    priority: 90
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        folder=subpath(output[0], parent=True),
    shell:
        "python -m advmip rows {input} --out {params.folder}" f"{LOGGED}"


rule table:
    input:
        rows=rules.rows.output.rows,
        papers=PAPERS,
    output:
        in_report(f"{RESULTS}/tables/{{output}}.csv", "tables"),
        multiext(f"{RESULTS}/tables/{{output}}", ".md", ".tex"),
    log:
        f"{LOGS}/tables/{{output}}.log",
    benchmark:
        f"{BENCHMARKS}/tables/{{output}}.tsv"
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
        f"{LOGS}/verdicts/{{source}}.log",
    benchmark:
        f"{BENCHMARKS}/verdicts/{{source}}.tsv"
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
        f"{LOGS}/all_verdicts.log",
    benchmark:
        f"{BENCHMARKS}/all_verdicts.tsv"
    priority: 90
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    shell:
        "python -m advmip all-verdicts {input.verdicts} --out {output.verdicts}"
        f"{LOGGED}"


rule report:
    input:
        outputs=result_files(OUTPUTS),
        verdicts=rules.all_verdicts.output.verdicts,
        papers=PAPERS,
        kept=KEPT_VERDICTS,
    output:
        report=report(f"{RESULTS}/report.html", category="all sources"),
    log:
        f"{LOGS}/report.log",
    benchmark:
        f"{BENCHMARKS}/report.tsv"
    priority: 90
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code_digest("reporting"),
        results=subpath(output.report, parent=True),
        reference=REFERENCE,
    shell:
        "python -m advmip report --results {params.results} --out {output.report}"
        " --reference {params.reference}"
        f"{LOGGED}"
