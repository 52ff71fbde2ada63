"""C1, C2, C3, C5, C6, C7: the compute layer. Each bar holds against the better of the peers."""

import peer_programs as peers
from harness import Case

SENTENCES = [
    "A dog runs in the park.",
    "A puppy is playing outside.",
    "Stock prices fell sharply today.",
    "The committee will publish its report on renewable energy next Tuesday, after two years of work.",
    "How do I reset my password?",
    "She sells sea shells by the sea shore, and the shells she sells are surely sea shells.",
    "Water boils at a lower temperature at high altitude because the air pressure is lower there.",
    "The train to the north was late again.",
]


def cases(model_folder):
    for peer in (peers.numpy, peers.jax):
        for n in (256, 512, 1024, 2048):
            parameters = {"case": "matmul", "n": n}
            yield Case("C1", f"f32 matmul {n}", peer, parameters, "GFLOP/s", (">=", 1.0), 2 * n**3 / 1e9)
        for function, bar in (("add", 1.0), ("chain", 1.2), ("softmax", 1.0), ("layer_norm", 1.0), ("sum", 1.0)):
            parameters = {"case": "pointwise", "function": function, "shape": [4096, 1024]}
            name = "chain of 8 element-wise operations" if function == "chain" else function
            yield Case("C2", f"{name}, 16 MiB", peer, parameters, "runs/s", (">=", bar), 1)
        for kind in ("chain", "mixed"):
            bar = ("<=", 1.0) if peer is peers.jax else None
            yield Case("C7", f"replay of 100 operations, {kind}", peer, {"case": "replay", "kind": kind}, "s", bar)
        for batch in (1, 32):
            texts = [SENTENCES[i % len(SENTENCES)] for i in range(batch)]
            parameters = {"case": "embed", "texts": texts, "model": model_folder}
            yield Case("C3", f"MiniLM, batch {batch}", peer, parameters, "sentences/s", (">=", 1.3), batch)
    parameters = {"case": "train", "batch": 64}
    yield Case("C5", "digits CNN training, batch 64", peers.jax, parameters, "images/s", (">=", 1.0), 64)
    for op in ("add", "mul by a number", "exp", "sum"):
        parameters = {"case": "tiny", "op": op, "calls": 1000}
        yield Case("C6", f"{op} of 16 elements", peers.numpy, parameters, "calls/s", (">=", 1.0), 1000)
