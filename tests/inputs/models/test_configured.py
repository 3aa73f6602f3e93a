"""What ``[tool.mltestscore.model]`` says of other libraries' files reaches them, for the version before too."""

from __future__ import annotations

import numpy as np
import pytest
import xgboost

from mltestscore.config import read_config
from mltestscore.errors import ConfigError
from mltestscore.inputs import offered
from mltestscore.inputs.previous_model import open_previous
from tests.inputs.models.cases import FEATURES, HOLDOUT
from tests.inputs.models.test_onnx import pipeline, write
from tests.inputs.models.test_xgboost import trained

PROJECT = """
[tool.mltestscore.model]
path = "m.onnx"
previous_path = "m.ubj"
version = "3"
features = ["heat", "wear", "load"]
output = "probabilities"
providers = ["{provider}"]
"""


def configured(folder, provider, more=""):
    (folder / "pyproject.toml").write_text(PROJECT.format(provider=provider) + more)
    return read_config(folder / "pyproject.toml")


def test_a_model_and_the_one_before_are_of_different_libraries(tmp_path):
    write(pipeline("binary"), tmp_path / "m.onnx", zipmap=False)
    before = trained(rounds=5)
    before.save_model(tmp_path / "m.ubj")
    config = configured(tmp_path, "CPUExecutionProvider")
    assert (offered.model(config).features, offered.model(config).version) == (tuple(FEATURES), "3")
    expected = before.predict(xgboost.DMatrix(HOLDOUT[FEATURES]))
    np.testing.assert_array_equal(open_previous(config).predict(HOLDOUT), expected)


def test_a_provider_that_is_not_available_names_the_table_and_the_file(tmp_path):
    write(pipeline("binary"), tmp_path / "m.onnx", zipmap=False)
    config = configured(tmp_path, "VoodooExecutionProvider")
    with pytest.raises(
        ConfigError, match=r"providers names 'VoodooExecutionProvider'.*\[tool\.mltestscore\.model\] of"
    ):
        offered.model(config)


@pytest.mark.parametrize("key", ["loader", "python"])
def test_a_provider_is_not_left_unheard_where_a_loader_opens_the_model(tmp_path, key):
    write(pipeline("binary"), tmp_path / "m.onnx", zipmap=False)
    config = configured(tmp_path, "CUDAExecutionProvider", f'{key} = "team:load"')
    with pytest.raises(ConfigError, match=f"providers says how our own reader opens a file, but {key} is given"):
        offered.model(config)
