// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolution and pooling over any number of spatial dimensions.

#include "frontend/Builtins.h"
#include "frontend/Elaborator.h"

namespace dlc::frontend {
namespace {

/// One int per spatial dimension; one int stands for all.
std::optional<SmallVector<int64_t>> perAxis(Elaborator &e, BuiltinCall &call, size_t arg, int64_t spatial,
                                            int64_t missing, int64_t least, StringRef name) {
  const Entity &entity = call.args[arg];
  if (entity.kind == Entity::Kind::None)
    return SmallVector<int64_t>(spatial, missing);
  std::vector<Entity> values =
      entity.isTuple() ? entity.tuple->elements : std::vector<Entity>(spatial, entity);
  SmallVector<int64_t> result;
  for (const Entity &value : values)
    if (value.isConstantInteger() && *value.integer.getConstantValue() >= least &&
        *value.integer.getConstantValue() <= INT32_MAX)
      result.push_back(*value.integer.getConstantValue());
  if (static_cast<int64_t>(values.size()) == spatial && result.size() == values.size())
    return result;
  e.error(call.argRanges[arg], call.name + "'s " + name + " is " + llvm::Twine(spatial) +
                                   (spatial == 1 ? " int" : " ints") + " of at least " + llvm::Twine(least) +
                                   ", or one for all, got " + describe(entity));
  return std::nullopt;
}

bool checkFloatTensor(Elaborator &e, BuiltinCall &call, size_t arg) {
  const Entity &x = call.args[arg];
  if (x.isTensor() && isa<FloatType>(x.tensorType().getElementType()))
    return true;
  e.error(call.argRanges[arg], call.name + " needs a floating-point tensor, got " + describe(x));
  return false;
}

/// floor((size + 2 padding - extent) / stride) + 1
std::optional<dl::PolynomialAttr> windowedSize(Elaborator &e, BuiltinCall &call, dl::TensorType type,
                                               int64_t axis, int64_t extent, int64_t stride,
                                               int64_t padding) {
  dl::PolynomialAttr span = type.getDim(axis) + (2 * padding - extent);
  std::optional<int64_t> value = span.getConstantValue();
  if (!e.requireNotNegative(span, call.range)) {
    e.error(call.range, call.name + "'s window of " + llvm::Twine(extent) + " does not fit into axis " +
                            llvm::Twine(axis) + " of " + describe(type) +
                            (padding ? " with padding " + llvm::Twine(padding) : llvm::Twine()));
    return std::nullopt;
  }
  if (value)
    return e.poly(*value / stride + 1);
  if (stride == 1)
    return span + 1;
  e.error(call.range, call.name + " with stride " + llvm::Twine(stride) + " needs a constant size in axis " +
                          llvm::Twine(axis) + ", got " + describe(type));
  return std::nullopt;
}

/// conv(x, w, stride=1, padding=0, dilation=1, groups=1)
Entity conv(Elaborator &e, BuiltinCall &call) {
  if (!checkFloatTensor(e, call, 0) || !checkFloatTensor(e, call, 1))
    return Entity::poison();
  dl::TensorType x = call.args[0].tensorType(), w = call.args[1].tensorType();
  int64_t spatial = x.getRank() - 2;
  if (spatial < 1 || w.getRank() != x.getRank() || x.getElementType() != w.getElementType()) {
    e.error(call.range, "conv needs [n, c, …] and [o, c, …] of one type and rank of at least 3, got " +
                            describe(x) + " and " + describe(w));
    return Entity::poison();
  }
  auto strides = perAxis(e, call, 2, spatial, 1, 1, "stride");
  auto padding = perAxis(e, call, 3, spatial, 0, 0, "padding");
  auto dilations = perAxis(e, call, 4, spatial, 1, 1, "dilation");
  auto groupList = perAxis(e, call, 5, 1, 1, 1, "groups");
  if (!strides || !padding || !dilations || !groupList)
    return Entity::poison();
  int64_t groups = groupList->front();
  if (w.getDim(1) * groups != x.getDim(1)) {
    e.error(call.range, "conv's filter " + describe(w) + " takes " + dl::toString(w.getDim(1) * groups) +
                            " channels, got " + describe(x));
    return Entity::poison();
  }
  if (!dl::divideExactly(w.getDim(0), e.poly(groups))) {
    e.error(call.range, "conv's " + llvm::Twine(groups) + " groups do not divide the filter's " +
                            dl::toString(w.getDim(0)) + " channels");
    return Entity::poison();
  }
  SmallVector<dl::PolynomialAttr> shape{x.getDim(0), w.getDim(0)};
  for (int64_t i = 0; i < spatial; ++i) {
    std::optional<int64_t> kernel = w.getDim(i + 2).getConstantValue();
    if (!kernel || *kernel < 1) {
      e.error(call.argRanges[1], "conv needs a filter of constant size, got " + describe(w));
      return Entity::poison();
    }
    std::optional<dl::PolynomialAttr> size =
        windowedSize(e, call, x, i + 2, (*dilations)[i] * (*kernel - 1) + 1, (*strides)[i], (*padding)[i]);
    if (!size)
      return Entity::poison();
    shape.push_back(*size);
  }
  return Entity::ofTensor(e.emit<dl::ConvOp>(x.withShape(shape), call.args[0].value, call.args[1].value,
                                             *strides, *padding, *padding, *dilations,
                                             static_cast<uint64_t>(groups)));
}

/// (size - 1) stride - 2 padding + extent + extra: the size whose convolution has `size`.
std::optional<dl::PolynomialAttr> transposedSize(Elaborator &e, BuiltinCall &call, dl::TensorType type,
                                                 int64_t axis, int64_t extent, int64_t stride,
                                                 int64_t padding, int64_t extra) {
  dl::PolynomialAttr size = (type.getDim(axis) - 1) * stride + (extent + extra - 2 * padding);
  if (stride > 1 && !size.isConstant()) {
    e.error(call.range, "conv_transpose with stride " + llvm::Twine(stride) +
                            " needs a constant size in axis " + llvm::Twine(axis) + ", got " +
                            describe(type));
    return std::nullopt;
  }
  if (e.requireNotNegative(size - 1, call.range))
    return size;
  e.error(call.range, "conv_transpose's padding " + llvm::Twine(padding) + " leaves nothing of axis " +
                          llvm::Twine(axis) + " of " + describe(type) + " under a window of " +
                          llvm::Twine(extent));
  return std::nullopt;
}

/// conv_transpose(x, w, stride=1, padding=0, output_padding=0, dilation=1, groups=1)
Entity convTranspose(Elaborator &e, BuiltinCall &call) {
  if (!checkFloatTensor(e, call, 0) || !checkFloatTensor(e, call, 1))
    return Entity::poison();
  dl::TensorType x = call.args[0].tensorType(), w = call.args[1].tensorType();
  int64_t spatial = x.getRank() - 2;
  if (spatial < 1 || w.getRank() != x.getRank() || x.getElementType() != w.getElementType()) {
    e.error(call.range,
            "conv_transpose needs [n, c, …] and [c, o, …] of one type and rank of at least 3, got " +
                describe(x) + " and " + describe(w));
    return Entity::poison();
  }
  auto strides = perAxis(e, call, 2, spatial, 1, 1, "stride");
  auto padding = perAxis(e, call, 3, spatial, 0, 0, "padding");
  auto extra = perAxis(e, call, 4, spatial, 0, 0, "output_padding");
  auto dilations = perAxis(e, call, 5, spatial, 1, 1, "dilation");
  auto groupList = perAxis(e, call, 6, 1, 1, 1, "groups");
  if (!strides || !padding || !extra || !dilations || !groupList)
    return Entity::poison();
  int64_t groups = groupList->front();
  if (w.getDim(0) != x.getDim(1)) {
    e.error(call.range, "conv_transpose's filter " + describe(w) + " takes " + dl::toString(w.getDim(0)) +
                            " channels, got " + describe(x));
    return Entity::poison();
  }
  if (!dl::divideExactly(w.getDim(0), e.poly(groups))) {
    e.error(call.range, "conv_transpose's " + llvm::Twine(groups) + " groups do not divide the filter's " +
                            dl::toString(w.getDim(0)) + " channels");
    return Entity::poison();
  }
  SmallVector<dl::PolynomialAttr> shape{x.getDim(0), w.getDim(1) * groups};
  for (int64_t i = 0; i < spatial; ++i) {
    std::optional<int64_t> kernel = w.getDim(i + 2).getConstantValue();
    if (!kernel || *kernel < 1) {
      e.error(call.argRanges[1], "conv_transpose needs a filter of constant size, got " + describe(w));
      return Entity::poison();
    }
    // More would be another position of the convolution that this is the transpose of.
    if ((*extra)[i] >= (*strides)[i]) {
      e.error(call.argRanges[4], "conv_transpose's output_padding must be smaller than its stride of " +
                                     llvm::Twine((*strides)[i]) + ", got " + llvm::Twine((*extra)[i]));
      return Entity::poison();
    }
    std::optional<dl::PolynomialAttr> size = transposedSize(
        e, call, x, i + 2, (*dilations)[i] * (*kernel - 1) + 1, (*strides)[i], (*padding)[i], (*extra)[i]);
    if (!size)
      return Entity::poison();
    shape.push_back(*size);
  }
  return Entity::ofTensor(e.emit<dl::ConvInputGradOp>(x.withShape(shape), call.args[0].value,
                                                      call.args[1].value, *strides, *padding, *padding,
                                                      *dilations, static_cast<uint64_t>(groups)));
}

/// max_pool(x, window, stride=window, padding=0)
Entity maxPool(Elaborator &e, BuiltinCall &call) {
  if (!checkFloatTensor(e, call, 0))
    return Entity::poison();
  dl::TensorType x = call.args[0].tensorType();
  int64_t spatial = x.getRank() - 2;
  if (spatial < 1) {
    e.error(call.argRanges[0], "max_pool needs [n, c, …] of rank of at least 3, got " + describe(x));
    return Entity::poison();
  }
  auto window = perAxis(e, call, 1, spatial, 1, 1, "window");
  auto strides = window && call.args[2].kind == Entity::Kind::None
                     ? window
                     : perAxis(e, call, 2, spatial, 1, 1, "stride");
  auto padding = perAxis(e, call, 3, spatial, 0, 0, "padding");
  if (!window || !strides || !padding)
    return Entity::poison();
  SmallVector<dl::PolynomialAttr> shape{x.getDim(0), x.getDim(1)};
  for (int64_t i = 0; i < spatial; ++i) {
    if ((*padding)[i] >= (*window)[i]) {
      e.error(call.argRanges[3], "max_pool's padding must be smaller than its window of " +
                                     llvm::Twine((*window)[i]) + ", got " + llvm::Twine((*padding)[i]));
      return Entity::poison();
    }
    std::optional<dl::PolynomialAttr> size =
        windowedSize(e, call, x, i + 2, (*window)[i], (*strides)[i], (*padding)[i]);
    if (!size)
      return Entity::poison();
    shape.push_back(*size);
  }
  return Entity::ofTensor(
      e.emit<dl::MaxPoolOp>(x.withShape(shape), call.args[0].value, *window, *strides, *padding, *padding));
}

constexpr Builtin kConvolutions[] = {
    {"conv", "x w stride? padding? dilation? groups?", conv},
    {"conv_transpose", "x w stride? padding? output_padding? dilation? groups?", convTranspose},
    {"max_pool", "x window stride? padding?", maxPool},
};

} // namespace

ArrayRef<Builtin> convolutionBuiltins() {
  return kConvolutions;
}

} // namespace dlc::frontend
