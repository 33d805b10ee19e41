"""`advmip attack` and `advmip verify`: a network and images, or a property, of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()

Layout = Annotated[
    str | None,
    typer.Option(
        help="The axes of the network's input: chw, hwc, ..., with sizes if it has others: "
        "hwc:32x32x3; else found from the network."
    ),
]


@app.command("attack")
def attack(
    network_file: Annotated[Path, typer.Argument(help="A network: .onnx, .safetensors or .npz.")],
    image: Annotated[Path, typer.Argument(help="An image: .npy in [0, 1], or a picture.")],
    distance: Annotated[
        str, typer.Option(help="l0, l1, l2, l2-K (K breakpoints), linf, tv, tv-isotropic or l1+tv.")
    ] = "linf",
    target: Annotated[int | None, typer.Option(help="The class to reach; else any other.")] = None,
    label: Annotated[int | None, typer.Option(help="The true class; else the network's.")] = None,
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
    time_limit: Annotated[float, typer.Option(help="Seconds.")] = 300.0,
    threads: Annotated[int, typer.Option(min=1, help="Of the solver.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the search and the solver.")] = 0,
    layout: Layout = None,
    out: Annotated[
        Path, typer.Option(help="Where to write the attacked image, without .npy and .png.")
    ] = Path("attacked"),
) -> None:
    """Find the nearest image that the network classifies otherwise, with proof."""
    from advmip.single_attack import attack_image
    from advmip.threads import use_threads

    use_threads(threads)
    attack_image(
        network_file,
        image,
        out,
        label=label,
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
    )


@app.command("verify")
def verify(
    network_file: Annotated[
        Path,
        typer.Argument(help="A network: .onnx, .safetensors or .npz; with --network a query."),
    ],
    images: Annotated[
        list[str] | None,
        typer.Argument(
            help="Images: .npy in [0, 1], pictures, or test images such as mnist:0-99; or a "
            "property: .vnnlib."
        ),
    ] = None,
    epsilon: Annotated[float, typer.Option(help="The radius of the ball, above 0.")] = 0.1,
    norm: Annotated[str, typer.Option(help="linf, l1 or l2.")] = "linf",
    label: Annotated[
        int | None, typer.Option(help="The true class of files; else the network's.")
    ] = None,
    solver: Annotated[str, typer.Option(help="auto, gurobi, scip or highs.")] = "auto",
    time_limit: Annotated[
        float,
        typer.Option(
            "--time-limit", "--timeout", help="Seconds for each image, or for the property."
        ),
    ] = 300.0,
    threads: Annotated[int, typer.Option(min=1, help="Of the solver.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the attack and the solver.")] = 0,
    data_dir: Annotated[
        Path | None, typer.Option(help="The folder of data sets; else the user's cache.")
    ] = None,
    layout: Layout = None,
    network: Annotated[
        list[str] | None,
        typer.Option(help="name=file, what a query of VNN-LIB calls the network, and its file."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="A folder to write adversarial images to, .npy; of a property the file of its "
            "counterexample, .npy, or of the competition's result, .txt."
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
    from advmip.memory import keep_freed_memory
    from advmip.threads import use_threads
    from advmip.verifying_images import verify_images
    from advmip.verifying_properties import the_property, verify_file
    from advmip.vnnlib_standard import answer_query

    use_threads(threads)
    keep_freed_memory()
    how = {"solver": solver, "time_limit": time_limit, "threads": threads, "seed": seed}
    if network:
        answer_query(network_file, network, **how)
        return
    property_file = the_property(images or [])
    if property_file is not None:
        verify_file(network_file, property_file, out, layout=layout, **how)
        return
    batch = verify_images(
        network_file,
        images or [],
        out,
        label=label,
        layout=layout,
        data_dir=data_dir,
        epsilon=epsilon,
        norm=norm,
        **how,
    )
    raise typer.Exit(exit_status(batch.failures))
