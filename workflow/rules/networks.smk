# The networks that experiments start from: trained here, or the authors' released weights.

for network, chosen in NETWORKS.items():

    rule:
        name:
            f"network_{network}"
        input:
            manifest=f"{RESULTS}/datasets/{chosen['dataset']}.json",
        output:
            network=f"{RESULTS}/networks/{chosen['architecture']}.safetensors",
        log:
            f"{RESULTS}/logs/networks/{network}.log",
        benchmark:
            f"{RESULTS}/benchmarks/networks/{network}.tsv"
        conda:
            "../../envs/environment.yaml"
        threads: SETTINGS["threads"]
        params:
            settings=SETTINGS_FILE,
            code=code_digest("datasets", "networks"),
            command="fetch" if is_released(network) else "train",
            network=network,
            training=[chosen["training"], SETTINGS["seed"]],
        shell:
            "python -m advmip network {params.command} {params.network}"
            " --settings {params.settings} --threads {threads}"
            " --out {output.network}"
            f"{LOGGED}"
