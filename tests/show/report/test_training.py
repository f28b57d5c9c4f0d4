"""Claims about what is said of a training."""

import json

import numpy as np
import pytest
from scipy.stats import ttest_1samp
from trained import trained

from eigendyn.show.report.mean import Mean
from eigendyn.show.report.training import epochs_to_gain, recruited, summary, table
from eigendyn.training.result import _COLUMNS as COLUMNS


def test_a_mean_is_written_to_the_first_digit_of_its_standard_error():
    assert Mean.of(np.array([97.0, 98.0, 99.0])).told() == "98.0 ± 0.6"
    assert Mean.of(np.array([0.9812, 0.9798])).told(0.01) == "98.05 ± 0.07"
    assert Mean.of(np.array([30.0, 90.0])).told() == "60 ± 30"
    assert Mean.of(np.array([4.0, 4.0])).told() == "4 ± 0"
    assert Mean.of(np.array([0.5])).told() == "0.5"
    assert Mean.of(np.array([np.nan])).told() == "–"


def test_a_mean_is_told_from_zero_by_students_t():
    values = np.array([0.1, 0.5, 0.9, 0.3, 0.2])
    chance = ttest_1samp(values, 0).pvalue / 2  # 0.024: 2.78 standard errors, of five seeds
    assert 0.02 < chance < 0.025
    assert Mean.of(values).sign == 1
    assert Mean.of(-values).sign == -1
    assert Mean.of(values - 0.01).sign == 0  # 2.7 standard errors
    assert Mean.of(np.array([0.1, 0.2])).sign == 0
    assert Mean.of(np.array([0.1])).sign == 1


def test_ninety_percent_of_the_gain_is_counted_from_the_untrained_encoder():
    line = np.array([[0.5, 0.7, 0.9, 1.0], [0.9, 0.9, 0.9, 0.8]])
    epochs = np.array([0.0, 10, 20, 40])
    found = epochs_to_gain(line, epochs)
    assert found[0] == pytest.approx(30)  # 0.95, half way between 0.9 and 1.0
    assert np.isnan(found[1])  # it gained nothing


def test_readouts_are_told_at_a_tenth_at_three_tenths_and_at_the_end():
    dataset = trained(seeds=5)
    at = summary(dataset)["readout"]["linear"]["at"]
    assert [one["epoch"] for one in at] == [10, 30, 100]
    for one in at:
        values = dataset["linear_accuracy"].sel(time=dataset["epoch"] == one["epoch"]).values[:, 0]
        assert one["mean"] == pytest.approx(values.mean())
        assert one["error"] == pytest.approx(values.std(ddof=1) / np.sqrt(5))
    shown = table(dataset)
    assert "10% (epoch 10)" in shown
    assert "raw pixels" in shown
    assert "untrained" in shown


def test_learning_is_claimed_only_above_raw_pixels_and_the_untrained_encoder():
    dataset = trained()
    found = summary(dataset)["readout"]
    assert found["linear"]["learned"]
    assert found["knn"]["not_above"] == ["raw pixels"]
    shown = table(dataset)
    assert "yes, by the linear readout" in shown
    assert "no, by the k-NN readout: 97.1% is not above raw pixels" in shown


def test_a_difference_that_may_be_chance_is_no_claim():
    dataset = trained(seeds=5)
    dataset["linear_accuracy"][:, -1] = [0.95, 0.99, 0.98, 0.96, 0.97]  # 0.97 in the mean
    assert summary(dataset)["readout"]["linear"]["not_above"] == ["raw pixels"]


def test_an_encoder_that_lost_what_its_random_weights_could_read_has_not_learned():
    dataset = trained()
    dataset["linear_accuracy"][:, 0] = 0.99
    assert summary(dataset)["readout"]["linear"]["not_above"] == ["the untrained encoder"]


def test_recruited_modes_rose_to_half_of_the_largest():
    np.testing.assert_array_equal(recruited(trained(modes=6)), [3, 3, 3])  # beside the largest
    assert np.isnan(recruited(trained(diverged=(1,)))[1])


def test_a_diverged_seed_leaves_the_means_of_the_others_and_is_named():
    dataset = trained(seeds=3, diverged=(1,))
    found = summary(dataset)
    assert found["readout"]["linear"]["at"][-1]["seeds"] == 2
    assert found["status"] == ["completed", "diverged", "completed"]
    shown = table(dataset)
    assert "1 of 3 seeds diverged, at epoch 10" in shown
    assert "seed 1, epoch 6: The representation collapses" in shown


def test_without_labels_there_is_no_readout_and_that_is_said():
    dataset = trained(labels=False)
    assert summary(dataset)["readout"] == {}
    assert "the images have no labels" in table(dataset)


@pytest.mark.parametrize("options", [{}, {"seeds": 1}, {"diverged": (0, 1, 2)}])
def test_a_summary_is_json_whatever_is_not_known(options):
    json.dumps(summary(trained(**options)), allow_nan=False)
    assert table(trained(**options))


def test_what_the_forecast_explained_is_a_mean_over_seeds():
    dataset = trained(seeds=3)
    assert "from epoch 2 on the theory explains 0.85 ± 0.03 of the change" in table(dataset)
    found = summary(dataset)["forecast"]
    assert (found["epoch"], found["explained"]["seeds"]) == (2, 3)
    assert "forecast" not in table(dataset.drop_vars("forecast_explained"))


def test_a_forecast_that_failed_says_why():
    dataset = trained(seeds=2)
    dataset["forecast_status"][1] = "diverged"
    assert "; not known of some seeds: diverged" in table(dataset)
    dataset["forecast_explained"][:] = np.nan
    assert "forecast  not known of some seeds: diverged" in table(dataset)
    dataset["forecast_status"][:] = "none"
    assert "none: nothing was measured after a tenth" in table(dataset)


def test_the_training_of_these_tests_has_the_layout_of_a_real_one():
    made = trained()
    for name, (axes, *_) in COLUMNS.items():
        assert made[name].dims == axes, name
