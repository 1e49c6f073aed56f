"""What can go wrong. Messages name the list or the file, and the remedy.

There is a class for every kind of error of the library, as there is a status in C.
"""

from typing import Optional


class RescorerError(Exception):
    """Every error of this package."""

    kind: Optional[str] = None
    """What it is about, for programs: ``list``, ``model``, ``adapter``, ``policy``, ``settings`` or ``job``."""

    remedy: Optional[str] = None
    """What helps, for programs, as ``skip_invalid`` or ``cpu``; None where the message alone says it."""


class InvalidList(RescorerError, ValueError):
    """A list that can't be rescored: no hypotheses, a score that is not finite, a type that is no list, a text longer than the
    model's context."""

    kind = "list"


class ModelError(RescorerError):
    """A model that is not there, can't be loaded, or fails."""

    kind = "model"


class AdapterError(RescorerError, ValueError):
    """An adapter that can't be read, is not for this model, or is asked for and not there."""

    kind = "adapter"


class PolicyError(RescorerError, ValueError):
    """No policy and no weights for scores that are means, or a policy that can't be read or is not for this model or adapter."""

    kind = "policy"


class SettingsError(RescorerError, ValueError):
    """An argument outside of its values, or arguments that exclude each other or don't fit the model or the policy."""

    kind = "settings"


class JobError(RescorerError):
    """A policy that can't be tuned: no list, or no reference with a word."""

    kind = "job"


class ListWarning(UserWarning):
    """Something in the lists that is no error but worth a look: a number that is not used, scores that look like costs."""


for _error in (RescorerError, ListWarning, InvalidList, ModelError, AdapterError, PolicyError, SettingsError, JobError):
    # They are known, printed and pickled by the name that users write.
    _error.__module__ = "rescorer"
