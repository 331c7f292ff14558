"""``python -m agent`` is ``vigie``."""

import sys

from agent.cli.main import main

sys.exit(main())
