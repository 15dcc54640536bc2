# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Optimizers, schedules, functions of gradients and their accumulation, step by step."""

import itertools
import math
import warnings

import torch

from cases import Family, dl_type, double


class Lion(torch.optim.Optimizer):
    """As printed in Chen et al., Symbolic Discovery of Optimization Algorithms, program 1."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                beta1, beta2 = group["betas"]
                update = torch.sign(beta1 * m + (1 - beta1) * p.grad)
                p -= group["lr"] * (update + group["weight_decay"] * p)
                m.copy_(beta2 * m + (1 - beta2) * p.grad)


class Lamb(torch.optim.Optimizer):
    """As printed in You et al., Large Batch Optimization for Deep Learning, algorithm 2, with phi(z) = z."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=1e-2):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                state["t"] = state.get("t", 0) + 1
                m, v = state.setdefault("m", torch.zeros_like(p)), state.setdefault("v", torch.zeros_like(p))
                beta1, beta2 = group["betas"]
                m.copy_(beta1 * m + (1 - beta1) * p.grad)
                v.copy_(beta2 * v + (1 - beta2) * p.grad ** 2)
                r = (m / (1 - beta1 ** state["t"])) / ((v / (1 - beta2 ** state["t"])).sqrt() + group["eps"])
                r = r + group["weight_decay"] * p
                ratio = p.norm() / r.norm() if p.norm() > 0 and r.norm() > 0 else 1.0
                p -= group["lr"] * ratio * r


