"""Claims about what is read of a record: what few samples do not tell is not read."""

import numpy as np
import pytest

from eigendyn.fitting.groups import grouped, pooled, repelled
from eigendyn.fitting.micro_steps import micro_steps
from eigendyn.fitting.readings import read
from eigendyn.recording.record import record


def log(variance, **measures):
    times = np.arange(np.shape(variance)[1], dtype=float)
    return record({"variance": variance, **measures}, times, times, title="log")


def test_eigenvalues_closer_than_samples_tell_are_read_by_their_mean():
    seen = read(log([[1.0, 1.0], [0.98, 0.97], [0.1, 0.11]], samples=[400, 400]))
    groups = grouped(seen)
    assert groups[0].tolist() == [0, 0, 1]
    means = np.exp(pooled(groups, seen.log_variance))
    assert means[:, 0] == pytest.approx([0.99, 0.99, 0.1])


def test_far_eigenvalues_are_freed_of_what_they_push_each_other():
    rng, v, samples = np.random.default_rng(0), np.array([1.0, 0.5, 0.1]), 60
    drawn = np.sqrt(v)[:, None] * rng.normal(size=(20_000, 3, samples))
    values = np.linalg.eigvalsh(drawn @ drawn.transpose(0, 2, 1) / samples)[:, ::-1].mean(axis=0)
    seen = read(log(np.repeat(values[:, None], 2, axis=1), samples=[samples] * 2))
    apart = np.tile(np.arange(3), (2, 1))
    freed = np.exp(repelled(seen, apart))[:, 0]
    assert np.abs(freed / v - 1).max() < 0.35 * np.abs(values / v - 1).max()


def test_a_long_record_is_thinned_unless_a_mode_is_lost():
    variance = np.exp(np.arange(14.0).reshape(2, 7))
    seen = read(log(variance, learning_rate=np.full(7, 0.1)))
    assert seen.thinned(7).time.tolist() == list(range(7))
    few = seen.thinned(3)
    assert few.time.tolist() == [0, 3, 6]
    assert few.log_variance.tolist() == [[0, 3, 6], [7, 10, 13]]
    variance[1, [0, 3, 6]] = np.nan
    assert read(log(variance)).thinned(3).time.tolist() == list(range(7))


def test_micro_steps_add_up_to_the_times_of_the_record():
    seen = read(log(np.exp(np.array([[0.0, 1.0, 1.5, 1.6], [-3.0, -1.0, 0.5, 0.6]]))))
    found = micro_steps(seen, seen.seconds).steps
    at = np.flatnonzero(np.isfinite(found.errors).any(axis=1))
    assert np.cumsum(found.dt)[at] == pytest.approx(seen.time[1:])
    finer = micro_steps(seen, seen.seconds, finer=3).steps
    assert (finer.dt > 0).sum() == 3 * (found.dt > 0).sum()


def test_micro_steps_are_short_where_the_record_is_fast():
    x = np.array([[-2.0, 0.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]])
    seen = read(log(np.exp(np.repeat(x, 2, axis=0))))
    at = np.flatnonzero(np.isfinite(micro_steps(seen, seen.seconds).steps.errors).any(axis=1))
    taken = np.diff(at, prepend=-1)
    assert taken[0] == 8  # of 2 in ln v, a quarter in each
    assert (taken[1:] <= 2).all()


def test_the_logarithm_of_a_mean_is_freed_of_its_own_error_only():
    samples, times = 50, 1000
    drawn = np.random.default_rng(0).chisquare(samples, (4, times)) / samples
    error = np.sqrt(2 / samples)
    seen = read(log(drawn, variance_error=error * drawn, samples=[samples] * times))
    found = micro_steps(seen, np.full((2, 4, times), np.nan)).steps
    alone = np.isfinite(found.errors).sum(axis=1) == 1  # all four as one
    seen = found.read[alone][np.isfinite(found.errors[alone])]
    assert len(seen) > 700
    assert seen.mean() == pytest.approx(0, abs=4 * error / 2 / np.sqrt(len(seen)))


def test_a_variance_within_its_error_is_left_out():
    variance = np.full((2, 4), 0.5)
    error = np.full((2, 4), 0.01)
    error[1, 2] = 0.4
    seen = read(log(variance, variance_error=error))
    assert seen.left_out == 1
    assert np.isnan(seen.log_variance[1, 2])


def test_a_recording_of_which_nothing_is_read_is_passed_over():
    variance, error = np.full((2, 4), 0.5), np.full((2, 4), 0.01)
    error[:, 1] = 1.0
    seen = read(log(variance, variance_error=error))
    assert np.isfinite(micro_steps(seen, seen.seconds).steps.errors).sum() == 2
