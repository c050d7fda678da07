"""A lab of three minutes, to get to know checks, hints and progress."""
