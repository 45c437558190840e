# SPDX-License-Identifier: MIT
"""PyTorch's view of the same model: `golden` prints gradients for tests/torch.rs, `speed THREADS KIND STEPS` measures the
steps that examples/step.rs measures."""
import json
import math
import sys
import time

import torch
import torch.nn.functional as F

MASK = (1 << 64) - 1


class Random:
    """training::random."""

    def __init__(self, seed, stream):
        self.state = seed
        self.state = (self.next() ^ (stream * 0xD1342543DE82EF95)) & MASK

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def unit(self):
        return ((self.next() >> 11) + 1) / (1 << 53)

    def below(self, end):
        return (self.next() * end) >> 64

    def normal(self, deviation, count):
        out = []
        while len(out) < count:
            radius = math.sqrt(-2.0 * math.log(self.unit())) * deviation
            angle = math.tau * self.unit()
            out += [radius * math.cos(angle), radius * math.sin(angle)]
        return torch.tensor(out[:count], dtype=torch.float64).float()


def names(shape):
    rows = {"attn_q": "dim", "attn_k": "kv", "attn_v": "kv", "attn_output": "dim"}
    rows |= {"ffn_gate": "ffn", "ffn_up": "ffn", "ffn_down": "dim"}
    yield "token_embd", shape["vocab"], shape["dim"]
    for layer in range(shape["layers"]):
        yield f"blk.{layer}.attn_norm", 1, shape["dim"]
        yield f"blk.{layer}.ffn_norm", 1, shape["dim"]
        for part, out in rows.items():
            yield f"blk.{layer}.{part}", shape[out], shape["ffn" if part == "ffn_down" else "dim"]
    yield "output_norm", 1, shape["dim"]


def norm(x, weight, eps=1e-5):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight


def rotate(x, angles):
    """x: (batch, head, token, element); neighbours are pairs."""
    a, b = x[..., 0::2], x[..., 1::2]
    cos, sin = angles.cos(), angles.sin()
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)


def logits(shape, p, tokens):
    batch, count = tokens.shape
    heads, kv, size = shape["heads"], shape["kv"] * shape["heads"] // shape["dim"], shape["dim"] // shape["heads"]
    powers = torch.arange(0, size, 2, dtype=torch.float64) / size
    angles = (torch.arange(count)[:, None] * shape["rope_base"] ** -powers[None]).float()
    x = p["token_embd"][tokens]
    for layer in range(shape["layers"]):
        w = lambda part: p[f"blk.{layer}.{part}"]
        n = norm(x, w("attn_norm"))
        q, k, v = ((n @ w(f"attn_{c}").T).view(batch, count, -1, size).transpose(1, 2) for c in "qkv")
        q, k = rotate(q, angles), rotate(k, angles)
        k, v = (t.repeat_interleave(heads // kv, 1) for t in (k, v))
        mixed = F.scaled_dot_product_attention(q, k.to(q.dtype), v.to(q.dtype), is_causal=True)
        x = x + mixed.transpose(1, 2).reshape(batch, count, -1) @ w("attn_output").T
        n = norm(x, w("ffn_norm"))
        x = x + (F.silu(n @ w("ffn_gate").T) * (n @ w("ffn_up").T)) @ w("ffn_down").T
    return norm(x, p["output_norm"]) @ p["token_embd"].T


def golden():
    shape = dict(vocab=40, dim=24, layers=2, heads=4, kv=12, ffn=36, rope_base=100.0)
    p = {}
    for index, (name, rows, cols) in enumerate(names(shape)):
        adds = name.endswith(("attn_output", "ffn_down"))
        deviation = 0.02 if name == "token_embd" else 1 / math.sqrt(3 * cols * (2 * shape["layers"] if adds else 1))
        values = torch.ones(cols) if rows == 1 else Random(1, index).normal(deviation, rows * cols)
        # Larger than at the start of training, so that every part matters.
        values = values if rows == 1 else 4 * values
        p[name] = values.view(-1 if rows == 1 else rows, cols).squeeze(0) if rows == 1 else values.view(rows, cols)
        p[name].requires_grad_()
    random = Random(7, 0)
    tokens = torch.tensor([[random.below(40) for _ in range(91)]])
    counted = torch.tensor([i % 3 != 1 for i in range(1, 91)])
    out = logits(shape, p, tokens[:, :-1])
    loss = F.cross_entropy(out[0][counted], tokens[0, 1:][counted])
    loss.backward()
    sums = {f"{n}.weight": [t.grad.double().pow(2).sum().item(), *t.grad.flatten()[:4].tolist()] for n, t in p.items()}
    json.dump({"torch": torch.__version__, "loss": loss.item(), "gradients": sums}, sys.stdout, indent=1)


def speed(threads, kind, steps):
    torch.set_num_threads(threads)
    shape = dict(vocab=2048, dim=256, layers=7, heads=8, kv=256, ffn=704, rope_base=10000.0)
    p = {n: torch.ones(c) if r == 1 else torch.randn(r, c) * 0.03 for n, r, c in names(shape)}
    for t in p.values():
        t.requires_grad_()
    optimizer = torch.optim.AdamW(p.values(), lr=1e-3, betas=(0.9, 0.95), fused=True)
    tokens = torch.randint(0, 2048, (16, 257))
    times = []
    for _ in range(steps):
        begun = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=kind == "bf16"):
            out = logits(shape, p, tokens[:, :-1])
        loss = F.cross_entropy(out.float().flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(p.values(), 1.0)
        optimizer.step()
        times.append(time.perf_counter() - begun)
    times.sort()
    print(f"PyTorch {torch.__version__}, {threads} threads, {kind}: step: median {times[len(times) // 2]:.3f} s, best {times[0]:.3f} s")


if sys.argv[1] == "golden":
    golden()
else:
    speed(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
