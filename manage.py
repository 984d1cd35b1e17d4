#!/usr/bin/env python
"""Django's command line for cupadmin."""

from cupadmin.__main__ import main

if __name__ == "__main__":
    main()
