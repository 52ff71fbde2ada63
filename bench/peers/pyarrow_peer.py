"""pyarrow as a peer of F4: the rows at random indices of a mapped IPC file, taken in one call."""

import numpy as np
import pyarrow
from protocol import serve


def open_table(parameters):
    return pyarrow.ipc.open_file(pyarrow.memory_map(parameters["file"])).read_all()


def read_rows(parameters):
    table = open_table(parameters)
    indices = pyarrow.array(np.random.default_rng(3).integers(0, table.num_rows, parameters["count"]))
    return lambda: table.take(indices)


serve({"read_records": read_rows, "read_strings": read_rows}, f"pyarrow {pyarrow.__version__} (take)")
