"""`advmip attack`, `verify` and `curve`: networks, images and properties of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()

NetworkFile = Annotated[
    Path, typer.Argument(help="A network: .onnx, .onnx.gz, .safetensors or .npz.")
]
Images = Annotated[
    list[str],
    typer.Argument(
        help="Images: .npy in [0, 1], pictures, folders of them, .npz of `images` and `labels`, "
        "or images of a data set, such as mnist:0-99 (mnist-train:0-99)."
    ),
]
DistanceName = Annotated[
    str, typer.Option(help="l0, l1, l2, l2-K (K breakpoints), linf, tv, tv-isotropic or l1+tv.")
]
Label = Annotated[int | None, typer.Option(help="The true class of files; else the network's.")]
TimeLimit = Annotated[float, typer.Option(help="Seconds for each image.")]
SolverThreads = Annotated[int, typer.Option(min=1, help="Of the solver.")]
Seed = Annotated[int, typer.Option(help="Of the search and the solver.")]
Lower = Annotated[float, typer.Option(help="The least value that an input may have.")]
Upper = Annotated[float, typer.Option(help="The largest.")]
DataFolder = Annotated[
    Path | None, typer.Option("--data-dir", help="The folder of data sets; else the user's cache.")
]
Layout = Annotated[
    str | None,
    typer.Option(
        help="The axes of the network's input: chw, hwc, ..., with sizes if it has others: "
        "hwc:32x32x3; else found from the network."
    ),
]
Jobs = Annotated[int, typer.Option(min=1, help="How many images at a time, each in a process.")]
Journal = Annotated[
    Path | None,
    typer.Option(help="The record of finished images, to go on from; else beside the output."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON object for each image.")]


@app.command("attack")
def attack(
    network_file: NetworkFile,
    images: Images,
    distance: DistanceName = "linf",
    target: Annotated[int | None, typer.Option(help="The class to reach; else any other.")] = None,
    label: Label = None,
    ratio: Annotated[float, typer.Option(help="By which factor the winner must win.")] = 1.0,
    formulation: Annotated[
        str, typer.Option(help="big-m, big-m-output, indicator or partition.")
    ] = "big-m",
    bounds: Annotated[
        str, typer.Option(help="progressive, exact, weaker, lp, interval or none.")
    ] = "progressive",
    solver: Annotated[
        str, typer.Option(help="auto, gurobi, scip, highs, branch-and-bound or mipverify.")
    ] = "auto",
    time_limit: TimeLimit = 300.0,
    threads: SolverThreads = 1,
    seed: Seed = 0,
    lower: Lower = 0.0,
    upper: Upper = 1.0,
    data_dir: DataFolder = None,
    layout: Layout = None,
    jobs: Jobs = 1,
    journal: Journal = None,
    as_json: AsJson = False,
    out: Annotated[
        Path,
        typer.Option(
            help="Where to write the attacked image, without .npy and .png; of many images, their "
            "folder, or a table (.csv) with a folder of its name; a table is gone on with."
        ),
    ] = Path("attacked"),
) -> None:
    """Find the nearest image that the network classifies otherwise, with proof.

    Exit status: 0 if every image has its answer, 3 if an answer failed its check, else 2 if an
    image could not be used.
    """
    from advmip.errors import exit_status
    from advmip.questions.asking import Asked, ask
    from advmip.questions.nearest_attack import NearestAttack

    batch = ask(
        NearestAttack,
        network_file,
        Asked(images, label, data_dir, jobs, journal, as_json),
        out,
        layout=layout,
        distance=distance,
        target=target,
        ratio=ratio,
        formulation=formulation,
        bounds=bounds,
        solver=solver,
        time_limit=time_limit,
        threads=threads,
        seed=seed,
        lower=lower,
        upper=upper,
    )
    raise typer.Exit(exit_status(batch.failures))


@app.command("verify")
def verify(
    network_file: Annotated[
        Path,
        typer.Argument(help="A network: .onnx, .safetensors or .npz; with --network a query."),
    ],
    images: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, folders, .npz archives, or test images such as mnist:0-99; or a "
            "property: .vnnlib."
        ),
    ] = None,
    epsilon: Annotated[float, typer.Option(help="The radius of the ball, above 0.")] = 0.1,
    norm: Annotated[str, typer.Option(help="linf, l1 or l2.")] = "linf",
    label: Label = None,
    solver: Annotated[str, typer.Option(help="auto, gurobi, scip or highs.")] = "auto",
    time_limit: Annotated[
        float,
        typer.Option(
            "--time-limit", "--timeout", help="Seconds for each image, or for the property."
        ),
    ] = 300.0,
    threads: SolverThreads = 1,
    seed: Seed = 0,
    lower: Lower = 0.0,
    upper: Upper = 1.0,
    data_dir: DataFolder = None,
    layout: Layout = None,
    jobs: Jobs = 1,
    journal: Journal = None,
    as_json: AsJson = False,
    network: Annotated[
        list[str] | None,
        typer.Option(help="name=file, what a query of VNN-LIB calls the network, and its file."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="A folder to write adversarial images to, .npy; or a table (.csv) with a folder "
            "of its name, which is gone on with; of a property the file of its counterexample, "
            ".npy, or of the competition's result, .txt."
        ),
    ] = None,
    proof: Annotated[
        Path | None,
        typer.Option(
            help="A folder to write the proofs of images to, .npz, which `advmip check-proof` "
            "checks; of a property the file, .npz."
        ),
    ] = None,
) -> None:
    """Prove that no image within a radius is classified otherwise, or find one that is.

    Or that a property of VNN-LIB holds, or find a counterexample. As the standard of VNN-LIB 2 has
    it, `advmip verify query.vnnlib --network name=net.onnx [--timeout s]` answers in its words.

    Exit status: 0 if every image has its verdict, 3 if an answer failed its check, else 2 if an
    image could not be used.
    """
    from advmip.errors import exit_status
    from advmip.questions.asking import Asked, ask
    from advmip.questions.ball_verification import BallVerification
    from advmip.verifying_properties import the_property, verify_file
    from advmip.vnnlib_standard import answer_query

    how = {"solver": solver, "time_limit": time_limit, "threads": threads, "seed": seed}
    if network:
        answer_query(network_file, network, proof=proof, **how)
        return
    property_file = the_property(images or [])
    if property_file is not None:
        verify_file(network_file, property_file, out, layout=layout, proof=proof, **how)
        return
    batch = ask(
        BallVerification,
        network_file,
        Asked(images or [], label, data_dir, jobs, journal, as_json),
        out,
        layout=layout,
        epsilon=epsilon,
        norm=norm,
        lower=lower,
        upper=upper,
        proof=None if proof is None else str(proof),
        **how,
    )
    raise typer.Exit(exit_status(batch.failures))


@app.command("curve")
def curve(
    networks_and_images: Annotated[
        list[str],
        typer.Argument(help="Networks, then images as `advmip attack` takes them."),
    ],
    distance: DistanceName = "linf",
    label: Label = None,
    solver: Annotated[
        str, typer.Option(help="auto, gurobi, scip, highs, branch-and-bound or mipverify.")
    ] = "auto",
    time_limit: TimeLimit = 300.0,
    threads: SolverThreads = 1,
    seed: Seed = 0,
    lower: Lower = 0.0,
    upper: Upper = 1.0,
    data_dir: DataFolder = None,
    layout: Layout = None,
    jobs: Jobs = 1,
    journal: Journal = None,
    out: Annotated[
        Path, typer.Option(help="The figure, .png; .pdf and the numbers, .csv, are beside it.")
    ] = Path("curve.png"),
) -> None:
    """Draw the accuracy of networks against the radius, from proved nearest attacks.

    Exit status: as that of attack.
    """
    from advmip.errors import exit_status
    from advmip.questions import curves
    from advmip.questions.asking import Asked

    networks, images = curves.networks_and_images(networks_and_images)
    failures = curves.accuracy_curves(
        networks,
        Asked(images, label, data_dir, jobs, journal),
        out,
        layout=layout,
        distance=distance,
        solver=solver,
        time_limit=time_limit,
        threads=threads,
        seed=seed,
        lower=lower,
        upper=upper,
    )
    raise typer.Exit(exit_status(failures))
