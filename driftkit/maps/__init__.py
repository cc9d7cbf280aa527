"""Maps between an original space and a tuned one, for what reads only one of them."""

from driftkit.maps.fitting import fit_map
from driftkit.maps.map import Map, Refusal, load_map

__all__ = ["Map", "Refusal", "fit_map", "load_map"]