def optimizers():
    family = Family("optimizers")
    optim = torch.optim
    decay = "weight_decay"
    table = {
        "sgd": [("lr=0.1", optim.SGD, dict(lr=0.1)), ("lr=0.1, momentum=0.9", optim.SGD, dict(lr=0.1, momentum=0.9)),
                ("lr=0.1, decay=0.2", optim.SGD, dict(lr=0.1, weight_decay=0.2)),
                ("lr=0.1, lr_decay=0.5", optim.SGD, dict(lr=0.1, lr_decay=0.5)),
                ("lr=0.1, momentum=0.9, lr_decay=0.2, decay=0.2", optim.SGD,
                 dict(lr=0.1, momentum=0.9, lr_decay=0.2, weight_decay=0.2))],
        "momentum": [("lr=0.1", optim.SGD, dict(lr=0.1, momentum=0.9)), ("beta=0.5", optim.SGD, dict(lr=0.01, momentum=0.5)),
                     ("lr=0.1, decay=0.2", optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.2))],
        "nesterov": [("lr=0.1", optim.SGD, dict(lr=0.1, momentum=0.9, nesterov=True)),
                     ("beta=0.5", optim.SGD, dict(lr=0.01, momentum=0.5, nesterov=True)),
                     ("lr=0.1, decay=0.2", optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.2, nesterov=True))],
        "adagrad": [("", optim.Adagrad, {}), ("lr=0.1, lr_decay=0.5", optim.Adagrad, dict(lr=0.1, lr_decay=0.5)),
                    ("lr=0.1, eps=1e-2, decay=0.2", optim.Adagrad, dict(lr=0.1, eps=1e-2, weight_decay=0.2))],
        "rmsprop": [("", optim.RMSprop, {}), ("lr=0.1, alpha=0.9, momentum=0.5", optim.RMSprop, dict(lr=0.1, alpha=0.9, momentum=0.5)),
                    ("centered=true, eps=1e-2, decay=0.2", optim.RMSprop, dict(centered=True, eps=1e-2, weight_decay=0.2))],
        "adadelta": [("", optim.Adadelta, {}), ("lr=0.5, rho=0.7", optim.Adadelta, dict(lr=0.5, rho=0.7)),
                     ("eps=1e-3, decay=0.2", optim.Adadelta, dict(eps=1e-3, weight_decay=0.2))],
        "adam": [("", optim.Adam, {}), ("lr=0.1, beta1=0.7, beta2=0.9", optim.Adam, dict(lr=0.1, betas=(0.7, 0.9))),
                 ("eps=1e-2, decay=0.2", optim.Adam, dict(eps=1e-2, weight_decay=0.2)),
                 ("lr=0.1, lr_decay=0.5", optim.Adam, dict(lr=0.1, lr_decay=0.5)),
                 ("lr_decay=2, decay=0.2", optim.Adam, dict(lr_decay=2, weight_decay=0.2))],
        "adamw": [("", optim.AdamW, {}), ("lr=0.1, beta1=0.7, beta2=0.9", optim.AdamW, dict(lr=0.1, betas=(0.7, 0.9))),
                  ("lr=0.1, decay=0.2", optim.AdamW, dict(lr=0.1, weight_decay=0.2)), ("eps=1e-2", optim.AdamW, dict(eps=1e-2))],
        "nadam": [("", optim.NAdam, {}), ("lr=0.1, momentum_decay=0.1", optim.NAdam, dict(lr=0.1, momentum_decay=0.1)),
                  ("lr=0.1, decay=0.2", optim.NAdam, dict(lr=0.1, weight_decay=0.2)),
                  ("beta1=0.7, beta2=0.9, eps=1e-2", optim.NAdam, dict(betas=(0.7, 0.9), eps=1e-2))],
        "lion": [("", Lion, {}), ("lr=0.1, beta1=0.5", Lion, dict(lr=0.1, betas=(0.5, 0.99))),
                 ("lr=0.1, decay=0.2", Lion, dict(lr=0.1, weight_decay=0.2)), ("beta2=0.5", Lion, dict(betas=(0.9, 0.5)))],
        "lamb": [("", Lamb, {}), ("lr=0.1, decay=0", Lamb, dict(lr=0.1, weight_decay=0)),
                 ("lr=0.1, beta1=0.7, decay=0.2", Lamb, dict(lr=0.1, betas=(0.7, 0.999), weight_decay=0.2)),
                 ("beta2=0.9, eps=1e-2", Lamb, dict(betas=(0.9, 0.9), eps=1e-2))],
    }
    for name, variants in table.items():
        for index, ((settings, optimizer, keywords), shape) in enumerate(zip(variants, itertools.cycle([(3,), (2, 3), (2, 1, 3)]))):
            case = f"{name}_{index}"
            p = torch.nn.Parameter(double(family.normal(*shape)))
            family.put(case, f"set/{case}_p.weight", p)
            # Of PyTorch's only Adagrad has an lr_decay: the others get its rates from a schedule.
            has_decay = "lr_decay" in keywords and optimizer is not optim.Adagrad
            decay_of_rate = keywords.pop("lr_decay") if has_decay else 0
            torch_optimizer = optimizer([p], **keywords)
            following = optim.lr_scheduler.LambdaLR(torch_optimizer, lambda i: 1 / (1 + decay_of_rate * i))
            for step in range(4):
                g = family.normal(*shape)
                p.grad = double(g)
                torch_optimizer.step()
                following.step()
                family.put(case, f"{step}/in/g", g)
                family.put(case, f"{step}/state/{case}_p.weight", p)
            family.texts.append(f"train {case}(g: {dl_type(g)}) {{\n  let {case}_p = weights(g)\n"
                                f"  minimize {case}_p with {name}({settings})\n  report loss = {case}_p\n}}\n")
    return family


