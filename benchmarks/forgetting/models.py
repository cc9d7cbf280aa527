"""The three classifiers. Each reads vectors (b, t, d) and a mask (b, t) of real tokens."""

from __future__ import annotations

import torch
from torch import nn


class MeanMLP(nn.Module):
    """A two-layer network on the mean vector, as in deep averaging networks."""

    def __init__(self, d, classes):
        super().__init__()
        self.body = nn.Linear(d, 64)
        self.head = nn.Linear(64, classes)

    def forward(self, vectors, mask):
        mean = (vectors * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        return self.head(nn.functional.dropout(torch.relu(self.body(mean)), 0.2, self.training))


class KimCNN(nn.Module):
    """Kim 2014: windows of 3, 4 and 5 tokens, the maximum over time, dropout 0.5."""

    def __init__(self, d, classes, maps=50):
        super().__init__()
        self.body = nn.ModuleList(
            nn.Conv1d(d, maps, width, padding=width - 1) for width in (3, 4, 5)
        )
        self.head = nn.Linear(3 * maps, classes)

    def forward(self, vectors, mask):
        x = (vectors * mask[:, :, None]).transpose(1, 2)  # (b, d, t)
        pooled = torch.cat([torch.relu(conv(x)).amax(2) for conv in self.body], 1)
        return self.head(nn.functional.dropout(pooled, 0.5, self.training))


class BiLSTM(nn.Module):
    """One bidirectional layer of 64, the maximum over time, dropout 0.5."""

    def __init__(self, d, classes, hidden=64):
        super().__init__()
        self.body = nn.LSTM(d, hidden, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden, classes)

    def forward(self, vectors, mask):
        lengths = mask.sum(1).clamp(min=1).long()
        packed = nn.utils.rnn.pack_padded_sequence(
            vectors, lengths, batch_first=True, enforce_sorted=False
        )
        out, _ = nn.utils.rnn.pad_packed_sequence(
            self.body(packed)[0], batch_first=True, padding_value=-1e9
        )
        return self.head(nn.functional.dropout(out.amax(1), 0.5, self.training))


MODELS = {"mlp": MeanMLP, "cnn": KimCNN, "lstm": BiLSTM}
