"""Trains a small recommendation model (DLRM) on features that SQL makes: fitted once, read in batches, gathered by embedding bags.

    hypostyle generate criteo --rows 200000
    python train_dlrm.py criteo criteo.parquet
    python train_dlrm.py movielens path/to/ml-latest-small

It needs torch. The transform is fitted on the training rows alone; what it has learned goes with it into ``--save features.hyp``, from
which any host computes the same features for one row (``hypostyle.Session().load("features.hyp").row()``).
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader

import hypostyle as hy
from hypostyle.torch import Dataset, Jagged

#: Rows of the Criteo challenge; each tenth is kept for the test.
CRITEO_ROWS = "SELECT *, row_number() OVER () % 10 = 0 AS is_test FROM '{path}'"

#: Ratings with what was known before each of them: the movies that the user has rated, and the means of user and movie. The last tenth
#: in time is kept for the test.
MOVIELENS_ROWS = """
    SELECT rating >= 4 AS label, userId, movieId, string_split(genres, '|') AS genres,
           list(movieId) OVER (of_user ROWS BETWEEN 20 PRECEDING AND 1 PRECEDING)     AS history,
           avg(rating)   OVER (of_user ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)  AS user_mean,
           count(*)      OVER (of_user ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)  AS user_count,
           avg(rating)   OVER (of_movie ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS movie_mean,
           count(*)      OVER (of_movie ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS movie_count,
           percent_rank() OVER (ORDER BY timestamp) >= 0.9 AS is_test
    FROM '{path}/ratings.csv' JOIN '{path}/movies.csv' USING (movieId)
    WINDOW of_user AS (PARTITION BY userId ORDER BY timestamp, movieId),
           of_movie AS (PARTITION BY movieId ORDER BY timestamp, userId)"""


def criteo_features() -> str:
    """Counts on a logarithmic scale, and each category as a list of at most one id."""
    counts = [f"coalesce(standard_scale(log1p_clip(I{number}::DOUBLE)), 0)" for number in range(1, 14)]
    categories = [
        f"vocab_encode(list_filter([C{number}], c -> c IS NOT NULL), min_count => 3, top_k => 10000, oov => 1) AS C{number}"
        for number in range(1, 27)
    ]
    return f"SELECT label::FLOAT AS label, [{', '.join(counts)}]::FLOAT[13] AS dense, {', '.join(categories)} FROM input"


MOVIELENS_FEATURES = """
    SELECT label::FLOAT AS label,
           [coalesce(standard_scale(user_mean), 0), standard_scale(log1p(user_count)),
            coalesce(standard_scale(movie_mean), 0), standard_scale(log1p(movie_count))]::FLOAT[4] AS dense,
           vocab_encode([userId], oov => 1)                 AS user,
           vocab_encode([movieId], min_count => 3, oov => 1)  AS movie,
           vocab_encode(history, min_count => 3, oov => 1)  AS history,
           vocab_encode(genres, oov => 1)                   AS genres
    FROM input"""


@dataclass
class Outcome:
    """What a training came to."""

    losses: list[float]
    area_under_curve: float

    @property
    def first_loss(self) -> float:
        """Mean loss of the first tenth of the steps."""
        return _mean(self.losses[: max(1, len(self.losses) // 10)])

    @property
    def last_loss(self) -> float:
        """Mean loss of the last tenth of the steps."""
        return _mean(self.losses[-max(1, len(self.losses) // 10) :])


class Dlrm(nn.Module):
    """Dense numbers through a small network, ids through embedding bags, products of all pairs of the vectors, and a network over them.

    Source: Naumov et al., Deep Learning Recommendation Model for Personalization and Recommendation Systems, 2019.
    """

    def __init__(self, dense: int, ids: dict[str, int], width: int = 16) -> None:
        super().__init__()
        self.bottom = _layers(dense, 64, width)
        self.bags = nn.ModuleDict(
            {name: nn.EmbeddingBag(size, width, mode="mean", include_last_offset=True) for name, size in ids.items()}
        )
        for bag in self.bags.values():
            nn.init.normal_(bag.weight, std=0.05)
        vectors = 1 + len(ids)
        self.top = _layers(width + vectors * (vectors - 1) // 2, 64, 1)

    def forward(self, batch: dict[str, torch.Tensor | Jagged]) -> torch.Tensor:
        """One logit for each row."""
        vectors = [self.bottom(batch["dense"])]
        vectors += [bag(batch[name].values, batch[name].offsets) for name, bag in self.bags.items()]
        stacked = torch.stack(vectors, dim=1)
        products = torch.bmm(stacked, stacked.transpose(1, 2))
        left, right = torch.tril_indices(len(vectors), len(vectors), offset=-1)
        return self.top(torch.cat([vectors[0], products[:, left, right]], dim=1)).squeeze(1)


def train(task: str, path: str | os.PathLike[str], options: argparse.Namespace) -> Outcome:
    """Fits the transform, trains the model, and measures it on rows that neither has seen."""
    torch.manual_seed(options.seed)
    rows, definition = (CRITEO_ROWS, criteo_features()) if task == "criteo" else (MOVIELENS_ROWS, MOVIELENS_FEATURES)
    rows = rows.format(path=os.fspath(path).replace("'", "''"))
    seen, unseen = f"(FROM ({rows}) WHERE NOT is_test)", f"(FROM ({rows}) WHERE is_test)"

    transform = hy.Session().fit(definition, seen)
    if options.save:
        transform.save(options.save)
    model = Dlrm(_dense_width(transform), id_counts(transform))
    optimizer = torch.optim.Adam(model.parameters(), lr=options.learning_rate)

    dataset = Dataset(seen, transform, batch_size=options.batch_size, shuffle=True, seed=options.seed, part_rows=16_384)
    loader = DataLoader(dataset, batch_size=None, num_workers=options.workers)
    losses: list[float] = []
    for epoch in range(options.epochs):
        dataset.set_epoch(epoch)
        for batch in loader:
            loss = nn.functional.binary_cross_entropy_with_logits(model(batch), batch["label"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if options.steps and len(losses) == options.steps:
                return Outcome(losses, evaluate(model, Dataset(unseen, transform)))
        print(f"epoch {epoch}: {len(losses)} steps, loss {_mean(losses[-50:]):.4f}", flush=True)
    return Outcome(losses, evaluate(model, Dataset(unseen, transform)))


def id_counts(transform: hy.Transform) -> dict[str, int]:
    """For each output of ids how many there are: the entries of its vocabulary, and one for all others."""
    names = [name for name, kind in zip(transform.outputs.names, transform.outputs.types, strict=True) if kind == "BIGINT[]"]
    vocabularies = [call["keys"] for call in transform.parameters()["vocab_encode"]]
    return {name: len(vocabulary) + 1 for name, vocabulary in zip(names, vocabularies, strict=True)}


def _dense_width(transform: hy.Transform) -> int:
    kind = dict(zip(transform.outputs.names, transform.outputs.types, strict=True))["dense"]
    return int(kind.removeprefix("FLOAT[").removesuffix("]"))


@torch.no_grad()
def evaluate(model: Dlrm, dataset: Dataset) -> float:
    """The area under the curve of true over false positives."""
    model.eval()
    scored = [(model(batch), batch["label"]) for batch in dataset]
    return area_under_curve(torch.cat([score for score, _ in scored]), torch.cat([label for _, label in scored]))


def area_under_curve(scores: torch.Tensor, labels: torch.Tensor) -> float:
    """The share of pairs of a positive and a negative row in which the positive has the higher score; a tie counts half."""
    _, place, ties = torch.unique(scores, return_inverse=True, return_counts=True)
    ranks = (torch.cumsum(ties, 0) - (ties - 1) / 2)[place].double()
    positives, negatives = (labels == 1).sum(), (labels == 0).sum()
    wins = ranks[labels == 1].sum() - positives * (positives + 1) / 2
    return float(wins / (positives * negatives))


def _layers(*widths: int) -> nn.Sequential:
    layers = [layer for size, following in zip(widths, widths[1:], strict=False) for layer in (nn.Linear(size, following), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(1, len(values))


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["criteo", "movielens"])
    parser.add_argument("path", help="a file of Criteo rows, or the folder with ratings.csv and movies.csv")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--steps", type=int, default=0, help="stop after so many; 0 for all")
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--workers", type=int, default=0, help="processes that read")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", help="file for the fitted transform")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> Outcome:
    """Trains as the command line says, and prints what came of it."""
    options = parse(arguments)
    outcome = train(options.task, options.path, options)
    steps = len(outcome.losses)
    print(f"loss {outcome.first_loss:.4f} -> {outcome.last_loss:.4f} in {steps} steps; AUC {outcome.area_under_curve:.4f}")
    return outcome


if __name__ == "__main__":
    main()
