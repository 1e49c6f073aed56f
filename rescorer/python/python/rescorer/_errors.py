"""What can go wrong. Messages name the list or the file, and the remedy."""


class RescorerError(Exception):
    """Every error of this package."""


class InvalidList(RescorerError, ValueError):
    """A list that can't be rescored: no hypotheses, a score that is not finite, a type that is no list, a text longer than the
    model's context, an adapter that is not there."""


class ModelError(RescorerError):
    """A model that is not there, can't be loaded, or fails."""


class AdapterError(RescorerError, ValueError):
    """An adapter that can't be read, or is not for this model."""


class PolicyError(RescorerError, ValueError):
    """No weights, or a policy that can't be read or is not for this model or adapter."""


class ListWarning(UserWarning):
    """Something in the lists that is no error but worth a look: a number that is not used, scores that look like costs."""


for _error in (RescorerError, ListWarning, InvalidList, ModelError, AdapterError, PolicyError):
    # They are known, printed and pickled by the name that users write.
    _error.__module__ = "rescorer"
