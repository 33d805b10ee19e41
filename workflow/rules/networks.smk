# The networks that experiments start from: trained here, or the authors' released weights.


def network_command(network):
    if is_published(network):
        return "benmhenni network"
    return "network fetch" if is_released(network) else "network train"


for network, chosen in NETWORKS.items():

    rule:
        name:
            f"network_{network}"
        input:
            manifest=f"{RESULTS}/datasets/{chosen['dataset']}.json",
        output:
            network=weights_of(network),
        log:
            f"{RESULTS}/logs/networks/{network}.log",
        benchmark:
            f"{RESULTS}/benchmarks/networks/{network}.tsv"
        priority: 80
        conda:
            "../../envs/environment.yaml"
        threads: SETTINGS["threads"]
        params:
            settings=SETTINGS_FILE,
            code=CODES.name(*training_code(network)),
            command=network_command(network),
            network=network,
            training=[
                *(chosen.get(key) for key in ("training", "file", "defence")),
                SETTINGS["seed"],
            ],
        shell:
            "python -m advmip {params.command} {params.network}"
            " --settings {params.settings} --threads {threads}"
            " --out {output.network}"
            f"{LOGGED}"
