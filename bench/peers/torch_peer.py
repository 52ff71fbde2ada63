"""torch as a peer: the same work on the first CUDA device, tf32 off."""

import torch
from protocol import serve

torch.backends.cuda.matmul.allow_tf32 = False
DTYPES = {"f32": torch.float32, "f16": torch.float16, "i8": torch.int8}


def burst(count, function, *arguments):
    def run():
        for _ in range(count):
            function(*arguments)
        torch.cuda.synchronize()

    return run


def uniform(*shape, dtype=torch.float32):
    return (torch.rand(*shape, device="cuda") * 2 - 1).to(dtype)


def add(parameters):
    x, y = uniform(parameters["n"]), uniform(parameters["n"])
    out = torch.empty_like(x)
    return burst(parameters["burst"], lambda: torch.add(x, y, out=out))


def matmul(parameters):
    n, dtype = parameters["n"], DTYPES[parameters["dtype"]]
    if dtype == torch.int8:
        x, y = (torch.randint(-128, 128, (n, n), device="cuda", dtype=dtype) for _ in range(2))
        return burst(parameters["burst"], lambda: torch._int_mm(x, y))
    x, y = uniform(n, n, dtype=dtype), uniform(n, n, dtype=dtype)
    out = torch.empty_like(x)
    return burst(parameters["burst"], lambda: torch.matmul(x, y, out=out))


serve({"gpu_add": add, "gpu_matmul": matmul}, f"torch {torch.__version__}, {torch.cuda.get_device_name()}")
