# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Blocks of transformers."""

from torch import nn

from attention import future, ignored, per_head, some
from cases import NEARLY_1, Family


def blocks():
    family = Family("blocks")
    for index, (n, t, e, count, settings) in enumerate([
            (2, 3, 4, 2, {}), (1, 4, 6, 3, dict(activation="gelu")), (3, 2, 4, 1, dict(norm_first=True))]):
        extra = "".join(f', {key}="{value}"' if isinstance(value, str) else f", {key}=true" for key, value in settings.items())
        lengths = family.integers(t, n) + 1
        encoder = nn.TransformerEncoderLayer(e, count, 5, dropout=0, batch_first=True, **settings)
        family.layer(f"encoder_{index}", f"encoder_block(x, {count}, hidden=5, dropout=0, lengths=lengths{extra})",
                     {"x": family.normal(n, t, e), "lengths": lengths}, encoder,
                     lambda x, lengths: encoder(x, src_key_padding_mask=ignored(lengths, t)), tolerance=1e-4)
        decoder = nn.TransformerDecoderLayer(e, count, 5, dropout=0, batch_first=True, **settings)
        family.layer(f"decoder_{index}", f"decoder_block(x, m, {count}, hidden=5, dropout=0, memory_lengths=lengths{extra})",
                     {"x": family.normal(n, t + 1, e), "m": family.normal(n, t, e), "lengths": lengths}, decoder,
                     lambda x, m, lengths: decoder(x, m, tgt_mask=future(t + 1), memory_key_padding_mask=ignored(lengths, t)),
                     tolerance=1e-4)
    masks_of_blocks(family)
    drops_of_blocks(family)
    return family


def masks_of_blocks(family):
    for index, (n, t, e, count, norm_first) in enumerate([(2, 3, 4, 2, False), (1, 4, 6, 3, True), (3, 2, 4, 1, False)]):
        extra = ", norm_first=true" if norm_first else ""
        settings = dict(dropout=0, batch_first=True, norm_first=norm_first)
        lengths, shared, of_heads = family.integers(t, n) + 1, some(family, t, t), some(family, n, count, t, t)
        encoders = [
            ("causal", "causal=true", {}, lambda: dict(src_mask=future(t))),
            ("mask", "mask=mask", dict(mask=shared), lambda mask: dict(src_mask=~mask)),
            ("all", "causal=true, lengths=lengths, mask=mask", dict(lengths=lengths, mask=of_heads),
             lambda lengths, mask: dict(src_mask=per_head(~mask | future(t), count), src_key_padding_mask=ignored(lengths, t))),
        ]
        for name, call, given, keywords in encoders:
            encoder = nn.TransformerEncoderLayer(e, count, 5, **settings)
            family.layer(f"encoder_{name}_{index}", f"encoder_block(x, {count}, hidden=5, dropout=0, {call}{extra})",
                         dict({"x": family.normal(n, t, e)}, **given), encoder,
                         lambda x, *given: encoder(x, **keywords(*given)), tolerance=1e-4)
        decoders = [
            ("free", "causal=false", {}, lambda: {}),
            ("lengths", "lengths=lengths", dict(lengths=lengths),
             lambda lengths: dict(tgt_mask=future(t), tgt_key_padding_mask=ignored(lengths, t))),
            ("free_lengths", "causal=false, lengths=lengths", dict(lengths=lengths),
             lambda lengths: dict(tgt_key_padding_mask=ignored(lengths, t))),
        ]
        for name, call, given, keywords in decoders:
            decoder = nn.TransformerDecoderLayer(e, count, 5, **settings)
            family.layer(f"decoder_{name}_{index}", f"decoder_block(x, m, {count}, hidden=5, dropout=0, {call}{extra})",
                         dict({"x": family.normal(n, t, e), "m": family.normal(n, t + 1, e)}, **given), decoder,
                         lambda x, m, *given: decoder(x, m, **keywords(*given)), tolerance=1e-4)


def drops_of_blocks(family):
    """As attention's drops."""
    for index, (n, t, e, count, norm_first) in enumerate([(2, 3, 4, 2, False), (1, 4, 6, 3, True), (3, 2, 4, 1, False)]):
        x, m = family.normal(n, t, e), family.normal(n, t + 1, e)
        extra = ", norm_first=true" if norm_first else ""
        for name, training, call, p in (("eval", False, "dropout=0.4", 0.4), ("drop", True, f"dropout={NEARLY_1}", 1)):
            settings = dict(dropout=p, batch_first=True)
            encoder = nn.TransformerEncoderLayer(e, count, 5, norm_first=norm_first, **settings)
            family.layer(f"encoder_{name}_{index}", f"encoder_block(x, {count}, hidden=5, {call}{extra})", {"x": x}, encoder,
                         training=training, tolerance=1e-4)
            decoder = nn.TransformerDecoderLayer(e, count, 5, norm_first=norm_first, **settings)
            family.layer(f"decoder_{name}_{index}", f"decoder_block(x, m, {count}, hidden=5, {call}{extra})", {"x": x, "m": m}, decoder,
                         lambda x, m: decoder(x, m, tgt_mask=future(t)), training=training, tolerance=1e-4)


FAMILIES = [blocks]
