"""``python -m quartzlens``."""

from quartzlens.cli import main

main()
