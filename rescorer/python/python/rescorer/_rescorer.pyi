from os import PathLike
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, Union, final

import numpy as np
from numpy.typing import NDArray

__version__: str

def set_threads(threads: int) -> None:
    """Sets the number of threads that all models of this process compute with on the CPU.

    Call it once, before the first model is loaded; without it there are as many as cores, or as ``RAYON_NUM_THREADS`` says.
    """

def fetch_notice(model: str) -> List[str]: ...
def locate(model: str, offline: bool, python: Optional[str]) -> Path: ...
def cascade(policy: Union[str, PathLike[str]]) -> Optional[Tuple[str, Optional[str]]]: ...
@final
class Completeness:
    """How many hypotheses of a list were looked at."""

    @property
    def decided(self) -> int:
        """Distinct hypotheses that were scored, or could not win any more."""

    @property
    def unique(self) -> int:
        """Distinct hypotheses of the list."""

    @property
    def complete(self) -> bool:
        """Whether more time would not have changed the answer."""

@final
class Hypothesis:
    """A distinct hypothesis with its scores."""

    @property
    def text(self) -> str:
        """The text as it came in."""

    @property
    def position(self) -> int:
        """Position in the list, from 0; of texts that repeat the first."""

    @property
    def first_pass(self) -> float:
        """First-pass score; of texts that repeat the best."""

    @property
    def lm_score(self) -> Optional[float]:
        """Language-model score: the sum of ln p of its tokens. None where the model was not asked: the list has one text, or
        ``lm_weight`` is 0."""

    @property
    def total(self) -> Optional[float]:
        """``first_pass + lm_weight * lm_score + length_bonus * words``. None where it would need a score that was not computed."""

    @property
    def confidence(self) -> float:
        """Probability that it has no error, where the policy can tell, else its share of the posterior."""

@final
class Result:
    """The answer for one list."""

    @property
    def utterance(self) -> str:
        """The id of the list; its place where it stated none."""

    @property
    def text(self) -> str:
        """The better text."""

    @property
    def position(self) -> int:
        """Position in the list of the hypothesis that was chosen, or voted on."""

    @property
    def merged(self) -> bool:
        """Whether words of several hypotheses were merged into the text, which then stands nowhere in the list."""

    @property
    def terms(self) -> List[Dict[str, Any]]:
        """Terms of a vocabulary that were put into the text: dicts of ``term``, ``start`` and ``end`` (words of the text, from 0),
        ``replaced`` and ``distance`` in sound."""

    @property
    def completeness(self) -> Completeness:
        """How many hypotheses were looked at: all, unless a deadline came first."""

    @property
    def adapter(self) -> Optional[str]:
        """Name of the adapter that took part."""
    @property
    def routed(self) -> Optional[float]:
        """Probability that the list is for ``adapter``, or for none, where it was routed; None where it was not."""

    @property
    def policy(self) -> Optional[str]:
        """The file of the policy that decided, or ``default, version N``; None for weights given by hand."""

    @property
    def lm_score(self) -> Optional[float]:
        """Language-model score of the chosen hypothesis. None where the model was not asked, or there was no time."""

    @property
    def total(self) -> Optional[float]:
        """Fused score of the chosen hypothesis. None where it would need a score that was not computed."""

    @property
    def changed(self) -> bool:
        """Whether the text is another than that of the first-pass best."""

    @property
    def confidence(self) -> float:
        """Probability that the text has no error, where the policy can tell, else its share of the posterior. NaN where the text alone
        was asked for, and where there was a deadline."""

    @property
    def reference(self) -> Optional[str]:
        """What was said, where the row knew it."""

    @property
    def words(self) -> List[Tuple[str, float]]:
        """The words of the text, each with its confidence."""

    @property
    def hypotheses(self) -> List[Hypothesis]:
        """The distinct hypotheses, best first."""

    @property
    def lm_scores(self) -> NDArray[np.float64]:
        """Language-model scores, one for every hypothesis in the order of the list; NaN where the model was not asked."""

    @property
    def first_pass(self) -> NDArray[np.float64]:
        """First-pass scores, in the same order; of texts that repeat the best."""

    @property
    def totals(self) -> NDArray[np.float64]:
        """Fused scores, in the same order; NaN where they would need a score that was not computed."""

    def to_dict(self) -> Dict[str, Any]:
        """The fields that ``rescorer rescore --json --nbest`` writes."""

@final
class Engine:
    warnings: List[str]
    device: str
    fingerprint: str
    def __new__(
        cls,
        path: Union[str, PathLike[str]],
        *,
        name: str,
        policy: Optional[Union[str, PathLike[str]]],
        lm_weight: Optional[float],
        length_bonus: Optional[float],
        margin: Optional[float],
        unit: Optional[str],
        adapters: Sequence[Tuple[str, str]],
        route_adapters: bool,
        vocabulary: Optional[Union[str, PathLike[str]]],
        cascade: Optional[Tuple[Path, Sequence[Tuple[str, str]]]],
        precision: str,
        device: str,
        decision: Optional[str],
        search_risk: float,
        bos: Optional[int],
        eos: Optional[bool],
        mean: Optional[bool],
        lm_text: Optional[str],
        encoder_score: Optional[str],
        threads: Optional[int],
    ) -> Engine: ...
    def rescore(
        self,
        list: Any,
        scores: Optional[Iterable[float]] = None,
        text_only: bool = False,
        deadline: Optional[float] = None,
        pool: Optional[Pool] = None,
        name: str = "list:0",
    ) -> Result: ...
    def rescore_many(
        self,
        lists: Iterable[Any],
        window: int,
        return_exceptions: bool,
        prefix: str,
        batch: bool,
        text_only: bool = False,
        deadline: Optional[float] = None,
        pool: Optional[Pool] = None,
    ) -> Answers: ...
    def tune(
        self,
        lists: Iterable[Any],
        normalize: str,
        unit: str,
        rule: str,
        fusion: str,
        save: Optional[Union[str, PathLike[str]]],
    ) -> str: ...
    def score(self, texts: Iterable[str]) -> bytearray: ...

@final
class Answers(Iterator[Any]):
    def __next__(self) -> Any: ...

@final
class Pool:
    def __new__(cls, engine: Engine, max_bytes: int, loaders: int) -> Pool: ...
    def register(self, name: str, folder: str) -> Dict[str, Any]: ...
    def remove(self, name: str) -> bool: ...
    def pin(self, name: str, is_pinned: bool) -> bool: ...
    def load(self, name: str) -> None: ...
    def adapter(self, name: str) -> Optional[Dict[str, Any]]: ...
    def all(self) -> List[Dict[str, Any]]: ...
    def stats(self) -> Dict[str, int]: ...
