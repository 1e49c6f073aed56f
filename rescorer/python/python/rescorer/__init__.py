"""A second pass for speech recognition.

A recogniser hands over its N-best list, a small language model looks at every hypothesis, and the better one comes out::

    import rescorer

    second_pass = rescorer.Rescorer.from_pretrained("smollm2-135m")
    result = second_pass.rescore(["please right it down", "please write it down"], scores=[-4.1, -4.3])
    print(result.text, result.lm_scores)

Without a policy the default one answers. ``second_pass.tune(lists)``, or the command ``rescorer tune``, makes one on lists with
references.
"""

from ._client import Client, ServerAnswer, ServerBusy
from ._errors import (
    AdapterError,
    InvalidList,
    JobError,
    ListWarning,
    ModelError,
    PolicyError,
    RescorerError,
    SettingsError,
)
from ._pool import AdapterPool
from ._rescorer import Completeness, Hypothesis, Result, __version__, set_threads
from ._second_pass import Rescorer

__all__ = [
    "AdapterError",
    "AdapterPool",
    "Client",
    "Completeness",
    "Hypothesis",
    "InvalidList",
    "JobError",
    "ListWarning",
    "ModelError",
    "PolicyError",
    "Rescorer",
    "RescorerError",
    "Result",
    "ServerAnswer",
    "ServerBusy",
    "SettingsError",
    "__version__",
    "set_threads",
]
