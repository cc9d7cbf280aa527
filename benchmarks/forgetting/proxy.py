"""EWC's proxy task: tell a word's original neighbors from random words.

The corpus GloVe was trained on is not at hand, so the Fisher information is that of negative
sampling on the vectors themselves: for a word, -log s(w.u) for a near word u and -log s(-w.v) for
a random word v, s the logistic function of the cosine scaled by 5. Both vectors of an example get
gradients.
"""

from __future__ import annotations

import torch
from torch import nn

from driftkit.neighbors.search.exact import nearest
from driftkit.training.regularizers import fisher_diagonal

NAME = "negative sampling on the original neighbors"
EXAMPLES = 4000


def proxy_fisher(embedding, seed):
    """Fisher information of the table, divided by its mean over rows that have any."""
    generator = torch.Generator().manual_seed(seed)
    n = embedding.num_embeddings
    directed = torch.nonzero(embedding.weight.detach().any(dim=1)).squeeze(1)
    words = directed[torch.randint(len(directed), (EXAMPLES,), generator=generator)]
    near = torch.from_numpy(nearest(embedding.weight.detach().numpy(), words.numpy(), 5)[0].copy())
    pick = near[torch.arange(EXAMPLES), torch.randint(5, (EXAMPLES,), generator=generator)]
    far = torch.randint(n, (EXAMPLES,), generator=generator)

    def loss(example):
        word, close, random = embedding(example)
        cosine = nn.functional.cosine_similarity
        signs = 5 * torch.stack([cosine(word, close, dim=0), -cosine(word, random, dim=0)])
        return -nn.functional.logsigmoid(signs).sum()

    fisher = fisher_diagonal(embedding, loss, torch.stack([words, pick.long(), far], 1).unbind())
    values = fisher["weight"]
    return {"weight": values / values[values.any(dim=1)].mean()}
