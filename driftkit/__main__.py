"""``python -m driftkit`` is ``driftkit``."""

from driftkit.cli import main

main()
