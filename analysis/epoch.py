"""What a training tells while it runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training part, numbered from 1; losses are mean cross entropy in nats.

    ``valid_loss`` and ``valid_accuracy`` (0..1) are None where no group could be spared for a validation part.
    """

    epoch: int
    train_loss: float
    valid_loss: float | None
    valid_accuracy: float | None