def schedules():
    family = Family("schedules")
    schedule = torch.optim.lr_scheduler
    table = [
        ("constant(0.1)", 0.1, schedule.ConstantLR, dict(factor=1)),
        ("constant(3)", 3, schedule.ConstantLR, dict(factor=1)),
        ("constant(rate=1e-3)", 1e-3, schedule.ConstantLR, dict(factor=1)),
        ("step_decay(0.1, every=3)", 0.1, schedule.StepLR, dict(step_size=3)),
        ("step_decay(0.1, every=5, gamma=0.5)", 0.1, schedule.StepLR, dict(step_size=5, gamma=0.5)),
        ("step_decay(2, every=1, gamma=0.9)", 2, schedule.StepLR, dict(step_size=1, gamma=0.9)),
        ("exponential_decay(0.1, 0.9)", 0.1, schedule.ExponentialLR, dict(gamma=0.9)),
        ("exponential_decay(0.1, gamma=0.5)", 0.1, schedule.ExponentialLR, dict(gamma=0.5)),
        ("exponential_decay(3, gamma=1.1)", 3, schedule.ExponentialLR, dict(gamma=1.1)),
        ("linear_decay(0.1, steps=8)", 0.1, schedule.LinearLR, dict(start_factor=1, end_factor=0, total_iters=8)),
        ("linear_decay(0.1, steps=5, end=0.3)", 0.1, schedule.LinearLR, dict(start_factor=1, end_factor=0.3, total_iters=5)),
        ("linear_decay(0.1, steps=30)", 0.1, schedule.LinearLR, dict(start_factor=1, end_factor=0, total_iters=30)),
        ("linear_warmup(0.1, steps=8, start=0.2)", 0.1, schedule.LinearLR, dict(start_factor=0.2, total_iters=8)),
        ("linear_warmup(0.1, steps=3, start=0.1)", 0.1, schedule.LinearLR, dict(start_factor=0.1, total_iters=3)),
        ("linear_warmup(2, steps=20, start=1e-8)", 2, schedule.LinearLR, dict(start_factor=1e-8, total_iters=20)),
        ("cosine_decay(0.1, steps=11)", 0.1, schedule.CosineAnnealingLR, dict(T_max=11)),
        ("cosine_decay(0.1, steps=11, least=0.02)", 0.1, schedule.CosineAnnealingLR, dict(T_max=11, eta_min=0.02)),
        ("cosine_decay(3, steps=40)", 3, schedule.CosineAnnealingLR, dict(T_max=40)),
        ("one_cycle(0.1, steps=12)", 0.1, schedule.OneCycleLR, dict(max_lr=0.1, total_steps=12)),
        ("one_cycle(2, steps=12, warmup=0.5)", 2, schedule.OneCycleLR, dict(max_lr=2, total_steps=12, pct_start=0.5)),
        ("one_cycle(0.1, steps=20, divisor=5, final_divisor=10)", 0.1, schedule.OneCycleLR,
         dict(max_lr=0.1, total_steps=20, div_factor=5, final_div_factor=10)),
        ("linear_warmup(0.1, steps=0)", 0.1, schedule.ConstantLR, dict(factor=1)),
        ("linear_decay(0.1, steps=0, begin=3)", 0.1, schedule.LambdaLR, dict(lr_lambda=lambda i: float(i < 3))),
        ("one_cycle(0.1, steps=10, warmup=0.1, divisor=5, final_divisor=1)", 0.1, schedule.LambdaLR,
         dict(lr_lambda=lambda i: 0.2 + 0.8 * (1 + math.cos(math.pi * min(i / 9, 1))) / 2)),
        ("linear_warmup(cosine_decay(0.1, steps=8, begin=4), steps=4, start=0.5)", 0.1, None, {}),
    ]
    warnings.simplefilter("ignore")
    for index, (call, rate, scheduler, keywords) in enumerate(table):
        case = f"schedule_{index}"
        family.texts.append(f"train {case}(x: f32) {{ report x, rate = {call} }}\n")
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)
        if scheduler:
            following = scheduler(optimizer, **keywords)
        else:
            following = schedule.SequentialLR(optimizer, [schedule.LinearLR(optimizer, 0.5, total_iters=4),
                                                          schedule.CosineAnnealingLR(optimizer, 8)], [4])
        for step in range(12):
            family.put(case, f"{step}/in/x", family.normal())
            family.put(case, f"{step}/out/1", optimizer.param_groups[0]["lr"])
            optimizer.step()
            following.step()
    return family


