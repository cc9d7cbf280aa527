"""What an audit does unless it is told otherwise, for the library and the command line alike."""

K = 10
"""Depth of neighbor lists."""
CANDIDATES = 60_000
"""Neighbors are sought among this many of the first shared words, and as many moved ones."""
RESAMPLES = 2_000
"""Bootstrap resamples behind each interval."""
WORDS_LISTED = 10_000  # in a report as HTML
RUNS_COMPARED = 10
"""Accepted runs before it that a run of a history is compared with."""
