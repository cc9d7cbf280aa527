"""What an audit found as charts: Vega-Lite through altair (extra ``report``).

One file for each family of charts. Each takes the findings, or the frame or the plain values of
another result, and returns an altair chart; ``plots`` holds what ``audit.plot`` offers. Nothing
here computes a measure.
"""