def clipping():
    family = Family("clipping")
    utils = torch.nn.utils
    table = [("clip_norm(0.5)", lambda ps: utils.clip_grad_norm_(ps, 0.5)), ("clip_norm(100)", lambda ps: utils.clip_grad_norm_(ps, 100)),
             ("clip_norm()", lambda ps: utils.clip_grad_norm_(ps, 1)), ("clip_value(0.5)", lambda ps: utils.clip_grad_value_(ps, 0.5)),
             ("clip_value(limit=2)", lambda ps: utils.clip_grad_value_(ps, 2)), ("clip_value()", lambda ps: utils.clip_grad_value_(ps, 1))]
    for index, (call, clip) in enumerate(table):
        case = f"clip_{index}"
        shapes = {"g": [(3,), (2, 3), (2, 1, 3)][index % 3], "h": (2, 2)}
        parameters = {name: torch.nn.Parameter(double(family.normal(*shape))) for name, shape in shapes.items()}
        for name, parameter in parameters.items():
            family.put(case, f"set/{case}_{name}.weight", parameter)
        optimizer = torch.optim.SGD(parameters.values(), lr=0.1)
        for step in range(2):
            for name, parameter in parameters.items():
                slope = family.normal(*shapes[name])
                parameter.grad = double(slope)
                family.put(case, f"{step}/in/{name}", slope)
            family.put(case, f"{step}/out/1", torch.cat([p.grad.flatten() for p in parameters.values()]).norm())
            clip(list(parameters.values()))
            optimizer.step()
            for name, parameter in parameters.items():
                family.put(case, f"{step}/state/{case}_{name}.weight", parameter)
        signature = ", ".join(f"{name}: f32{list(shape)}" for name, shape in shapes.items())
        family.texts.append(f"train {case}({signature}) {{\n  let {case}_g = weights(g)\n  let {case}_h = weights(h)\n"
                            f"  let loss = {case}_g + {case}_h\n  minimize loss with sgd(lr=0.1) clip {call}\n"
                            f"  report loss, norm = grad_norm()\n}}\n")
    return family


def accumulation():
    family = Family("accumulation")
    optim, schedule = torch.optim, torch.optim.lr_scheduler
    table = [
        ("sgd(lr=0.1, momentum=0.9)", 2, (3,), dict(optimizer=optim.SGD, lr=0.1, momentum=0.9)),
        ("adam(lr=step_decay(0.1, every=1, gamma=0.5))", 3, (2, 3),
         dict(optimizer=optim.Adam, lr=0.1, scheduler=lambda o: schedule.StepLR(o, 1, 0.5))),
        ("adamw(lr=0.1) clip clip_norm(0.5)", 3, (2, 1, 3), dict(optimizer=optim.AdamW, lr=0.1, limit=0.5)),
        ("rmsprop(momentum=0.5)", 1, (4,), dict(optimizer=optim.RMSprop, momentum=0.5)),
    ]
    for index, (call, every, shape, keywords) in enumerate(table):
        case = f"accumulation_{index}"
        p = torch.nn.Parameter(double(family.normal(*shape)))
        family.put(case, f"set/{case}_p.weight", p)
        limit, scheduler = keywords.pop("limit", None), keywords.pop("scheduler", None)
        optimizer = keywords.pop("optimizer")([p], **keywords)
        following = scheduler(optimizer) if scheduler else None
        for step in range(8):
            g = family.normal(*shape)
            (p * double(g) / every).sum().backward()
            family.put(case, f"{step}/in/g", g)
            family.put(case, f"{step}/out/1", p.grad.norm() * every / (step % every + 1))
            if (step + 1) % every == 0:
                if limit:
                    torch.nn.utils.clip_grad_norm_([p], limit)
                optimizer.step()
                optimizer.zero_grad()
                if following:
                    following.step()
            family.put(case, f"{step}/state/{case}_p.weight", p)
        family.texts.append(f"train {case}(g: {dl_type(g)}) {{\n  let {case}_p = weights(g)\n"
                            f"  minimize {case}_p with {call} every {every}\n"
                            f"  report loss = {case}_p, norm = grad_norm()\n}}\n")
    return family


FAMILIES = [optimizers, schedules, clipping, accumulation]
