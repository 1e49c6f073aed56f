"""Arguments of ``Rescorer.from_pretrained``: what they exclude, and what the library is given for them."""

import math
import os
import warnings
from os import PathLike as _PathLike
from typing import List, Mapping, Optional, Tuple, Union

from . import _rescorer
from ._errors import SettingsError

PathLike = Union[str, "_PathLike[str]"]


def renamed(old: str, value: Optional[PathLike], new: str, given: Optional[PathLike]) -> Optional[PathLike]:
    """The value of an argument that may have come by its old name."""
    if value is None:
        return given
    warnings.warn(f"{old} is called {new} now; the old name will go", DeprecationWarning, stacklevel=3)
    if given is not None:
        raise SettingsError(f"{old} is the old name of {new}; give {new} alone")
    return value


def check_policy(policy: Optional[PathLike], stated: Mapping[str, object]) -> None:
    """Refuses what a policy states, beside one."""
    given = [name for name, value in stated.items() if value is not None]
    if policy is not None and given:
        raise SettingsError(f"{given[0]} can't be combined with a policy, which states it; leave one of them out")


def check_weights(lm_weight: Optional[float], length_bonus: Optional[float], margin: Optional[float]) -> None:
    """Refuses weights that are no weights."""
    weights = {"lm_weight": lm_weight, "length_bonus": length_bonus, "margin": margin}
    for name, value in weights.items():
        if value is not None and not math.isfinite(value):
            raise SettingsError(f"{name}={value}: give a finite number")
        if value is not None and lm_weight is None:
            raise SettingsError(f"{name}={value}: give lm_weight too, or a policy in place of both")
    if margin is not None and margin < 0:
        raise SettingsError(f"margin={margin}: give 0 or more")


def first_stage(policy: Optional[PathLike], model: Optional[PathLike], adapter: Optional[PathLike]) -> Optional[PathLike]:
    """The model of the first stage, where the policy is for a cascade."""
    wanted = None if policy is None else _rescorer.cascade(policy)
    if wanted is None:
        given = [name for name, value in (("cascade_model", model), ("cascade_adapter", adapter)) if value is not None]
        if given:
            raise SettingsError(f"{given[0]}: no policy asks another rescorer first; leave it out")
        return None
    name, wanted_adapter = wanted
    if wanted_adapter is not None and adapter is None:
        raise SettingsError(f"the policy asks the adapter {wanted_adapter} first; give its folder as cascade_adapter")
    return name if model is None else model


def named(adapter: Optional[PathLike], adapters: Optional[Mapping[str, PathLike]]) -> List[Tuple[str, str]]:
    """Names and folders of the adapters."""
    if adapter is not None and adapters is not None:
        raise SettingsError("give adapter, or adapters with their names, not both")
    if adapter is not None:
        folder = os.fspath(adapter)
        return [(os.path.basename(os.path.normpath(folder)), folder)]
    return [(name, os.fspath(folder)) for name, folder in (adapters or {}).items()]
