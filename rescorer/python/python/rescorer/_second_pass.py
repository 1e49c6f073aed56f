"""The second pass: a model, its adapters, and how it decides."""

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, Mapping, Optional, Sequence, Union

import numpy as np

from . import _batch, _rescorer
from ._arguments import PathLike, check_policy, check_weights, first_stage, named, renamed
from ._rescorer import Result

if TYPE_CHECKING:
    from ._pool import AdapterPool

_log = logging.getLogger("rescorer")

# Arguments of `from_pretrained` that another process is not given.
_NOT_KEPT = ("cls", "earlier_model", "earlier_adapter")


class Rescorer:
    """A second pass. It never changes: all threads may use it at once, and the interpreter is released while it computes.

    Make one with :meth:`from_pretrained`. A list may be

    - a list of texts, best first, with ``scores`` beside it or without;
    - a list of dicts with ``text`` and, where there are scores, ``score`` or another usual name (``logprob``, ``am_score``,
      ``cost``); ``confidence`` is a probability, or Vosk's log-likelihood where one is outside of 0 to 1;
    - a dict, a row of ``datasets`` or of pandas, with the names of one of the formats: ``hypotheses``, ``input`` (HyPoradise),
      ``alternatives`` (Vosk), ``segments`` (Whisper, faster-whisper), ``nbest`` (sherpa-onnx), and ``id``, ``reference``,
      ``context``, ``adapter``, ``conversation`` where they are there. Other fields are not looked at.

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
        route_adapters: bool = False,
        vocabulary: Optional[PathLike] = None,
        cascade_model: Optional[PathLike] = None,
        cascade_adapter: Optional[PathLike] = None,
        precision: str = "auto",
        device: str = "auto",
        decision: Optional[str] = None,
        search_risk: float = 0.0,
        bos: Optional[int] = None,
        eos: Optional[bool] = None,
        mean: Optional[bool] = None,
        lm_text: Optional[str] = None,
        encoder_score: Optional[str] = None,
        threads: Optional[int] = None,
        offline: bool = False,
        earlier_model: Optional[PathLike] = None,
        earlier_adapter: Optional[PathLike] = None,
    ) -> "Rescorer":
        """Loads a model; a named one is fetched when it is first asked for.

        Args:
            model: ``smollm2-135m``, ``gemma3-270m``, a ``.gguf`` file or a Hugging Face folder.
            policy: file that :meth:`tune` or the command ``rescorer tune`` wrote: weights, rule and convention. Without it and
                without ``lm_weight`` the policies of ``adapters`` decide; where there are none, the default policy.
            lm_weight: without a policy, the weight of the language model in
                ``total = first_pass + lm_weight * lm_score + length_bonus * words``.
            length_bonus: without a policy, the reward of a word, or whatever ``unit`` is; 0 if left out.
            margin: without a policy, the lead that another hypothesis needs over the first-pass best; 0 if left out.
            unit: without a policy, what the length bonus and the words of an answer are: ``word``, ``character`` (Chinese,
                Japanese, Thai) or ``mixed``; ``word`` if left out.
            adapter: folder with an adapter in the files of Hugging Face PEFT, for all lists. Left out, ``smollm2-135m`` has
                the built-in adapter ``speech``, unless ``lm_weight`` or a policy without it are given; ``"none"`` leaves it out.
            adapters: several of them by name; a list asks for one with its field ``adapter``. A ``policy.toml`` in a folder
                decides for the lists of its adapter. Lists that ask for none are answered with the adapter that ``policy`` was
                tuned with; without ``policy``, with the first.
            route_adapters: lists that name no adapter are routed to the one of ``adapters`` whose domain they seem to be of, or to
                none, by their first-pass best. Lists with the same field ``conversation`` lean to where the one before went.
            vocabulary: file of names and terms, one a line. Where words of a list sound like one, a hypothesis with the term joins
                the list. A list's own field ``vocabulary`` adds terms, and switches on classes, as ``["Haydn", "@contacts"]``.
            cascade_model: the model of the first stage, where the policy is for a cascade; the one that the policy names if left
                out. Once called ``earlier_model``.
            cascade_adapter: folder of its adapter. Once called ``earlier_adapter``.
            precision: ``auto`` (int8 on the CPU, f16 on a GPU), ``f32``, ``int8`` (on the CPU) or ``f16`` (on a GPU).
            device: ``auto``, ``cpu``, ``gpu`` or ``gpu:NUMBER``.
            decision: ``maximum``, ``mbr`` or ``merge``; the policy's if left out.
            search_risk: share of the answers that may differ from those of an exact search, 0 to 0.1, so that less is computed. It counts
                where the text alone is asked for, and for deadlines.
            bos: without a policy, the token that begins a sentence; the model's own if left out.
            eos: without a policy, whether the end of the sentence is scored; it is if left out.
            mean: without a policy, whether scores are divided by the number of tokens; they are not if left out. Such scores need
                ``lm_weight``: the default policy takes sums.
            lm_text: without a policy, what the model sees of a text: ``none`` (as it is), ``lower`` or ``sentence``.
            encoder_score: without a policy, how an encoder scores: ``pll``, ``pll-unmasked`` or ``head``; ``head`` where the
                adapter has one, else ``pll``, if left out.
            threads: threads of its own to compute with on the CPU; those that all models share if left out.
            offline: a model that is not there is an error.

        Raises:
            SettingsError: arguments that exclude each other, or are outside of their values.
            PolicyError, ModelError, AdapterError: what is not there, can't be loaded, or is for something else.
        """
        cascade_model = renamed("earlier_model", earlier_model, "cascade_model", cascade_model)
        cascade_adapter = renamed("earlier_adapter", earlier_adapter, "cascade_adapter", cascade_adapter)
        arguments = {name: value for name, value in locals().items() if name not in _NOT_KEPT}
        weights = {"lm_weight": lm_weight, "length_bonus": length_bonus, "margin": margin}
        convention = {"bos": bos, "eos": eos, "mean": mean, "lm_text": lm_text, "encoder_score": encoder_score}
        check_policy(policy, {**weights, "unit": unit, **convention})
        check_weights(lm_weight, length_bonus, margin)
        first = first_stage(policy, cascade_model, cascade_adapter)
        engine = _rescorer.Engine(
            _located(model, offline),
            name=os.fspath(model),
            policy=policy,
            lm_weight=lm_weight,
            length_bonus=length_bonus,
            margin=margin,
            unit=unit,
            adapters=named(adapter, adapters),
            route_adapters=route_adapters,
            vocabulary=vocabulary,
            cascade=None if first is None else (_located(first, offline), named(cascade_adapter, None)),
            precision=precision,
            device=device,
            decision=decision,
            search_risk=search_risk,
            bos=bos,
            eos=eos,
            mean=mean,
            lm_text=lm_text,
            encoder_score=encoder_score,
            threads=threads,
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

    def rescore(
        self,
        hypotheses: Any,
        scores: Optional[Iterable[float]] = None,
        *,
        text_only: bool = False,
        deadline: Optional[float] = None,
        pool: "Optional[AdapterPool]" = None,
    ) -> Result:
        """Rescores one list.

        Args:
            hypotheses: the list, see the class.
            scores: first-pass scores of a list of texts.
            text_only: only the text is wanted. Hypotheses that can't win are then not scored to their end, which is faster; the
                result has no confidences and no list.
            deadline: seconds to answer in, on the CPU and by the rule maximum. The result is the best that was found in time,
                without confidences and list; its ``completeness`` says how far that got.
            pool: where the adapter is that the list names; left out, among ``adapters``.

        Raises:
            InvalidList: the list can't be rescored; the message says why, and what helps.
            AdapterError: the list asks for an adapter that is not there.
            PolicyError: nothing decides.
            SettingsError: a deadline where there can't be one, or a pool of another rescorer.
        """
        return self._engine.rescore(hypotheses, scores, text_only, deadline, _adapters(pool))

    def rescore_many(
        self,
        lists: Iterable[Any],
        *,
        window: int = 64,
        return_exceptions: bool = False,
        text_only: bool = False,
        deadline: Optional[float] = None,
        pool: "Optional[AdapterPool]" = None,
    ) -> Iterator[Union[Result, Exception]]:
        """Rescores lists as they come, in their order: any number of them, of which a window is in memory.

        Args:
            lists: any iterable. What it raises comes out after the results of the lists before.
            window: lists that go through the model together. 1 answers each before the next one is read.
            return_exceptions: an :class:`InvalidList` takes the place of the result of a list that can't be rescored, an
                :class:`AdapterError` where it asks for an adapter that is not there, and the others follow; without it, it is
                raised.
            text_only: as for :meth:`rescore`, of all lists.
            deadline: as for :meth:`rescore`, for each list.
            pool: as for :meth:`rescore`.
        """
        return self._engine.rescore_many(
            lists, window, return_exceptions, "list", False, text_only, deadline, _adapters(pool)
        )

    def tune(
        self,
        lists: Iterable[Any],
        *,
        normalize: str = "none",
        unit: str = "word",
        rule: str = "maximum",
        fusion: str = "features",
        save: Optional[PathLike] = None,
    ) -> str:
        """Finds the policy of least word error rate, and gives its text.

        ``Rescorer.from_pretrained(model, policy=FILE)`` then decides by it.

        Args:
            lists: rows with the field ``reference``, what was said. All of them are in memory.
            normalize: what happens to texts before they are compared: ``none``, ``lower``, or another normalisation of
                ``rescorer tune``.
            unit: what errors, confidences and the length bonus count: ``word``, ``character`` or ``mixed``.
            rule: what the policy answers with: ``maximum``, ``mbr`` or ``merge``.
            fusion: what is fitted: weights of ``features``, near those of the default policy, or the three numbers of ``classic``
                fusion, which a cascade takes.
            save: file to write the policy to.

        Raises:
            InvalidList: a list that can't be scored, or has no reference.
            JobError: no lists, or no reference with a word.
            SettingsError: a value that an argument does not have; features where ``mean`` is set.
        """
        return self._engine.tune(lists, normalize, unit, rule, fusion, save)

    def score(self, texts: Iterable[str]) -> "np.ndarray":
        """Scores of the language model alone: float64, one for every text."""
        if isinstance(texts, (str, bytes)):
            raise TypeError("score() takes several texts; put the one into a list")
        return np.frombuffer(self._engine.score(texts), dtype=np.float64)

    def map_batch(
        self,
        batch: Any,
        *,
        prefix: str = "rescored_",
        window: int = 64,
        return_exceptions: bool = False,
        text_only: bool = False,
        deadline: Optional[float] = None,
        pool: "Optional[AdapterPool]" = None,
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
            text_only: as for :meth:`rescore`. ``confidence``, ``lm_scores`` and ``totals`` are left out.
            deadline: as for :meth:`rescore`, for each list. The same columns are left out.
            pool: as for :meth:`rescore`.
        """
        rows = _batch.rows(batch)
        results = self._engine.rescore_many(
            rows, window, return_exceptions, "row", True, text_only, deadline, _adapters(pool)
        )
        return _batch.columns(results, prefix, return_exceptions, scored=not text_only and deadline is None)

    def __reduce__(self) -> Any:
        """Other processes load it anew from the same arguments."""
        return _load, (self._arguments,)

    def __repr__(self) -> str:
        return f"<Rescorer {os.fspath(self._arguments['model'])} on {self.device}>"


def _adapters(pool: "Optional[AdapterPool]") -> "Optional[_rescorer.Pool]":
    return None if pool is None else pool._pool


def _load(arguments: Dict[str, Any]) -> Rescorer:
    return Rescorer.from_pretrained(**arguments)


def _located(model: PathLike, offline: bool) -> Path:
    """Path of a model, fetched where it is not there yet."""
    name = os.fspath(model)
    if not offline:
        for line in _rescorer.fetch_notice(name):
            _log.warning(line)
    return _rescorer.locate(name, offline, sys.executable or None)
