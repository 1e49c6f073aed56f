"""The second pass: a model, its adapters, and how it decides."""

import logging
import os
import sys
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, Mapping, Optional, Sequence, Union

import numpy as np

from . import _batch, _rescorer
from ._errors import PolicyError
from ._rescorer import Result

_log = logging.getLogger("rescorer")

PathLike = Union[str, "os.PathLike[str]"]


class Rescorer:
    """A second pass. It never changes: all threads may use it at once, and the interpreter is released while it computes.

    Make one with :meth:`from_pretrained`. A list may be

    - a list of texts, best first, with ``scores`` beside it or without;
    - a list of dicts with ``text`` and, where there are scores, ``score`` or another usual name (``logprob``, ``am_score``,
      ``cost``); ``confidence`` is a probability, or Vosk's log-likelihood where one is outside of 0 to 1;
    - a dict, a row of ``datasets`` or of pandas, with the names of one of the formats: ``hypotheses``, ``input`` (HyPoradise),
      ``alternatives`` (Vosk), ``segments`` (Whisper, faster-whisper), ``nbest`` (sherpa-onnx), and ``id``, ``reference``,
      ``context``, ``adapter`` where they are there. Other fields are not looked at.

    Scores are natural logarithms, higher is better; without them a hypothesis counts by its position. Arrays and numbers of
    numpy, dataclasses and named tuples may stand wherever lists, numbers and dicts may.

    What is no error but worth a look, as a number beside every text that is not used, or scores that look like costs, is a
    :class:`ListWarning`: each kind once for a call of :meth:`rescore_many`, and once for all other calls together.
    """

    __slots__ = ("_arguments", "_engine")

    def __init__(self, engine: "_rescorer.Engine", arguments: Dict[str, Any]) -> None:
        """Not for use: call :meth:`from_pretrained`."""
        if not isinstance(engine, _rescorer.Engine):
            raise TypeError("a Rescorer is made by Rescorer.from_pretrained(...)")
        self._engine = engine
        self._arguments = arguments

    @classmethod
    def from_pretrained(
        cls,
        model: PathLike = "smollm2-135m",
        *,
        policy: Optional[PathLike] = None,
        lm_weight: Optional[float] = None,
        length_bonus: Optional[float] = None,
        margin: Optional[float] = None,
        unit: Optional[str] = None,
        adapter: Optional[PathLike] = None,
        adapters: Optional[Mapping[str, PathLike]] = None,
        earlier_model: Optional[PathLike] = None,
        earlier_adapter: Optional[PathLike] = None,
        precision: str = "f32",
        device: str = "auto",
        decision: Optional[str] = None,
        bos: Optional[int] = None,
        eos: Optional[bool] = None,
        mean: Optional[bool] = None,
        lm_text: Optional[str] = None,
        encoder_score: Optional[str] = None,
        offline: bool = False,
    ) -> "Rescorer":
        """Loads a model; a named one is fetched when it is first asked for.

        Args:
            model: ``smollm2-135m``, ``gemma3-270m``, a ``.gguf`` file or a Hugging Face folder.
            policy: file that ``rescorer tune`` wrote: weights, rule and convention.
            lm_weight: without a policy, the weight of the language model in
                ``total = first_pass + lm_weight * lm_score + length_bonus * words``.
            length_bonus: without a policy, the reward of a word, or whatever ``unit`` is; 0 if left out.
            margin: without a policy, the lead that another hypothesis needs over the first-pass best; 0 if left out.
            unit: without a policy, what the length bonus and the words of an answer are: ``word``, ``character`` (Chinese,
                Japanese, Thai) or ``mixed``; ``word`` if left out.
            adapter: folder with an adapter in the files of Hugging Face PEFT, for all lists.
            adapters: several of them by name; a list asks for one with its field ``adapter``, and the first is for those that
                ask for none.
            earlier_model: the model that the policy asks first, where it asks one; by the name that the policy has if left out.
            earlier_adapter: folder of its adapter.
            precision: ``f32``, ``int8`` (on the CPU) or ``f16`` (on a GPU).
            device: ``auto``, ``cpu``, ``gpu`` or ``gpu:NUMBER``.
            decision: ``maximum``, ``mbr`` or ``merge``; the policy's if left out.
            bos: without a policy, the token that begins a sentence; the model's own if left out.
            eos: without a policy, whether the end of the sentence is scored; it is if left out.
            mean: without a policy, whether scores are divided by the number of tokens; they are not if left out.
            lm_text: without a policy, what the model sees of a text: ``none`` (as it is), ``lower`` or ``sentence``.
            encoder_score: without a policy, how an encoder scores: ``pll``, ``pll-unmasked`` or ``head``; ``head`` where the
                adapter has one, else ``pll``, if left out.
            offline: a model that is not there is an error.

        Raises:
            PolicyError: neither ``policy`` nor ``lm_weight``, or a policy for something else.
            ModelError, AdapterError: what is not there, or can't be loaded.
        """
        arguments = {name: value for name, value in locals().items() if name != "cls"}
        weights = {"lm_weight": lm_weight, "length_bonus": length_bonus, "margin": margin}
        convention = {"bos": bos, "eos": eos, "mean": mean, "lm_text": lm_text, "encoder_score": encoder_score}
        if policy is not None:
            stated = {**weights, "unit": unit, **convention}
            given = [name for name, value in stated.items() if value is not None]
            if given:
                raise PolicyError(f"{given[0]} can't be combined with a policy, which states it; leave one of them out")
        elif lm_weight is None:
            raise PolicyError("no weights: give policy=FILE, which `rescorer tune` writes, or lm_weight=W")
        for name, value in weights.items():
            if value is not None and not np.isfinite(value):
                raise PolicyError(f"{name}={value}: give a finite number")
        if margin is not None and margin < 0:
            raise PolicyError(f"margin={margin}: give 0 or more")

        earlier = _earlier(policy, earlier_model, earlier_adapter)
        engine = _rescorer.Engine(
            _located(model, offline),
            policy=policy,
            lm_weight=0.0 if lm_weight is None else lm_weight,
            length_bonus=length_bonus or 0.0,
            margin=margin or 0.0,
            unit="word" if unit is None else unit,
            adapters=_named(adapter, adapters),
            earlier=None if earlier is None else (_located(earlier, offline), _named(earlier_adapter, None)),
            precision=precision,
            device=device,
            decision=decision,
            bos=bos,
            eos=True if eos is None else eos,
            mean=False if mean is None else mean,
            lm_text="none" if lm_text is None else lm_text,
            encoder_score=encoder_score,
        )
        for line in engine.warnings:
            _log.warning(line)
        return cls(engine, arguments)

    @property
    def device(self) -> str:
        """Where it computes, and in which precision."""
        return self._engine.device

    @property
    def fingerprint(self) -> str:
        """Stands for the content of the model; a policy keeps that of the model it was tuned with."""
        return self._engine.fingerprint

    def rescore(self, hypotheses: Any, scores: Optional[Iterable[float]] = None) -> Result:
        """Rescores one list.

        Raises:
            InvalidList: the list can't be rescored; the message says why, and what helps.
        """
        return self._engine.rescore(hypotheses, scores)

    def rescore_many(
        self, lists: Iterable[Any], *, window: int = 64, return_exceptions: bool = False
    ) -> Iterator[Union[Result, Exception]]:
        """Rescores lists as they come, in their order: any number of them, of which a window is in memory.

        Args:
            lists: any iterable. What it raises comes out after the results of the lists before.
            window: lists that go through the model together. 1 answers each before the next one is read.
            return_exceptions: an :class:`InvalidList` takes the place of the result of a list that can't be rescored, and the
                others follow; without it, it is raised.
        """
        return self._engine.rescore_many(lists, window, return_exceptions, "list", False)

    def score(self, texts: Iterable[str]) -> "np.ndarray":
        """Scores of the language model alone: float64, one for every text."""
        if isinstance(texts, (str, bytes)):
            raise TypeError("score() takes several texts; put the one into a list")
        return np.frombuffer(self._engine.score(texts), dtype=np.float64)

    def map_batch(
        self, batch: Any, *, prefix: str = "rescored_", window: int = 64, return_exceptions: bool = False
    ) -> Dict[str, Sequence[Any]]:
        """Rescores a batch of rows in columns: a dict of columns, a pandas DataFrame, a pyarrow Table.

        What comes out are new columns alone, as ``datasets.Dataset.map(second_pass.map_batch, batched=True)`` wants it:

        - ``text``, ``position``, ``changed``, ``confidence`` of the answer;
        - ``lm_scores`` and ``totals``, lists with one number for every hypothesis of the list, in its order; None where the model was
          not asked, since the list has one text or ``lm_weight`` is 0.

        Args:
            batch: columns of one length, with the names of one of the formats.
            prefix: stands before the names of the new columns.
            window: lists that go through the model together.
            return_exceptions: rows that can't be rescored have None in these columns, and why in the column ``error``.
        """
        rows = _batch.rows(batch)
        results = self._engine.rescore_many(rows, window, return_exceptions, "row", True)
        return _batch.columns(results, prefix, return_exceptions)

    def __reduce__(self) -> Any:
        """Other processes load it anew from the same arguments."""
        return _load, (self._arguments,)

    def __repr__(self) -> str:
        return f"<Rescorer {os.fspath(self._arguments['model'])} on {self.device}>"


