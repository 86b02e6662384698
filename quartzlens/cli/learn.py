"""``quartzlens train``: one training, kept with its weights."""

from quartzlens.cli import evaluate_text
from quartzlens.cli.common import CollectionOption, JsonOption, fingerprint_of, show_json
from quartzlens.cli.evaluate import SeedOption
from quartzlens.cli.evaluating import open_writable


def train(
    collection: CollectionOption = None,
    seed: SeedOption = 0,
    json_: JsonOption = False,
) -> None:
    """Train the original classifier on a collection and keep it; its figures are those of videos held out.

    Example: quartzlens train -c my-collection --seed 0
    """
    from analysis.classifier import train as train_classifier
    from analysis.classifier import training_run
    from analysis.dataset import load_dataset

    with open_writable(collection) as opened:
        fingerprint = fingerprint_of(opened)
        labels_seen = opened.store.info().labels
        training = train_classifier(load_dataset(opened.store, fingerprint), seed=seed)
        run = training_run(training, fingerprint, seed, labels_seen)
        opened.store.add_run(run)
    show_json({**training.metrics, "run": run.id}) if json_ else evaluate_text.show(training.metrics, run.id)
