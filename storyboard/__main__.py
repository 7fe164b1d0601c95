"""python -m storyboard."""

from storyboard.cli import main

main()
