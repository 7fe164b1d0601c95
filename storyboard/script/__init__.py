"""From the text of a script to a checked Script: both readers, Markdown and Fountain, and the words that they know."""
