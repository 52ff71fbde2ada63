"""C1, C3, C6: the compute layer."""

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
    for n in (256, 512, 1024, 2048):
        yield Case("C1", f"f32 matmul {n}", peers.numpy, {"case": "matmul", "n": n}, "GFLOP/s", (">=", 1.0), 2 * n**3 / 1e9)
    for op in ("add", "mul by a number", "exp", "sum"):
        parameters = {"case": "tiny", "op": op, "calls": 1000}
        yield Case("C6", f"{op} of 16 elements", peers.numpy, parameters, "calls/s", (">=", 1.0), 1000)
    for batch in (1, 32):
        texts = [SENTENCES[i % len(SENTENCES)] for i in range(batch)]
        parameters = {"case": "embed", "texts": texts, "model": model_folder}
        yield Case("C3", f"MiniLM, batch {batch}", peers.numpy, parameters, "sentences/s", (">=", 1.3), batch)
