"""``python -m vcmon`` is the ``vcmon`` command."""

from vcmon.cli import main

main()
