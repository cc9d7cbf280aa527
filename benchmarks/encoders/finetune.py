"""Fine-tune a sentence encoder on rated pairs of sentences, so that there is something to audit.

    python benchmarks/encoders/finetune.py MODEL DATA OUTPUT

MODEL is a folder of sentence-transformers, such as all-MiniLM-L6-v2. DATA is a folder with files of
sentence pairs that driftkit reads (SICK, STS); the cosine of a pair is trained towards its rating.
Then compare, as encoders:

    driftkit audit MODEL OUTPUT --items sentences.txt
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import monotonic

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from driftkit.datasets import SimilarityBenchmark, get

Pairs = list[tuple[str, str, float]]


def read_pairs(folder: Path, left_out: str) -> Pairs:
    """Read every file of pairs whose name does not hold `left_out`, ratings scaled to 0 to 1."""
    found: Pairs = []
    for path in sorted(folder.iterdir()):
        if left_out and left_out in path.name:
            continue
        benchmark = get(path)
        if not isinstance(benchmark, SimilarityBenchmark):
            raise SystemExit(f"{path} holds no rated pairs.")
        low, high = benchmark.gold.min(), benchmark.gold.max()
        scaled = ((benchmark.gold - low) / (high - low)).tolist()
        found += [(*pair, gold) for pair, gold in zip(benchmark.pairs, scaled, strict=True)]
    return found


def train(model: SentenceTransformer, pairs: Pairs, steps: int, batch: int, rate: float) -> None:
    """Train the cosine of random pairs towards their ratings."""
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    model.train()
    start = monotonic()
    for step in range(1, steps + 1):
        some = [pairs[row] for row in rng.integers(len(pairs), size=batch)]
        left, right = (embed(model, [pair[side] for pair in some]) for side in (0, 1))
        gold = torch.tensor([pair[2] for pair in some])
        loss = torch.nn.functional.mse_loss(torch.cosine_similarity(left, right), gold)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0:
            print(f"step {step}: loss {loss.item():.4f}, {monotonic() - start:.0f} s", flush=True)
    model.eval()


def embed(model: SentenceTransformer, texts: list[str]) -> torch.Tensor:
    """Return the vectors of some texts (b, d), with their gradients."""
    features = {
        name: value.to(model.device) if torch.is_tensor(value) else value
        for name, value in model.preprocess(texts).items()
    }
    return model(features)["sentence_embedding"]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in ("model", "data", "output"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--left-out", default="SICK_test", help="part of the names of test files")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=5e-5)
    asked = parser.parse_args()
    pairs = read_pairs(asked.data, asked.left_out)
    print(f"{len(pairs):,} pairs, {asked.steps} steps of {asked.batch}")
    model = SentenceTransformer(str(asked.model), local_files_only=True)
    train(model, pairs, asked.steps, asked.batch, asked.rate)
    model.save(str(asked.output), create_model_card=False)


if __name__ == "__main__":
    main()
