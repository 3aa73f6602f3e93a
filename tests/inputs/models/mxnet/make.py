"""``python make.py``: makes the networks beside it, and keeps their own answers. In an environment of MXNet's own.

``pip install mxnet==1.9.1 'numpy<1.24' 'pandas<2.1' 'pyarrow<15'``, on Python 3.11 too.
"""

from __future__ import annotations

import json
from pathlib import Path

import mxnet
import numpy as np
from mxnet.gluon import nn

HERE = Path(__file__).parent


def main() -> None:
    """Export a network of Gluon, and a checkpoint of the older Module with its loss in the graph."""
    mxnet.random.seed(0)
    rows = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
    network = nn.HybridSequential()
    network.add(nn.Dense(8, activation="relu"), nn.BatchNorm(), nn.Dense(3))
    network.add(nn.HybridLambda("softmax"))
    network.initialize(mxnet.init.Xavier())
    network.hybridize()
    given = mxnet.nd.array(rows)
    answers = {"gluon-symbol.json": network(given).asnumpy().tolist()}
    for epoch in (0, 3):
        network.export(str(HERE / "gluon"), epoch=epoch)
        for parameter in network.collect_params(".*dense0_weight").values():
            parameter.set_data(parameter.data() * 2)  # of the epoch after
        if epoch == 0:
            answers["gluon-symbol.json"] = network(given).asnumpy().tolist()
    data = mxnet.sym.FullyConnected(mxnet.sym.Variable("data"), num_hidden=2, name="last")
    module = mxnet.mod.Module(mxnet.sym.SoftmaxOutput(data, name="softmax"))
    iterator = mxnet.io.NDArrayIter(rows, (rows[:, 0] > 0).astype("float32"), batch_size=20)
    module.fit(iterator, num_epoch=5, optimizer_params={"learning_rate": 0.5})
    module.save_checkpoint(str(HERE / "module"), 5)
    answers["module-symbol.json"] = module.predict(iterator).asnumpy().tolist()
    (HERE / "answers.json").write_text(json.dumps({"rows": rows.tolist(), "answers": answers}) + "\n")


if __name__ == "__main__":
    main()
