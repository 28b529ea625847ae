"""Commands of the ``vcmon`` command line that want a file of their own."""
