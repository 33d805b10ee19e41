# Exact attacks on the thesis's networks, and the bounds that they are given.


rule networks_described:
    input:
        networks=[
            f"{RESULTS}/networks/{chosen['architecture']}.safetensors"
            for chosen in SETTINGS["zhu"]["networks"].values()
        ],
    output:
        rows=f"{ATTACKS}/networks/networks.csv",
    log:
        f"{RESULTS}/logs/networks_described.log",
    benchmark:
        f"{RESULTS}/benchmarks/networks_described.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=code_digest("datasets", "experiments.zhu", "networks"),
        folder=subpath(input[0], parent=True),
    shell:
        "python -m advmip zhu networks --settings {params.settings}"
        " --networks {params.folder} --threads {threads} --out {output.rows}"
        f"{LOGGED}"


rule network_bounds:
    input:
        network=network_file,
    output:
        bounds=multiext(
            f"{ATTACKS}/bounds/{{victim}}-{{method}}/", "bounds.npz", "bounds.csv"
        ),
    log:
        f"{RESULTS}/logs/bounds/{{victim}}-{{method}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/bounds/{{victim}}-{{method}}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=code_digest("datasets", "experiments.zhu.bounds", "mip", "networks"),
        time_limit=SETTINGS["zhu"]["bound_time_limit"],
        folder=subpath(output[0], parent=True),
    shell:
        "python -m advmip zhu bounds {wildcards.victim} {wildcards.method}"
        " --settings {params.settings} --network-file {input.network}"
        " --threads {threads} --out {params.folder}"
        f"{LOGGED}"


rule exact_attacks:
    # The journal is no output: it outlives a run that fails or is killed.
    input:
        network=network_file,
        bounds=lambda wildcards: [
            f"{folder}/bounds.npz"
            for folder in bounds_folder(wildcards.question, wildcards.victim)
        ],
    output:
        attacks=multiext(
            f"{ATTACKS}/{{question}}/{{victim}}-{{part}}/",
            "attacks.csv",
            "adversarial.npz",
        ),
    log:
        f"{RESULTS}/logs/exact_attacks/{{question}}/{{victim}}-{{part}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/exact_attacks/{{question}}/{{victim}}-{{part}}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: SETTINGS["threads"]
    params:
        settings=SETTINGS_FILE,
        code=code_digest(
            "checking.attacks", "datasets", "experiments.zhu", "mip", "networks"
        ),
        attacks=lambda wildcards: questions.attacks_of(
            SETTINGS, wildcards.question, wildcards.victim
        ),
        shared=[SETTINGS["zhu"][name] for name in ("ratio", "margin")],
        seed=SETTINGS["seed"],
        bounds=lambda wildcards, input: (
            f"--bounds-file {input.bounds[0]}" if input.bounds else ""
        ),
        journal=f"{RESULTS}/journals/zhu/{{question}}/{{victim}}-{{part}}.jsonl",
        folder=subpath(output[0], parent=True),
    shell:
        "python -m advmip zhu attacks {wildcards.victim} --settings {params.settings}"
        " --experiment {wildcards.question} --part {wildcards.part}"
        " --network-file {input.network} {params.bounds} --threads {threads}"
        " --journal {params.journal} --out {params.folder}"
        f"{LOGGED}"
