"""What survives a kill, a full disk or a clock that is set back (`docs/reliability.md`).

Atomic files, journals, locks, one run at a time, files that were cut short, times from the future.
"""
