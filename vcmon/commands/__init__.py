"""Groups of subcommands of ``vcmon``, one file each; cli.py hangs them up."""
