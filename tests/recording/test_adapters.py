"""Claims about adapters: what frameworks train is what is recorded."""

import importlib
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from exported import import_torch

import eigendyn
from eigendyn.errors import InvalidSetting, NotInstalled
from eigendyn.recording import hook, lightning_callback, observe_in_jax

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(40, 32, 6))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.nc"


def reference(path, pairs, **told):
    log = eigendyn.SpectrumLog(path.with_name("reference.nc"), every=10, samples=64, force=True)
    for step, pair in enumerate(pairs):
        log.observe(*pair, step=step, **{name: of(step) for name, of in told.items()})
    return log.record


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", "float64"])
def test_tensors_are_read_whatever_their_precision(path, dtype):
    torch = import_torch()
    tensor = torch.tensor(INPUTS[0], dtype=getattr(torch, dtype), requires_grad=True)
    log = eigendyn.SpectrumLog(path, samples=32)
    log.observe(tensor * 1, tensor[:, :] * 2)
    z = tensor.detach().double().numpy()
    assert np.isclose(log.record["total_variance"], np.cov(z.T).trace(), rtol=1e-12)
    assert np.isclose(log.record["mean_shared"], 2 * (z.mean(axis=0) ** 2).sum(), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_arrays_of_jax_are_read_whatever_their_precision(path, dtype):
    array = jnp.asarray(INPUTS[0], dtype)
    log = eigendyn.SpectrumLog(path, samples=32)
    log.observe(array, array)
    z = np.asarray(array.astype(jnp.float64))
    assert np.isclose(log.record["total_variance"], np.cov(z.T).trace(), rtol=1e-12)


def network(torch):
    torch.manual_seed(0)
    encoder = torch.nn.Sequential(torch.nn.Linear(6, 4, bias=False), torch.nn.Identity())
    return encoder, torch.nn.Linear(4, 4, bias=False)


@pytest.mark.parametrize("chunks", [1, 2])
def test_a_hook_records_both_views_with_rate_and_predictor(path, chunks):
    torch = import_torch()
    encoder, predictor = network(torch)
    optimizer = torch.optim.SGD(encoder.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    log = eigendyn.SpectrumLog(path, every=10, samples=64)
    handle = hook(encoder, log, chunks=chunks, optimizer=optimizer, predictor=predictor)
    pairs = []
    for x in torch.tensor(INPUTS, dtype=torch.float32):
        encoder.train()
        both = torch.cat([x, x + 0.1])
        z = encoder(both) if chunks == 2 else torch.cat([encoder(x), encoder(x + 0.1)])
        pairs.append([part.detach().numpy() for part in z.chunk(2)])
        z.square().mean().backward()
        optimizer.step()
        schedule.step()
        encoder.eval()
        encoder(both)  # as where it is evaluated
    weights = predictor.weight.T.detach().numpy()
    found = reference(
        path, pairs, learning_rate=lambda step: 0.1 * 0.9**step, predictor=lambda _: weights
    )
    assert np.allclose(log.record["variance"], found["variance"], rtol=1e-6)
    assert np.allclose(log.record["commutator"], found["commutator"], rtol=1e-5)
    assert np.allclose(log.record["time"], found["time"], rtol=1e-6)
    handle.remove()
    encoder.train()
    encoder(both)
    assert log.recordings == found.sizes["time"]


@pytest.mark.parametrize(("module", "chunks"), [("encoder", 1), (None, 3)])
def test_a_hook_needs_a_module_and_one_view_or_two(path, module, chunks):
    module = module or import_torch().nn.Identity()
    with pytest.raises(InvalidSetting):
        hook(module, eigendyn.SpectrumLog(path), chunks=chunks)


def test_batches_are_logged_from_inside_of_a_compiled_loop(path):
    log = eigendyn.SpectrumLog(path, every=10, samples=64)
    x = jnp.asarray(INPUTS)

    @jax.jit
    def train(x):
        def step(count, z):
            observe_in_jax(log, z, z + 0.1, step=count, learning_rate=0.5, loss=count * 1.0)
            return count + 1, None

        return jax.lax.scan(step, 0, x)

    train(x)
    jax.effects_barrier()
    pairs = [(z, z + 0.1) for z in INPUTS]
    told = {"learning_rate": lambda _: 0.5, "loss": float}
    found = reference(path, pairs, **told)
    assert np.allclose(log.record["variance"], found["variance"], rtol=1e-10)
    assert np.array_equal(log.record["loss"], found["loss"])


def test_outside_of_a_compiled_loop_it_is_the_same(path):
    log = eigendyn.SpectrumLog(path, every=10, samples=32)
    observe_in_jax(log, jnp.asarray(INPUTS[0]), jnp.asarray(INPUTS[0]))
    jax.effects_barrier()
    assert log.recordings == 1


def test_a_log_inside_of_jit_says_how_it_is_called_there(path):
    log = eigendyn.SpectrumLog(path)
    with pytest.raises(InvalidSetting, match="observe_in_jax"):
        jax.jit(lambda z: log.observe(z, z))(jnp.ones((4, 4)))


@pytest.fixture
def lightning():
    return import_torch("lightning.pytorch")


def fitted(lightning, folder, steps, outputs, ckpt=None, **given):
    """Train a linear network of Lightning; its record, its metrics, and what it put out."""
    torch = importlib.import_module("torch")
    seen = []

    class Model(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.encoder, self.predictor = network(torch)

        def training_step(self, batch, _):
            z1, z2 = self.encoder(batch[0]), self.encoder(batch[0] + 0.1)
            seen.append([z1.detach().numpy(), z2.detach().numpy()])
            return {
                "loss": (self.predictor(z1) - z2.detach()).square().mean(),
                **outputs(torch.cat, z1, z2),
            }

        def configure_optimizers(self):
            optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
            schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
            return [optimizer], [{"scheduler": schedule, "interval": "step"}]

    callback = lightning_callback(name="spectrum", queue_length=64, every=10, **given)
    trainer = lightning.Trainer(
        max_steps=steps,
        callbacks=[callback],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        accelerator="cpu",
        default_root_dir=folder,
    )
    data = torch.utils.data.TensorDataset(torch.tensor(INPUTS.reshape(-1, 6), dtype=torch.float32))
    trainer.fit(Model(), torch.utils.data.DataLoader(data, batch_size=32), ckpt_path=ckpt)
    trainer.save_checkpoint(folder / "last.ckpt")
    return callback.spectrum.record, trainer.callback_metrics, seen


RETURNED = {  # what training_step returns beside the loss, for which target
    "one below the other": (lambda join, z1, z2: {"embedding": join([z1, z2])}, "embedding"),
    "a pair": (lambda _, z1, z2: {"embedding": (z1, z2)}, "embedding"),
    "two keys": (lambda _, z1, z2: {"z1": z1, "z2": z2}, ("z1", "z2")),
}


@pytest.mark.filterwarnings("ignore")  # of what Lightning says of its own
@pytest.mark.parametrize("kind", RETURNED)
def test_lightning_logs_the_views_with_the_rate_of_the_step_that_they_are_before(
    lightning, tmp_path, kind
):
    make, target = RETURNED[kind]
    record, metrics, seen = fitted(lightning, tmp_path, 25, make, target=target, target_shape=(4,))
    found = reference(tmp_path / "run.nc", seen, learning_rate=lambda step: 0.1 * 0.9**step)
    assert (tmp_path / "spectrum.nc").is_file()
    assert np.array_equal(record["step"], found["step"])
    assert np.allclose(record["variance"], found["variance"], rtol=1e-6)
    assert np.allclose(record["time"], found["time"], rtol=1e-6)
    rank = found["rankme_of_uncentred_singular_values"][-1]
    assert np.isclose(metrics["spectrum"].item(), rank, rtol=1e-5)
    assert np.isclose(metrics["spectrum/loss"].item(), record["loss"][-1], rtol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_lightning_goes_on_with_the_record_of_a_checkpoint(lightning, tmp_path):
    make, target = RETURNED["a pair"]
    fitted(lightning, tmp_path, 15, make, target=target)
    with pytest.raises(eigendyn.EigendynError, match="exists"):
        fitted(lightning, tmp_path, 15, make, target=target)
    record, *_ = fitted(lightning, tmp_path, 35, make, target=target, ckpt=tmp_path / "last.ckpt")
    steps = record["step"].values.tolist()
    assert steps == sorted({*steps, 1, 10, 20, 30})
    assert np.isclose(record["time"].sel(time=record["step"] == 30), 1 - 0.9**30, rtol=0.01)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"target": "projections"}, "none of embedding, loss"),
        ({"target": "embedding", "target_shape": 7}, "`target_shape` is 7"),
        ({"target": "embedding", "predictor": "head"}, "'head' is none"),
    ],
)
def test_a_target_that_is_not_there_is_refused(lightning, tmp_path, given, said):
    with pytest.raises(InvalidSetting, match=said):
        fitted(lightning, tmp_path, 3, RETURNED["a pair"][0], **given)


def test_without_lightning_a_sentence_says_what_to_install(monkeypatch):
    from eigendyn.recording.adapters import in_lightning

    monkeypatch.setattr(in_lightning, "find_spec", lambda _: None)
    for name in ("lightning", "pytorch_lightning"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(NotInstalled, match="pip install lightning"):
        lightning_callback(name="x", target="embedding")


def test_a_hook_that_cannot_record_is_refused_in_a_sentence(tmp_path):
    torch = import_torch()
    with pytest.raises(InvalidSetting, match="log must be a SpectrumLog"):
        hook(torch.nn.Identity(), "run.nc")
    pair = torch.nn.LSTM(2, 2)  # puts out a tensor and its state
    hook(pair, eigendyn.SpectrumLog(tmp_path / "run.nc"))
    with pytest.raises(InvalidSetting, match="one tensor"):
        pair(torch.ones(4, 2))
