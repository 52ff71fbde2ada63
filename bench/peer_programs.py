"""Builds what the benchmarks compare: alknet_bench, and peers from registries. A function gives a command, or None when
the peer cannot be had."""

import functools
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / "bench" / "peers"
JAX = ROOT / ".deps" / "peers"
PYTHON = ROOT / ".deps" / "python" / "bin" / "python"
BUILD = ROOT / "build" / "bench"
LOG = ROOT / "build" / "bench.log"


@functools.cache
def configure():
    LOG.parent.mkdir(exist_ok=True)
    LOG.write_text("")
    return run_logged("cmake", "--preset", "bench")


def run_logged(*command):
    with LOG.open("a") as log:
        return subprocess.run(command, cwd=ROOT, stdout=log, stderr=log).returncode == 0


def built(target):
    """The program of a CMake target of bench/, or None when it does not build."""
    return built_in("bench", target)


def built_in(folder, target):
    """The same of another folder."""
    if configure() and run_logged("cmake", "--build", "--preset", "bench", "--target", target):
        return [BUILD / folder / target]
    return None


def required(command):
    """A program of ours, without which there is nothing to measure."""
    if command is None:
        sys.exit(f"bench: the build failed; see {LOG}")
    return command


@functools.cache
def alknet():
    return required(built_in("apps/alknet", "alknet"))


@functools.cache
def ours():
    command = required(built("alknet_bench"))
    newer_dawn = os.environ.get("ALKNET_NEWER_DAWN") == "1"
    return [ROOT / "bin" / "newer-dawn", *command] if newer_dawn else command


@functools.cache
def net_bench():
    return required(built("net_bench"))


@functools.cache
def stream_bench():
    return required(built("stream_bench"))


@functools.cache
def hostile_bench():
    return required(built_in("apps/alknet", "hostile_bench"))


@functools.cache
def runtime_bench():
    return required(built("runtime_bench"))


@functools.cache
def quickjs():
    return built("quickjs_peer")


@functools.cache
def soak():
    return required(built("alknet_soak"))


def has_module(name):
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", f"import {name}"], capture_output=True).returncode == 0


@functools.cache
def numpy():
    return [PYTHON, PEERS / "numpy_peer.py"] if has_module("numpy") else None


@functools.cache
def jax():
    return [PYTHON, PEERS / "jax_peer.py"] if (JAX / "jax").exists() and has_module("numpy") else None


@functools.cache
def torch():
    """Of the Python that runs the benchmarks: torch is too large to fetch for a comparison."""
    sees_gpu = [sys.executable, "-c", "import torch, sys; sys.exit(not torch.cuda.is_available())"]
    found = subprocess.run(sees_gpu, capture_output=True).returncode == 0
    return [sys.executable, PEERS / "torch_peer.py"] if found else None


@functools.cache
def webgpu():
    """The WebGPU library without alknet's plans: cases of our own program."""
    return ours()


@functools.cache
def pyarrow():
    return [PYTHON, PEERS / "pyarrow_peer.py"] if has_module("pyarrow") else None


@functools.cache
def arrow():
    """Arrow C++, from the pyarrow wheel."""
    return built("arrow_peer") if has_module("pyarrow") else None


@functools.cache
def safetensors_rust():
    target, manifest = BUILD / "safetensors_rust", PEERS / "safetensors_rust" / "Cargo.toml"
    command = ["cargo", "build", "--release", "--quiet", "--manifest-path", manifest, "--target-dir", target]
    try:
        subprocess.run(command, check=True, stdout=sys.stderr)
    except (OSError, subprocess.CalledProcessError):
        return None
    return [target / "release" / "safetensors_peer"]


@functools.cache
def grpc():
    return built("grpc_peer") if shutil.which("grpc_cpp_plugin") else None


@functools.cache
def gnutls_over_tcp():
    program = built("socket_peer")
    return program and [*program, "tls"]


@functools.cache
def plain_tcp():
    program = built("socket_peer")
    return program and [*program, "plain"]


@functools.cache
def jsoncons():
    return built("jsoncons_peer") if (ROOT / ".deps" / "bench" / "usr" / "include" / "jsoncons").exists() else None


@functools.cache
def ajv():
    packages = ROOT / ".deps" / "node" / "node_modules"
    found = (packages / "ajv").exists() and shutil.which("node")
    return ["node", PEERS / "ajv_peer.mjs", packages] if found else None