def _load(arguments: Dict[str, Any]) -> Rescorer:
    return Rescorer.from_pretrained(**arguments)


def _located(model: PathLike, offline: bool) -> Path:
    """Path of a model, fetched where it is not there yet."""
    name = os.fspath(model)
    if not offline:
        for line in _rescorer.fetch_notice(name):
            _log.warning(line)
    return _rescorer.locate(name, offline, sys.executable or None)


def _earlier(
    policy: Optional[PathLike], model: Optional[PathLike], adapter: Optional[PathLike]
) -> Optional[PathLike]:
    """The model that the policy asks first, where it asks one."""
    wanted = None if policy is None else _rescorer.earlier(policy)
    if wanted is None:
        given = [name for name, value in (("earlier_model", model), ("earlier_adapter", adapter)) if value is not None]
        if given:
            raise PolicyError(f"{given[0]}: no policy asks another rescorer first; leave it out")
        return None
    name, wanted_adapter = wanted
    if wanted_adapter is not None and adapter is None:
        raise PolicyError(f"the policy asks the adapter {wanted_adapter} first; give its folder as earlier_adapter")
    return name if model is None else model


def _named(adapter: Optional[PathLike], adapters: Optional[Mapping[str, PathLike]]) -> Any:
    """Names and folders of the adapters."""
    if adapter is not None and adapters is not None:
        raise ValueError("give adapter, or adapters with their names, not both")
    if adapter is not None:
        folder = os.fspath(adapter)
        return [(os.path.basename(os.path.normpath(folder)), folder)]
    return [(name, os.fspath(folder)) for name, folder in (adapters or {}).items()]
