"""What every training shares, and the training of identity adapters for any family of models."""
