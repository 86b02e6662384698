"""The classifiers: what they learn from, that they repeat, how they are kept."""

import dataclasses
import random
import threading

import numpy as np
import pytest
import torch

from analysis import network
from analysis.classifier import fit_classifier, load_model, make_classifier, probabilities, train, training_run
from analysis.dataset import load_dataset
from analysis.network import EPOCHS_WITHOUT_VALIDATION, PATIENCE, OriginalClassifier, original_network
from quartzlens.errors import CollectionError, EncoderMismatchError, UsageError
from tests.analysis.made_up_collections import fingerprint_of, labelled_store

PRINT = fingerprint_of(16)


@pytest.fixture(scope="module")
def dataset():
    """Three categories, 5 channels of 3 videos each, overlapping a little."""
    return load_dataset(labelled_store(per_channel=3, apart=0.8), PRINT)


@pytest.fixture(scope="module")
def training(dataset):
    """One training of the original network."""
    return train(dataset, seed=3)


def test_the_network_is_the_original_one():
    """Linear(1024, 256), Tanh, Dropout(0.9), Linear(256, k): nothing more, nothing less."""
    linear, tanh, dropout, output = original_network(1024, 4)
    assert (linear.in_features, linear.out_features) == (1024, 256)
    assert isinstance(tanh, torch.nn.Tanh)
    assert (type(dropout), dropout.p) == (torch.nn.Dropout, 0.9)
    assert (output.in_features, output.out_features) == (256, 4)


def test_the_same_seed_gives_the_same_training_and_another_seed_another(dataset, training):
    """Repeating a training repeats its curve, metrics and weights to the last digit."""
    again = train(dataset, seed=3)
    assert again.history.equals(training.history)
    assert again.metrics == training.metrics
    for name, array in training.model.weights_.items():
        np.testing.assert_array_equal(array, again.model.weights_[name])
    other = train(dataset, seed=4)
    assert not np.array_equal(other.model.weights_["hidden.weight"], training.model.weights_["hidden.weight"])


def test_training_neither_uses_nor_moves_global_state(dataset, training):
    """Whatever was drawn before, the numbers are the same; and the next draws of others are as without a training."""
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002  # the global generator is what this is about
    random.seed(99)
    states = (torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate())  # noqa: NPY002
    threads = torch.get_num_threads()
    model = train(dataset, seed=3).model
    np.testing.assert_array_equal(model.weights_["output.weight"], training.model.weights_["output.weight"])
    after = (torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate())  # noqa: NPY002
    assert after == states
    assert torch.get_num_threads() == threads


