# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Families of cases: the text of a program, one entry per case, and the tensors beside it (see ../Cases.h).

Inputs are made in f32, PyTorch computes with them in f64, and figures are stored in f32.
"""

import pathlib

import numpy as np
import safetensors.numpy
import torch

COMMON = """# Written by test/StandardLibrary/reference.py: do not edit.

# Keeps a tensor of a train entry where the test can read it.
layer keep(x: f32[...]) {
  state _value: f32[...] = 0
  _value <- x
  return x
}

# A parameter that the test sets, its gradient g, and what an optimizer makes of both.
layer weights(g: f32[...]) {
  param weight: f32[...] = 0
  return sum(weight * g)
}

# Keeps the gradient of each parameter.
optimizer record() for p, g {
  state _slope = zeros_like(p)
  _slope <- g
  p <- p - g
}
"""


def dl_type(array):
    element = {np.dtype(np.float32): "f32", np.dtype(np.int32): "i32", np.dtype(np.bool_): "bool"}[array.dtype]
    return element + (f"[{', '.join(map(str, array.shape))}]" if array.shape or element == "bool" else "")


def stored(value):
    """As the file holds it: f32, or the integer type that it has."""
    array = value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    return np.array(array, order="C")


def double(array):
    """What PyTorch computes with."""
    tensor = torch.from_numpy(np.asarray(array))
    return tensor.double() if tensor.dtype == torch.float32 else tensor.long() if tensor.dtype == torch.int32 else tensor


# A probability of dropout below 1, as the language demands, which f32 rounds to 1.
NEARLY_1 = "0.99999999"


class Family:
    def __init__(self, name):
        self.name = name
        self.texts = [COMMON]
        self.tensors = {}
        self.tolerances = {}
        self.by_element = set()
        self.random = np.random.default_rng(sum(map(ord, name)))

    # --- inputs ---

    def normal(self, *shape, scale=1.0):
        return (self.random.standard_normal(shape) * scale).astype(np.float32)

    def uniform(self, *shape, low=0.0, high=1.0):
        return self.random.uniform(low, high, shape).astype(np.float32)

    def integers(self, high, *shape):
        return self.random.integers(0, high, shape).astype(np.int32)

    # --- cases ---

    def put(self, case, key, value):
        self.tensors[f"{case}/{key}"] = stored(value)

    def function(self, case, call, inputs, function, constant=(), tolerance=None, by_element=False):
        """value = call(inputs), and the gradients of sum(value * g) with respect to the inputs of type f32. by_element: the
        tolerance is a part of each element, not of the largest one."""
        tensors = {name: double(array) for name, array in inputs.items()}
        differentiable = [name for name, tensor in tensors.items() if tensor.is_floating_point() and name not in constant]
        for name in differentiable:
            tensors[name].requires_grad_()
        y = function(*tensors.values())
        g = self.normal(*y.shape)
        gradients = [f"grad(sum(value * g), {name})" for name in differentiable]
        if differentiable:
            (y * double(g)).sum().backward()
            differentiable = [name for name in differentiable if tensors[name].grad is not None]
        arguments = dict(inputs, **({"g": g} if differentiable else {}))
        signature = ", ".join(f"{name}: {dl_type(array)}" for name, array in arguments.items())
        results = ", ".join(["value"] + gradients)
        self.texts.append(f"infer {case}({signature}) {{\n  let value = {call}\n  return ({results}{',' if not gradients else ''})\n}}\n")
        for name, array in arguments.items():
            self.put(case, f"0/in/{name}", array)
        for index, value in enumerate([y] + [tensors[name].grad for name in differentiable]):
            self.put(case, f"0/out/{index}", value)
        if tolerance:
            self.tolerances[case] = tolerance
        if by_element:
            self.by_element.add(case)

    def layer(self, case, call, inputs, module, function=None, rename=lambda name: name, outputs=1, training=True,
              tolerance=None, state=()):
        """The values of call(inputs), their gradients with respect to inputs and parameters, and the buffers, after a
        training step of `module`, whose parameters the layer has; in evaluation the values only."""
        module.double().train(training)
        for parameter in module.parameters():
            parameter.data = double(self.normal(*parameter.shape, scale=0.4))
        path = f"{case}_m"
        for name, value in module.state_dict().items():
            self.put(case, f"set/{path}.{rename(name)}", value)
        tensors = {name: double(array) for name, array in inputs.items()}
        floats = [name for name, tensor in tensors.items() if tensor.is_floating_point()]
        for name in floats:
            tensors[name].requires_grad_()
        values = (function or module)(*tensors.values())
        values = values if isinstance(values, tuple) else (values,)
        names = [path] + [f"{case}_{i}" for i in range(1, outputs)]
        target = path if outputs == 1 else f"({', '.join(names)})"
        for name, array in inputs.items():
            self.put(case, f"0/in/{name}", array)
        signature = ", ".join(f"{name}: {dl_type(array)}" for name, array in inputs.items())
        if tolerance:
            self.tolerances[case] = tolerance
        if not training:
            self.texts.append(f"infer {case}({signature}) {{\n  let {target} = {call}\n  return ({', '.join(names)},)\n}}\n")
            for index, value in enumerate(values):
                self.put(case, f"0/out/{index}", value)
            return
        weights = [self.normal(*value.shape) for value in values]
        sum((value * double(weight)).sum() for value, weight in zip(values, weights)).backward()
        signature += "".join(f", g{i}: {dl_type(weight)}" for i, weight in enumerate(weights))
        lines = [f"  let {target} = {call}"]
        terms = []
        for index, (name, value, weight) in enumerate(zip(names, values, weights)):
            lines.append(f"  let {case}_y{index} = keep({name})")
            terms.append(f"sum({case}_y{index} * g{index})")
            self.put(case, f"0/in/g{index}", weight)
            self.put(case, f"0/state/{case}_y{index}._value", value)
        lines.append(f"  let loss = {' + '.join(terms)}")
        for name in floats:
            lines.append(f"  let _{case}_d{name} = keep(grad(loss, {name}))")
            self.put(case, f"0/state/_{case}_d{name}._value", tensors[name].grad)
        parameters = dict(module.named_parameters())
        if parameters:
            lines.append("  minimize loss with record()")
        lines.append("  report loss")
        for name, parameter in parameters.items():
            self.put(case, f"0/state/{case}.{path}.{rename(name)}._slope", parameter.grad)
        for name, buffer in module.named_buffers():
            self.put(case, f"0/state/{path}.{rename(name)}", buffer)
        self.texts.append(f"train {case}({signature}) {{\n" + "\n".join(lines) + "\n}\n")

    def write(self, folder):
        folder = pathlib.Path(folder)
        (folder / f"{self.name}.dl").write_text("\n".join(self.texts))
        metadata = {case: repr(tolerance) for case, tolerance in self.tolerances.items()}
        metadata |= {f"{case}/by_element": "true" for case in sorted(self.by_element)}
        safetensors.numpy.save_file(self.tensors, folder / f"{self.name}.safetensors", metadata)
        (folder / f"{self.name}.safetensors").chmod(0o644)
        size = (folder / f"{self.name}.safetensors").stat().st_size
        print(f"{self.name}: {len(self.texts) - 1} cases, {size / 1024:.0f} KiB")
