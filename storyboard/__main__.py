"""python -m storyboard."""

from storyboard.commands.cli import main

main()
