// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/CPU/IndexMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace dlc::codegen {

std::optional<int64_t> IndexMath::asConstant(Extent index) {
  return getConstantIntValue(index);
}

Value IndexMath::value(Extent index) {
  if (auto ssa = dyn_cast<Value>(index))
    return ssa;
  return arith::ConstantIndexOp::create(builder, location, *asConstant(index));
}

Extent IndexMath::add(Extent a, Extent b) {
  auto x = asConstant(a), y = asConstant(b);
  if (x && y)
    return constant(*x + *y);
  if (x == 0)
    return b;
  if (y == 0)
    return a;
  return arith::AddIOp::create(builder, location, value(a), value(b)).getResult();
}

Extent IndexMath::sub(Extent a, Extent b) {
  auto x = asConstant(a), y = asConstant(b);
  if (x && y)
    return constant(*x - *y);
  if (y == 0)
    return a;
  return arith::SubIOp::create(builder, location, value(a), value(b)).getResult();
}

Extent IndexMath::mul(Extent a, Extent b) {
  auto x = asConstant(a), y = asConstant(b);
  if (x && y)
    return constant(*x * *y);
  if (x == 0 || y == 0)
    return constant(0);
  if (x == 1)
    return b;
  if (y == 1)
    return a;
  return arith::MulIOp::create(builder, location, value(a), value(b)).getResult();
}

Extent IndexMath::min(Extent a, Extent b) {
  auto x = asConstant(a), y = asConstant(b);
  if (x && y)
    return constant(std::min(*x, *y));
  return arith::MinSIOp::create(builder, location, value(a), value(b)).getResult();
}

Extent IndexMath::max(Extent a, Extent b) {
  auto x = asConstant(a), y = asConstant(b);
  if (x && y)
    return constant(std::max(*x, *y));
  return arith::MaxSIOp::create(builder, location, value(a), value(b)).getResult();
}

Extent IndexMath::floorDiv(Extent a, Extent b) {
  auto x = asConstant(a), y = asConstant(b);
  if (x && y)
    return constant(*x / *y);
  if (y == 1)
    return a;
  return arith::DivUIOp::create(builder, location, value(a), value(b)).getResult();
}

Extent IndexMath::ceilDiv(Extent a, Extent b) {
  if (isConstant(b, 1))
    return a;
  return floorDiv(add(a, sub(b, constant(1))), b);
}

Extent IndexMath::mod(Extent a, Extent b) {
  auto x = asConstant(a), y = asConstant(b);
  if (x && y)
    return constant(*x % *y);
  if (y == 1)
    return constant(0);
  return arith::RemUIOp::create(builder, location, value(a), value(b)).getResult();
}

} // namespace dlc::codegen
