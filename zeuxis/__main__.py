"""`python -m zeuxis` is the command `zeuxis`, of a copy that is not installed too."""

import sys

from zeuxis.cli import main

sys.exit(main())
