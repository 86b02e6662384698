"""The recipe of the demo checkpoint: generated speech, training with CTC, report."""
