"""Columns to rows, and results to columns."""

from typing import Any, Dict, Iterable, Iterator, List, Tuple, Union

import numpy as np

from ._rescorer import Result


def rows(batch: Any) -> Iterator[Dict[str, Any]]:
    """The rows of a dict of columns, a pandas DataFrame or a pyarrow Table."""
    if hasattr(batch, "to_pydict"):
        batch = batch.to_pydict()
    elif hasattr(batch, "iloc") and hasattr(batch, "columns"):
        batch = batch.to_dict("list")
    try:
        columns = {name: batch[name] for name in batch.keys()}
        lengths = {name: len(column) for name, column in columns.items()}
    except (AttributeError, TypeError) as error:
        message = f"a batch of type {type(batch).__name__} has no columns; give a dict of columns, a DataFrame or a Table"
        raise TypeError(message) from error
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"`{name}` {length}" for name, length in lengths.items())
        raise ValueError(f"the columns of a batch are of different lengths ({told}); give one value for every row")
    return (dict(zip(columns, values)) for values in zip(*columns.values()))


def numbers(scores: Any) -> List[Any]:
    """Scores as a list; those that were not computed are None, as a column has it."""
    return [None if score != score else score for score in scores.tolist()]


def columns(results: Iterable[Union[Result, Exception]], prefix: str, with_errors: bool, scored: bool) -> Dict[str, Any]:
    """The columns of what comes out; ``scored`` says whether there are confidences and scores."""
    text: List[Any] = []
    position: List[Any] = []
    changed: List[Any] = []
    confidence: List[Any] = []
    lm_scores: List[Any] = []
    totals: List[Any] = []
    error: List[Any] = []
    for result in results:
        if isinstance(result, Result):
            # Lists, not arrays: columns of arrays of several lengths have a type of their own in Arrow's world.
            scores = (numbers(result.lm_scores), numbers(result.totals))
            values: Tuple[Any, ...] = (result.text, result.position, result.changed, result.confidence, *scores, None)
        else:
            values = (None,) * 6 + (str(result),)
        for column, value in zip((text, position, changed, confidence, lm_scores, totals, error), values):
            column.append(value)
    whole = all(value is None for value in error)
    out: Dict[str, Any] = {
        "text": text,
        # Columns without gaps keep the types of numbers.
        "position": np.array(position, dtype=np.int64) if whole else position,
        "changed": np.array(changed, dtype=np.bool_) if whole else changed,
        "confidence": np.array(confidence, dtype=np.float64) if whole else confidence,
        "lm_scores": lm_scores,
        "totals": totals,
    }
    if not scored:
        out = {name: out[name] for name in ("text", "position", "changed")}
    if with_errors:
        out["error"] = error
    return {prefix + name: column for name, column in out.items()}
