"""`python -m dify_async`: the same as the command `dify-async`."""

import sys

from dify_async.cli import main

if __name__ == "__main__":
    sys.exit(main())
