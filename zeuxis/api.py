"""The words under one name, `from zeuxis import api`: the same functions as `zeuxis.train` and the others."""

from zeuxis import *  # noqa: F403
from zeuxis import __all__ as __all__