def test_two_trainings_at_once_do_not_disturb_each_other(dataset, training):
    """A dashboard with two visitors trains the same as with one."""
    weights = {}

    def visit(seed: int) -> None:
        weights[seed] = train(dataset, seed=seed).model.weights_

    threads = [threading.Thread(target=visit, args=(seed,)) for seed in (3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(weights[3]["hidden.weight"], training.model.weights_["hidden.weight"])


def test_parts_of_a_training_share_no_channel(dataset, training):
    """To learn from, to stop by and to test on are three parts, and all videos are in one of them."""
    parts = training.metrics["parts"]
    assert sum(parts.values()) == len(dataset.ids)
    assert parts["test"] == training.metrics["n"] == training.confusion.sum()
    assert min(parts.values()) > 0
    model = OriginalClassifier(3, seed=1).fit(dataset.X, dataset.y, dataset.groups)
    assert not set(dataset.groups[model.validation_]) & set(dataset.groups[~model.validation_])


def test_scaling_comes_from_the_learning_part_alone(dataset):
    """Mean and spread are those of the rows that weights learn from, without the validation part."""
    model = OriginalClassifier(3, seed=1).fit(dataset.X, dataset.y, dataset.groups)
    learned = dataset.X[~model.validation_]
    np.testing.assert_allclose(model.weights_["scaler.mean"], learned.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(model.weights_["scaler.scale"], learned.std(axis=0), rtol=1e-4)


def test_the_weights_of_the_best_epoch_are_kept(dataset):
    """What predicts has the least validation loss of the curve, and the curve ends when patience runs out."""
    epochs = []
    model = OriginalClassifier(3, seed=1, on_epoch=epochs.append).fit(dataset.X, dataset.y, dataset.groups)
    losses = [epoch.valid_loss for epoch in epochs]
    spared = model.validation_
    chosen = model.predict_proba(dataset.X[spared])[np.arange(spared.sum()), dataset.y[spared]]
    assert -np.log(chosen).mean() == pytest.approx(min(losses), abs=1e-5)
    assert model.best_epoch_ == np.argmin(losses) + 1
    assert [epoch.epoch for epoch in epochs] == list(range(1, len(epochs) + 1))
    assert len(epochs) == network.MAX_EPOCHS or len(epochs) == model.best_epoch_ + PATIENCE
    assert epochs[model.best_epoch_ - 1].valid_accuracy == pytest.approx(
        (model.predict(dataset.X[spared]) == dataset.y[spared]).mean()
    )


def test_training_stops_early_where_there_is_nothing_to_learn(dataset):
    """On labels that mean nothing the validation loss soon rises, and training ends long before its last epoch."""
    shuffled = np.random.default_rng(0).permutation(dataset.y)
    model = OriginalClassifier(3, seed=0)
    epochs = []
    model.on_epoch = epochs.append
    model.fit(dataset.X, shuffled, dataset.groups)
    assert len(epochs) < network.MAX_EPOCHS


def test_without_a_group_to_spare_training_runs_a_fixed_number_of_epochs():
    """Two channels a category leave one to learn from: nothing is spared, and the curve has no validation loss."""
    data = load_dataset(labelled_store(channels=2, per_channel=3), PRINT)
    training = train(data)
    assert training.metrics["parts"]["validation"] == 0
    assert len(training.history) == training.metrics["best_epoch"] == EPOCHS_WITHOUT_VALIDATION
    assert training.history["valid_loss"].isna().all()
    assert training.history["valid_accuracy"].isna().all()


def test_an_estimator_without_groups_takes_each_video_for_its_own(dataset):
    """Used as any scikit-learn estimator it needs X and y only."""
    model = OriginalClassifier(3).fit(dataset.X, dataset.y)
    assert 0 < model.validation_.sum() < len(dataset.y)
    assert model.score(dataset.X, dataset.y) > 0.8


def test_categories_that_are_apart_are_told_apart():
    """Perfectly separated categories give accuracy 1 with either classifier."""
    data = load_dataset(labelled_store(apart=6.0), PRINT)
    for classifier in ("original", "logistic"):
        assert train(data, classifier=classifier).metrics["accuracy"]["value"] == 1.0


def test_ctrl_c_ends_a_training_instead_of_passing_for_its_end(dataset):
    """Skorch takes KeyboardInterrupt for an early stop; a stopped training must not give a model."""

    def stop(_epoch: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(dataset, on_epoch=stop)


def test_a_live_curve_hears_every_epoch(dataset, training):
    """The callback gets the rows of the history, in order."""
    heard = []
    history = train(dataset, seed=3, on_epoch=heard.append).history
    assert [dataclasses.astuple(epoch) for epoch in heard] == [tuple(row) for row in history.itertuples(index=False)]
    assert history.equals(training.history)


@pytest.mark.parametrize("classifier", ["original", "logistic"])
@pytest.mark.parametrize("categories", [("food", "travel"), ("food", "history", "travel")])
def test_a_model_read_back_from_its_run_says_the_same(classifier, categories):
    """Weights and scaling survive the store: probabilities of a model read back are those of the trained one."""
    data = load_dataset(labelled_store(categories, channels=3, per_channel=3, apart=0.8), PRINT)
    training = train(data, classifier=classifier)
    run = training_run(training, PRINT, seed=0, labels_seen=7)
    assert (run.kind, run.fingerprint_key, run.labels_seen) == ("train", PRINT.key, 7)
    assert run.settings["classifier"] == classifier
    model = load_model(run)
    assert model.categories == categories
    expected = training.model.predict_proba(data.X)
    np.testing.assert_allclose(model.predict_proba(data.X), expected, atol=1e-5)
    np.testing.assert_array_equal(model.predict(data.X), expected.argmax(axis=1))


def test_what_numpy_computes_is_what_the_network_computes(dataset, training):
    """Probabilities by the kept arrays equal torch's own, in evaluation mode."""
    weights = {name: torch.as_tensor(array) for name, array in training.model.weights_.items()}
    net = original_network(16, 3).eval()
    names = {"0.weight": "hidden.weight", "0.bias": "hidden.bias", "3.weight": "output.weight", "3.bias": "output.bias"}
    net.load_state_dict({own: weights[kept] for own, kept in names.items()})
    X = (torch.as_tensor(dataset.X) - weights["scaler.mean"]) / weights["scaler.scale"]
    with torch.inference_mode():
        expected = torch.softmax(net(X), dim=1).numpy()
    np.testing.assert_allclose(training.model.predict_proba(dataset.X), expected, atol=1e-5)


def test_embeddings_of_another_dimension_are_refused(training):
    """A model of another encoder answers with both dimensions instead of a broadcast error."""
    model = load_model(training_run(training, PRINT, 3, 0))
    with pytest.raises(EncoderMismatchError, match="dimension 16, these have 8"):
        model.predict_proba(np.zeros((1, 8), dtype=np.float32))


def test_a_run_without_a_usable_model_is_said(training):
    """No model, a damaged file, or weights of other categories: one sentence with what to do."""
    run = training_run(training, PRINT, 3, 0)
    for broken in (
        dataclasses.replace(run, files={}),
        dataclasses.replace(run, files={"model.safetensors": b"\x00" * 40}),
        dataclasses.replace(run, results={**run.results, "categories": ["food"]}),
    ):
        with pytest.raises(CollectionError, match=r"Train again: quartzlens train\."):
            load_model(broken)


def test_a_category_missing_from_the_training_part_gets_probability_0(dataset):
    """Probabilities keep a column for every category, whatever a fold's model has seen."""
    seen = dataset.y != 1
    model = make_classifier("logistic", 3, seed=0)
    fit_classifier(model, dataset.X[seen], dataset.y[seen], dataset.groups[seen])
    P = probabilities(model, dataset.X, 3)
    assert P.shape == (45, 3)
    assert (P[:, 1] == 0).all()
    np.testing.assert_allclose(P.sum(axis=1), 1, atol=1e-6)


def test_an_unknown_classifier_is_a_wrong_usage():
    """The message names those that there are."""
    with pytest.raises(UsageError, match="'forest'.*original, logistic"):
        make_classifier("forest", 3, 0)


def test_a_training_of_neighbours_keeps_figures_and_no_weights(dataset):
    """Neighbours are no weights: the run has no model, and says so when it is asked for one."""
    run = training_run(train(dataset, classifier="knn"), PRINT, 0, 0)
    assert list(run.files) == ["history.parquet"]
    with pytest.raises(CollectionError, match="has kept no model"):
        load_model(run)
