# Every table and figure of the sources. `snakemake -n` shows what would be done;
# targets are `all`, the names in workflow/outputs.yaml, the source before the _ in them, and any file
# under results/.

from pathlib import Path

from snakemake.utils import min_version

min_version("8.20")


# The settings of the folder where the run is started, else those beside this file.
CONFIG = Path("config.yaml")


configfile: str(CONFIG if CONFIG.is_file() else Path(workflow.snakefile).parent / CONFIG)


include: "workflow/rules/common.smk"
include: "workflow/rules/datasets.smk"
include: "workflow/rules/networks.smk"
include: "workflow/rules/attacks.smk"
include: "workflow/rules/finetuning.smk"
include: "workflow/rules/exact_attacks.smk"
include: "workflow/rules/verification.smk"
include: "workflow/rules/pictures.smk"
include: "workflow/rules/vnncomp.smk"
include: "workflow/rules/ben_mhenni.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"


rule all:
    default_target: True
    input:
        f"{RESULTS}/report.html",


for output in OUTPUTS:

    rule:
        name:
            output
        input:
            result_files([output]),


for source in SOURCES:

    rule:
        name:
            source
        input:
            result_files(outputs_of(OUTPUTS, source)),
            f"{RESULTS}/verdicts/{source}.csv",


onstart:
    begin()


onsuccess:
    print(summary(Path(RESULTS)))
