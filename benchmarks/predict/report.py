from pathlib import Path
RESULTS = Path(__file__).parent / "results.csv"
def write_page(): pass
