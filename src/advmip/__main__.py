"""`python -m advmip`: the same commands as `advmip`."""

from advmip.cli import main

main()
