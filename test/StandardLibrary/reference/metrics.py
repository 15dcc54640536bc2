# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Metrics over several uneven batches: after each one, the value over all rows so far, by its definition."""

import itertools

import numpy as np
import torch
import torch.nn.functional as F

from cases import Family, double


def one_of_classes(average):
    """precision, recall and F1 of counts per class, "macro" over the classes that occur, as scikit-learn's."""
    def value(part, whole, rows):
        if average == "micro":
            return part.sum() / whole.sum()
        ratio = torch.where(whole > 0, part / whole.clamp(min=1), 0.0)
        return ratio[1] if average == "binary" else ratio[rows > 0].mean()
    return value


def counts(logits, label):
    c = logits.shape[1]
    guess, truth = F.one_hot(logits.argmax(1), c).double(), F.one_hot(label, c).double()
    return (guess * truth).sum(0), guess.sum(0), truth.sum(0)


def precision(logits, label, average):
    hits, taken, present = counts(logits, label)
    return one_of_classes(average)(hits, taken, taken + present)


def recall(logits, label, average):
    hits, taken, present = counts(logits, label)
    return one_of_classes(average)(hits, present, taken + present)


def f1(logits, label, average):
    hits, taken, present = counts(logits, label)
    return one_of_classes(average)(2 * hits, taken + present, taken + present)


def auc(score, label):
    """Over all pairs of a row of class 1 and one of class 0."""
    ones, zeros = score[label == 1][:, None], score[label == 0][None]
    return ((ones > zeros).double() + 0.5 * (ones == zeros).double()).mean()


def iou(logits, label):
    c = logits.shape[1]
    guess, truth = F.one_hot(logits.argmax(1), c).bool().flatten(0, -2), F.one_hot(label, c).bool().flatten(0, -2)
    hits, either = (guess & truth).sum(0), (guess | truth).sum(0)
    return (hits[either > 0] / either[either > 0]).double().mean()


def add(family, case, call, make, function, rows=(5, 2, 8, 1)):
    """make(n) gives the inputs of a batch of n rows."""
    seen = None
    for step, n in enumerate(rows):
        batch = make(n)
        for name, array in batch.items():
            family.put(case, f"{step}/in/{name}", array)
        tensors = [double(array) for array in batch.values()]
        seen = tensors if seen is None else [torch.cat(pair) for pair in zip(seen, tensors)]
        family.put(case, f"{step}/out/0", function(*seen))
    types = {"float32": "f32", "int32": "i32"}
    signature = ", ".join(f"{name}: {types[str(array.dtype)]}[{', '.join(['n', *map(str, array.shape[1:])])}]"
                          for name, array in batch.items())
    family.texts.append(f"eval {case}({signature}) {{ report value = {call} }}\n")


def metrics():
    family = Family("metrics")
    for index, classes in enumerate((2, 3, 5)):
        labelled = lambda n: {"x": family.normal(n, classes), "label": family.integers(classes, n)}
        add(family, f"accuracy_{index}", "accuracy(x, label)", labelled, lambda x, y: (x.argmax(1) == y).double().mean())
        add(family, f"top_k_{index}", f"top_k_accuracy(x, label, k={classes - 1})", labelled,
            lambda x, y: (x.topk(classes - 1).indices == y[:, None]).any(1).double().mean())
        for function, average in itertools.product((precision, recall, f1), ("binary", "macro", "micro")):
            name = function.__name__
            add(family, f"{name}_{average}_{index}", f'{name}(x, label, average="{average}")', labelled,
                lambda x, y: function(x, y, average))
        bins = (8, 64, 1000)[index]
        add(family, f"binned_auc_{index}", f"binned_auc(score, label, bins={bins})",
            lambda n: {"score": family.integers(bins, n).astype("float32") / bins + 0.5 / bins,
                       "label": family.random.permutation(n).astype("int32") % 2},
            auc)
        # Equal scores, scores of any size, and as many rows as are kept.
        scores = (lambda n: family.integers(5, n).astype("float32") - 2, lambda n: family.normal(n),
                  lambda n: family.normal(n) * 1e30)[index]
        add(family, f"auc_{index}", "auc(score, label)" if index == 0 else f"auc(score, label, rows={(0, 40, 16)[index]})",
            lambda n: {"score": scores(n), "label": family.random.permutation(n).astype("int32") % 2}, auc)
        shape = [(), (3,), (2, 2)][index]
        pair = lambda n: {"x": family.normal(n, *shape), "y": family.normal(n, *shape) + 3}
        add(family, f"mean_squared_error_{index}", "mean_squared_error(x, y)", pair, F.mse_loss)
        add(family, f"root_mean_squared_error_{index}", "root_mean_squared_error(x, y)", pair, lambda x, y: F.mse_loss(x, y).sqrt())
        add(family, f"r2_{index}", "r2(x, y)", pair, lambda x, y: 1 - ((x - y) ** 2).sum() / ((y - y.mean()) ** 2).sum())
        image = lambda n: {"x": family.normal(n, classes, *shape), "label": family.integers(classes, n, *shape)}
        add(family, f"perplexity_{index}", "perplexity(x, label)", image, lambda x, y: F.cross_entropy(x, y).exp())
        add(family, f"perplexity_ignore_{index}", "perplexity(x, label, ignore_index=0)",
            lambda n: dict(image(n), label=1 - image(n)["label"] % 2), lambda x, y: F.cross_entropy(x, y, ignore_index=0).exp(),
            rows=(8, 3, 5))
        add(family, f"iou_{index}", "iou(x, label)", image, iou)
    # Of equal logits the first counts as the largest, and what is NaN is never among them.
    odd = np.float32([[1, 1, 1], [np.nan, np.nan, np.nan], [0, np.nan, 1], [0, 2, 2]])
    for k, hits in ((1, 1), (2, 3)):
        add(family, f"top_k_odd_{k}", f"top_k_accuracy(x, label, k={k})",
            lambda n: {"x": odd, "label": np.int32([0, 0, 2, 2])}, lambda x, y: hits / 4, rows=(4,))
    for name, differences, expected in (("exact", (0, 0), 1.0), ("off", (0, 1), 0.0)):
        add(family, f"r2_of_equal_{name}", "r2(x, y)",
            lambda n: {"x": np.full(n, 0.1, "float32") + np.float32(differences[n % 2]), "y": np.full(n, 0.1, "float32")},
            lambda x, y: expected if (x == y).all() else 0.0, rows=(3, 5, 2))
    far = lambda n: {"x": family.normal(n) + 3000, "y": family.normal(n) + 3000}  # means beyond the spread
    add(family, "r2_far", "r2(x, y)", far, lambda x, y: 1 - ((x - y) ** 2).sum() / ((y - y.mean()) ** 2).sum())
    return family


FAMILIES = [metrics]
