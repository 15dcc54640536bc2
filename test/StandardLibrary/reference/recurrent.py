# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""rnn, gru and lstm: layers, directions, lengths of padded sequences, initial states."""

import torch
from torch import nn

from cases import NEARLY_1, Family


def side_by_side(states):
    """PyTorch's [layers * directions, n, hidden] as [n, layers * directions * hidden]."""
    return states.permute(1, 0, 2).reshape(states.shape[1], -1)


def run(module, x, lengths=None, initial=None, initial_cell=None):
    hidden = module.hidden_size
    parts = lambda state: state.reshape(x.shape[0], -1, hidden).permute(1, 0, 2).contiguous()
    start = None
    if initial is not None:
        start = (parts(initial), parts(initial_cell)) if initial_cell is not None else parts(initial)
    if lengths is not None:
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        states, last = module(packed, start)
        states, _ = nn.utils.rnn.pad_packed_sequence(states, batch_first=True, total_length=x.shape[1])
    else:
        states, last = module(x, start)
    if isinstance(last, tuple):
        return (states, *map(side_by_side, last))
    return states, side_by_side(last)


def recurrent():
    family = Family("recurrent")
    for name, kind in (("rnn", nn.RNN), ("gru", nn.GRU), ("lstm", nn.LSTM)):
        outputs = 3 if name == "lstm" else 2
        table = [
            ((3, 4, 2), 3, {}, ()),
            ((2, 5, 3), 2, dict(num_layers=2), ("initial",)),
            ((3, 3, 2), 2, dict(num_layers=2, bidirectional=True), ("lengths", "initial")),
            ((2, 4, 1), 3, dict(bidirectional=True), ()),
            ((4, 5, 2), 3, {}, ("lengths",)),
        ]
        for index, (shape, hidden, settings, given) in enumerate(table):
            n, t, d = shape
            inputs = {"x": family.normal(*shape)}
            call = f"{name}(x, {hidden}"
            if "num_layers" in settings:
                call += f", layers={settings['num_layers']}"
            if "bidirectional" in settings:
                call += ", bidirectional=true"
            if name == "rnn" and index == 1:
                settings = dict(settings, nonlinearity="relu")
                call += ', nonlinearity="relu"'
            width = hidden * settings.get("num_layers", 1) * (2 if "bidirectional" in settings else 1)
            if "lengths" in given:
                inputs["lengths"] = family.integers(t, n) + 1
                inputs["lengths"][0] = t
                call += ", lengths=lengths"
            if "initial" in given:
                inputs["initial"] = family.normal(n, width)
                call += ", initial=initial"
                if name == "lstm":
                    inputs["cell"] = family.normal(n, width)
                    call += ", initial_cell=cell"
            module = kind(d, hidden, batch_first=True, **settings)
            names = list(inputs)
            keywords = {"cell": "initial_cell"}

            def function(*values, module=module, names=names):
                return run(module, values[0], **{keywords.get(key, key): value for key, value in zip(names[1:], values[1:])})

            family.layer(f"{name}_{index}", call + ")", inputs, module, function, outputs=outputs)
        drops(family, name, kind, outputs)
    return family


def drops(family, name, kind, outputs):
    """In evaluation dropout does nothing; in training a probability that f32 rounds to 1 leaves nothing of what one layer
    gives to the next, as 1 does with PyTorch, and all of what the last one gives."""
    for index, (shape, hidden, layers, both) in enumerate([((2, 3, 2), 3, 2, False), ((3, 4, 1), 2, 2, True), ((1, 2, 3), 2, 3, False)]):
        x = {"x": family.normal(*shape)}
        for suffix, training, dropout, p in (("eval", False, "0.4", 0.4), ("drop", True, NEARLY_1, 1)):
            module = kind(shape[2], hidden, layers, batch_first=True, bidirectional=both, dropout=p)
            call = f"{name}(x, {hidden}, layers={layers}, bidirectional={str(both).lower()}, dropout={dropout})"
            family.layer(f"{name}_{suffix}_{index}", call, x, module, lambda x: run(module, x), outputs=outputs, training=training)


FAMILIES = [recurrent]
