"""PyTorch's weights, exported programs and modules, with the real library where it is installed."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pytest

from mltestscore.errors import InputError
from mltestscore.inputs.model import as_model, load_model
from mltestscore.numerics.parameters import not_finite
from tests.inputs.models import cases
from tests.inputs.models.cases import FEATURES, HOLDOUT, LABELS, TRAINING

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'mltestscore[models-heavy]'")

PROGRAM = '''
import torch


class Net(torch.nn.Module):
    """Three columns in, products of them inside."""

    def __init__(self, task="binary"):
        super().__init__()
        self.task = task
        self.register_buffer("scale", torch.tensor([2.0, 20.0, 200.0]))
        self.register_buffer("mask", torch.tensor([-float("inf"), 0.0]))
        self.hidden = torch.nn.Linear(9, 16)
        self.last = torch.nn.Linear(16, 3 if task == "multiclass" else 1)

    def forward(self, rows):
        rows = torch.nan_to_num(rows) / self.scale
        products = rows.unsqueeze(1) * rows.unsqueeze(2)
        inner = torch.cat([rows, products[:, 0], products[:, 1:, 2], products[:, 1:2, 1]], dim=1)
        raw = self.last(torch.tanh(self.hidden(inner)))
        if self.task == "regression":
            return raw
        return torch.sigmoid(raw) if self.task == "binary" else torch.softmax(raw, dim=1)


def net():
    return Net()


def multiclass():
    return Net("multiclass")


def regression():
    return Net("regression")


def other():
    return torch.nn.Linear(3, 1)


def number():
    return 3


def broken():
    raise ValueError("no width given")
'''
NAMES = {"binary": "net", "multiclass": "multiclass", "regression": "regression"}
FACTORIES = {task: f"nets_of_tests:{name}" for task, name in NAMES.items()}


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Threads that wait for each other cost more than these nets."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project whose module makes the nets."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "nets_of_tests.py").write_text(PROGRAM)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    sys.modules.pop("nets_of_tests", None)


@pytest.fixture(scope="module")
def train(project):
    import nets_of_tests

    def train(task="binary"):
        torch.manual_seed(0)
        net = nets_of_tests.Net(task)
        rows = torch.tensor(TRAINING[FEATURES].to_numpy(), dtype=torch.float32)
        kind = torch.long if task == "multiclass" else torch.float32
        label = torch.tensor(TRAINING[LABELS[task]].to_numpy(), dtype=kind)
        optimiser = torch.optim.Adam(net.parameters(), lr=0.03)
        for _ in range(150):
            raw = net(rows)
            if task == "multiclass":
                loss = torch.nn.functional.nll_loss(torch.log(raw), label)
            elif task == "binary":
                loss = torch.nn.functional.binary_cross_entropy(raw[:, 0], label)
            else:
                loss = ((raw[:, 0] - label) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return net.eval()

    return train


@pytest.fixture(scope="module")
def net(train):
    return train()


@pytest.fixture
def how(project):
    return {"task": "binary", "features": FEATURES, "factory": FACTORIES["binary"], "base": project}


def exported(net, file, sizes=None, rows=4):
    program = torch.export.export(net, (torch.zeros(rows, 3),), dynamic_shapes=sizes and ({0: sizes},))
    torch.export.save(program, file)
    return file


def scores(net, frame=HOLDOUT):
    with torch.inference_mode():
        return net(torch.tensor(frame[FEATURES].to_numpy(), dtype=torch.float32)).numpy()


@pytest.mark.parametrize("task", list(LABELS))
def test_a_sound_net_scores_as_the_library_does_and_passes_the_checks(tmp_path, train, project, task):
    made = train(task)
    torch.save(made.state_dict(), tmp_path / "m.pt")
    model = load_model(tmp_path / "m.pt", task=task, features=FEATURES, factory=FACTORIES[task], base=project)
    expected = scores(made)
    np.testing.assert_allclose(model.predict(HOLDOUT), expected if task == "multiclass" else expected[:, 0], rtol=1e-5)
    cases.assert_sound(model)


def test_safetensors_old_files_and_checkpoints_hold_the_same_weights(tmp_path, net, how):
    from safetensors.torch import save_file

    expected = scores(net)[:, 0]
    save_file(net.state_dict(), tmp_path / "m.safetensors")
    torch.save(net.state_dict(), tmp_path / "old.bin", _use_new_zipfile_serialization=False)
    torch.save({"epoch": 3, "state_dict": net.state_dict()}, tmp_path / "checkpoint")
    for name in ("m.safetensors", "old.bin", "checkpoint"):
        np.testing.assert_allclose(load_model(tmp_path / name, **how).predict(HOLDOUT), expected, rtol=1e-6)


def test_order_and_columns(tmp_path, net):
    model = as_model(net, task="binary", features=FEATURES)
    cases.assert_order_kept(model)
    cases.assert_columns_matter(model)


@pytest.mark.parametrize("name", ["m.pt", "m.safetensors"])
def test_broken_files(tmp_path, net, how, name):
    from safetensors.torch import save_file

    (save_file if name.endswith("rs") else torch.save)(net.state_dict(), tmp_path / name)
    cases.assert_broken_files_are_named(tmp_path / name, "PyTorch weights|safetensors", **how)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_weight_that_is_not_finite_fails_the_numerical_check_and_a_mask_does_not(tmp_path, net, how, broken):
    weights = {name: values.clone() for name, values in net.state_dict().items()}
    assert not torch.isfinite(weights["mask"]).all()
    weights["hidden.weight"][3, 1] = broken
    torch.save(weights, tmp_path / "m.pt")
    cases.assert_unsound(load_model(tmp_path / "m.pt", **how), "hidden.weight")


def test_statistics_of_a_batch_normalisation_are_read():
    layer = torch.nn.BatchNorm1d(3).eval()
    layer.running_var[1] = np.nan
    assert not_finite(layer) == (["running_var"], 12)


def test_a_file_that_holds_more_than_tensors_runs_nothing(tmp_path, net, how):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "exploded"), "w"))

    torch.save(net, tmp_path / "whole.pt")
    torch.save({"weights": Bomb()}, tmp_path / "bomb.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Bomb()))
    for name in ("whole.pt", "bomb.pt", "plain.pt"):
        with pytest.raises(InputError, match=rf"{name} does not load as PyTorch weights.*Save module.state_dict\(\)"):
            load_model(tmp_path / name, **{**how, "allow_pickle": True})
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("", 'holds weights only; write factory = "module:function"'),
        ("nets_of_tests:nte", "has no function 'nte'. Did you mean 'net'"),
        ("nets_of_tests:number", r"'nets_of_tests:number' returned a int; expected a torch\.nn\.Module"),
        ("nets_of_tests:broken", "'nets_of_tests:broken' raised ValueError: no width given"),
        ("nets_of_tests:other", "(?s)makes a module with other weights than .*Missing key"),
    ],
)
def test_a_factory_that_does_not_fit_is_named(tmp_path, net, how, factory, message):
    torch.save(net.state_dict(), tmp_path / "m.pt")
    with pytest.raises(InputError, match=message):
        load_model(tmp_path / "m.pt", **{**how, "factory": factory})


def test_task_and_features_must_be_declared(net):
    with pytest.raises(InputError, match="declare task"):
        as_model(net, features=FEATURES)
    with pytest.raises(InputError, match="declare features"):
        as_model(net, task="binary")


def test_a_module_in_training_mode_is_refused(project):
    import nets_of_tests

    with pytest.raises(InputError, match=r"in training mode; call its eval\(\)"):
        as_model(nets_of_tests.net(), task="binary", features=FEATURES)


def test_texts_and_a_wrong_number_of_features_are_refused(net):
    with pytest.raises(InputError, match="takes numbers only, but 'heat' holds"):
        as_model(net, task="binary", features=FEATURES).predict(HOLDOUT.assign(heat="warm"))
    with pytest.raises(InputError, match="could not score"):
        as_model(net, task="binary", features=FEATURES[:2]).predict(HOLDOUT)


def test_an_exported_program_needs_permission_and_passes_the_checks(tmp_path, net):
    exported(net, tmp_path / "m.pt2", torch.export.Dim("rows"))
    with pytest.raises(
        InputError, match=r"m\.pt2 is an exported program of PyTorch, and reading one can run code.*allow_pickle"
    ):
        load_model(tmp_path / "m.pt2", task="binary", features=FEATURES)
    model = load_model(tmp_path / "m.pt2", task="binary", features=FEATURES, allow_pickle=True)
    np.testing.assert_allclose(model.predict(HOLDOUT), scores(net)[:, 0], rtol=1e-5)
    cases.assert_sound(model)
    with pytest.raises(InputError, match=r"trained on 3 columns, but .* declares 2"):
        load_model(tmp_path / "m.pt2", task="binary", features=FEATURES[:2], allow_pickle=True)


def test_a_program_for_a_fixed_number_of_rows_takes_any(tmp_path, net):
    for name, sizes in {"fixed.pt2": None, "few.pt2": torch.export.Dim("rows", min=2, max=7)}.items():
        file = exported(net, tmp_path / name, sizes)
        model = load_model(file, task="binary", features=FEATURES, allow_pickle=True)
        np.testing.assert_allclose(model.predict(HOLDOUT.head(23)), scores(net)[:23, 0], rtol=1e-5)
        assert model.predict(HOLDOUT.head(1)).shape == (1,)


def test_a_broken_program_and_one_of_its_weights(tmp_path, net):
    file = exported(net, tmp_path / "m.pt2", torch.export.Dim("rows"))
    declared = {"task": "binary", "features": FEATURES, "allow_pickle": True}
    model = load_model(file, **declared)
    with torch.no_grad():
        model.estimator.native.state_dict["last.bias"][0] = np.nan
    assert not_finite(model.estimator)[0] == ["last.bias"]
    cases.assert_broken_files_are_named(file, "exported program", **declared)


def test_torchscript_is_recognised_and_a_loader_is_named(tmp_path, net):
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.trace(net, torch.zeros(2, 3)).save(tmp_path / "m.pt")
    with pytest.raises(InputError, match=r"m\.pt is a TorchScript file, which is not read here; name a loader"):
        load_model(tmp_path / "m.pt", task="binary", features=FEATURES)
