# The networks that experiments start from: trained here, released or published by others.


for network, recipe in NETWORKS.items():

    rule:
        name:
            f"network_{network}"
        input:
            manifest=manifest_of(recipe.dataset),
        output:
            network=weights_of(network),
        log:
            f"{LOGS}/networks/{network}.log",
        benchmark:
            f"{BENCHMARKS}/networks/{network}.tsv"
        priority: 60 if recipe.defended else 80
        conda:
            "../../envs/environment.yaml"
        threads: SETTINGS["threads"]
        resources:
            mem_mb=8000,
            runtime=720,
            gpu=SETTINGS["gpus"],
        params:
            settings=SETTINGS_FILE,
            code=CODES.name(*recipe.code),
            command=recipe.command,
            network=network,
            recipe=vars(recipe),
            seed=SETTINGS["seed"],
        shell:
            "python -m advmip network {params.command} {params.network}"
            " --settings {params.settings} --threads {threads}"
            " --out {output.network}"
            f"{LOGGED}"
