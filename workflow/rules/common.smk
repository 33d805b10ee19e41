# What the rules share: settings and folders.
#
# Of the jobs that could be next the one with the highest priority is: what is ready to be printed (90),
# networks (80), what is quick (70), verification and networks trained against attacks (60), fine-tuning
# (50), the thesis's attacks (40 and 35), solvers beside each other (30), retraining (20). A run that is
# stopped has whole tables that way.
#
# What a job may take of memory (megabytes) and time (minutes) is for where these are handed out, as by
# Slurm, and generous: `--set-resources finetuning:mem_mb=32000` gives a rule more.

import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from advmip.errors import InputError
from advmip.experiments.catalogue import networks
from advmip.experiments.outdated_networks import set_outdated_aside
from advmip.experiments.outputs import (
    files_of,
    outputs_of,
    shards_of_output,
    sources_of,
)
from advmip.provenance import code_digest
from advmip.reuse import Codes
from advmip.durability.running import WORKFLOW_VARIABLE, begin_run, summary
from advmip.settings import load_settings, save_settings
from advmip.durability.storage import read_yaml
from advmip.durability.written_sizes import remove_shortened

# The folder of the workflow, wherever it is started from; results lie where it is started.
WORKFLOW = Path(os.path.relpath(Path(workflow.snakefile).parents[1]))

try:
    SETTINGS = load_settings(config, WORKFLOW)
except InputError as error:
    raise WorkflowError(str(error)) from None

RESULTS = f"results/{SETTINGS['scale']}"
SETTINGS_FILE = f"{RESULTS}/config.yaml"
try:
    CODES = Codes(Path(f"{RESULTS}/code.json"), SETTINGS["reuse"])
except InputError as error:
    raise WorkflowError(str(error)) from None
# The rows, journal, log and benchmark of a job lie in these under the same name.
SHARDS, JOURNALS = f"{RESULTS}/shards", f"{RESULTS}/journals"
LOGS, BENCHMARKS = f"{RESULTS}/logs", f"{RESULTS}/benchmarks"
WEIGHTS = f"{RESULTS}/networks"
ADVERSARIAL_SETS = f"{RESULTS}/adversarial"
# Before jobs are planned, so that what has been cut short is made again where it is needed.
if workflow.is_main_process:
    for file in remove_shortened(Path(RESULTS)):
        print(f"Removed: {file}, which was shorter than it was written.")
    for file, how in set_outdated_aside(SETTINGS, Path(RESULTS)).items():
        print(f"Set aside: {file}, which was made otherwise: {how}.")
PAPERS = sorted(map(str, WORKFLOW.glob("papers/*.yaml")))
# What came out at other scales, for the first page of the report.
REFERENCE = WORKFLOW.parent / "results" / "reference"
KEPT_VERDICTS = sorted(map(str, REFERENCE.glob("*/verdicts/*.csv")))
NETWORKS = networks(SETTINGS)
OUTPUTS = read_yaml(WORKFLOW / "outputs.yaml")
SOURCES = sources_of(OUTPUTS)
# Ends every command: all it prints is in the log, and on the terminal too if it fails.
LOGGED = " > {log} 2>&1 || (tail -n 30 {log} >&2; exit 1)"

# Jobs find this interpreter and its packages, whether its environment is activated or not, and the
# workflow's files.
os.environ.update(
    {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        WORKFLOW_VARIABLE: str(WORKFLOW.absolute()),
    }
)


wildcard_constraints:
    network="|".join(NETWORKS),
    experiment=r"\w+",
    shard=r"\d+",
    output="|".join([*SOURCES, *OUTPUTS]),
    source="|".join(SOURCES),


def manifest_of(dataset):
    return f"{RESULTS}/datasets/{dataset}.json"


def weights_of(network):
    return f"{WEIGHTS}/{NETWORKS[network].weights}"


def network_file(wildcards):
    return weights_of(wildcards.network)


def within(folder, files):
    return [f"{folder}/{file}" for file in files]


def of_network(*names):
    """Those settings of a network of Zhao & Kronqvist that a job's results depend on.

    There are none for a published network of others, of which there is no more than its file.
    """
    return lambda wildcards: {
        name: SETTINGS["networks"][wildcards.network][name]
        for name in names
        if wildcards.network in SETTINGS["networks"]
    }


def result_files(outputs):
    """The files that some tables and figures end in."""
    return [f"{RESULTS}/{file}.csv" for file in files_of(OUTPUTS, *outputs)]


def in_report(file, kind):
    """A table or figure as Snakemake's own report shows it: under its source."""
    return report(
        file,
        category=lambda wildcards: wildcards.output.partition("_")[0],
        labels={"output": "{output}", "kind": kind},
    )


def row_files(wildcards):
    """The row files that an output, or all those of a source, are made from."""
    shards = shards_of_output(SETTINGS, OUTPUTS, wildcards.output)
    return within(SHARDS, [file for shard in shards for file in shard.row_files])


def begin():
    """Claim the folder of results, and keep there what jobs read: settings and names of code.

    A second run of the same scale is refused, in a line; jobs of a killed one are waited for.
    """
    try:
        begin_run(Path(RESULTS), print)
        save_settings(SETTINGS, Path(SETTINGS_FILE))
        CODES.save()
    except InputError as error:
        sys.exit(f"{error.subject}: {error.found}; {error.mend}.")
    # By default Snakemake starts 100 jobs a second at most, and for that looks what to do next once more
    # every second for each job that has ended: after some hundred jobs that takes a whole core.
    limit = workflow.scheduling_settings.max_jobs_per_timespan
    if limit is not None and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None
