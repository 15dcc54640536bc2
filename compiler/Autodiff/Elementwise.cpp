// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rules of the operations that work element by element. Where the result says as much as the operand, the
// rule uses the result: one tensor less is kept for the backward pass.

#include "compiler/Autodiff/Rules.h"

#include <numbers>

namespace dlc::autodiff {

using namespace mlir;

namespace {

/// Whether all elements are known at compile time; then keeping the value costs nothing.
bool isConstant(Value value) {
  Operation *op = value.getDefiningOp();
  while (isa_and_nonnull<dl::BroadcastOp, dl::ReshapeOp, dl::CastOp, dl::TransposeOp>(op))
    op = op->getOperand(0).getDefiningOp();
  return isa_and_nonnull<dl::ConstantOp>(op);
}

/// The value of a constant of one number.
std::optional<double> constantValue(Value value) {
  auto op = value.getDefiningOp<dl::ConstantOp>();
  while (!op && value.getDefiningOp<dl::BroadcastOp>()) {
    value = value.getDefiningOp<dl::BroadcastOp>().getOperand();
    op = value.getDefiningOp<dl::ConstantOp>();
  }
  if (!op)
    return std::nullopt;
  if (auto real = dyn_cast<FloatAttr>(op.getValue()))
    return real.getValueAsDouble();
  return std::nullopt;
}

/// r = max(a, b) or min(a, b): da = dr where a won (`first`, ties included), db = dr where b did (`second`).
/// Against a constant a, b wins exactly where r differs from it in the same direction, so r suffices: the
/// backward pass of relu, max(0, x), needs only its result.
template <typename OpType>
void extremum(OpType op, Value dr, Gradients &g, dl::Predicate first, dl::Predicate second) {
  Value a = op.getLhs(), b = op.getRhs();
  Value zero = g.constant(dr, 0);
  g.flow(a, [&] { return g.select(g.compare(first, a, b), dr, zero); });
  g.flow(b, [&] { return g.select(g.compare(second, isConstant(a) ? op.getResult() : b, a), dr, zero); });
}

} // namespace

void addElementwiseRules(RuleTable &table) {
  // r = -x: dx = -dr
  table.add<dl::NegOp>(
      +[](dl::NegOp op, Value dr, Gradients &g) { g.flow(op.getOperand(), [&] { return g.negative(dr); }); });
  // r = |x|: dx = dr where x > 0, -dr where x < 0, 0 at 0
  table.add<dl::AbsOp>(+[](dl::AbsOp op, Value dr, Gradients &g) {
    Value x = op.getOperand();
    g.flow(x, [&] {
      Value zero = g.constant(x, 0);
      Value negative = g.select(g.compare(dl::Predicate::Lt, x, zero), g.negative(dr), zero);
      return g.select(g.compare(dl::Predicate::Gt, x, zero), dr, negative);
    });
  });
  // r = e^x: dx = dr * r
  table.add<dl::ExpOp>(+[](dl::ExpOp op, Value dr, Gradients &g) {
    g.flow(op.getOperand(), [&] { return g.product(dr, op.getResult()); });
  });
  // r = ln x: dx = dr / x
  table.add<dl::LogOp>(+[](dl::LogOp op, Value dr, Gradients &g) {
    g.flow(op.getOperand(), [&] { return g.quotient(dr, op.getOperand()); });
  });
  // r = x^(1/2): dx = dr / 2 / r
  table.add<dl::SqrtOp>(+[](dl::SqrtOp op, Value dr, Gradients &g) {
    g.flow(op.getOperand(), [&] { return g.quotient(g.product(g.constant(dr, 0.5), dr), op.getResult()); });
  });
  // r = tanh x: dx = dr * (1 - r * r)
  table.add<dl::TanhOp>(+[](dl::TanhOp op, Value dr, Gradients &g) {
    Value r = op.getResult();
    g.flow(op.getOperand(), [&] { return g.product(dr, g.difference(g.constant(r, 1), g.product(r, r))); });
  });
  // r = sin x: dx = dr * cos x
  table.add<dl::SinOp>(+[](dl::SinOp op, Value dr, Gradients &g) {
    g.flow(op.getOperand(), [&] { return g.product(dr, dl::CosOp::create(g.builder, op.getOperand())); });
  });
  // r = cos x: dx = -(dr * sin x)
  table.add<dl::CosOp>(+[](dl::CosOp op, Value dr, Gradients &g) {
    g.flow(op.getOperand(),
           [&] { return g.negative(g.product(dr, dl::SinOp::create(g.builder, op.getOperand()))); });
  });
  // r = erf x: dx = dr * (2 / pi^(1/2) * e^(-x * x))
  table.add<dl::ErfOp>(+[](dl::ErfOp op, Value dr, Gradients &g) {
    Value x = op.getOperand();
    g.flow(x, [&] {
      Value bell = dl::ExpOp::create(g.builder, g.negative(g.product(x, x)));
      return g.product(dr, g.product(g.constant(x, 2 * std::numbers::inv_sqrtpi), bell));
    });
  });
  // r = x, or 0 where |x| < 2^-126: dx = dr (flushing is a rounding)
  table.add<dl::FlushOp>(+[](dl::FlushOp op, Value dr, Gradients &g) { g.add(op.getOperand(), dr); });

  // r = a + b: da = dr, db = dr
  table.add<dl::AddOp>(+[](dl::AddOp op, Value dr, Gradients &g) {
    g.add(op.getLhs(), dr);
    g.add(op.getRhs(), dr);
  });
  // r = a - b: da = dr, db = -dr
  table.add<dl::SubOp>(+[](dl::SubOp op, Value dr, Gradients &g) {
    g.add(op.getLhs(), dr);
    g.flow(op.getRhs(), [&] { return g.negative(dr); });
  });
  // r = a * b: da = dr * b, db = dr * a
  table.add<dl::MulOp>(+[](dl::MulOp op, Value dr, Gradients &g) {
    g.flow(op.getLhs(), [&] { return g.product(dr, op.getRhs()); });
    g.flow(op.getRhs(), [&] { return g.product(dr, op.getLhs()); });
  });
  // r = a / b: da = dr / b, db = -(dr / b * r)
  table.add<dl::DivOp>(+[](dl::DivOp op, Value dr, Gradients &g) {
    if (!g.isActive(op.getLhs()) && !g.isActive(op.getRhs()))
      return;
    Value da = g.quotient(dr, op.getRhs());
    g.add(op.getLhs(), da);
    g.flow(op.getRhs(), [&] { return g.negative(g.product(da, op.getResult())); });
  });
  // r = a - b * floor(a / b): da = dr, db = -(dr * floor(a / b))
  table.add<dl::RemOp>(+[](dl::RemOp op, Value dr, Gradients &g) {
    g.add(op.getLhs(), dr);
    g.flow(op.getRhs(), [&] {
      Value whole = dl::FloorOp::create(g.builder, g.quotient(op.getLhs(), op.getRhs()));
      return g.negative(g.product(dr, whole));
    });
  });
  // r = a^b: da = dr * (b * a^(b - 1)), 0 where b = 0; db = dr * (r * ln a), 0 where a <= 0
  table.add<dl::PowOp>(+[](dl::PowOp op, Value dr, Gradients &g) {
    Value a = op.getLhs(), b = op.getRhs();
    g.flow(a, [&]() -> Value {
      std::optional<double> exponent = constantValue(b);
      if (exponent == 0)
        return g.constant(a, 0);
      if (exponent == 1)
        return dr;
      if (exponent == 2)
        return g.product(dr, g.product(g.constant(a, 2), a));
      if (exponent)
        return g.product(dr, g.product(g.constant(a, *exponent),
                                       dl::PowOp::create(g.builder, a, g.constant(a, *exponent - 1))));
      Value zero = g.constant(b, 0);
      Value power = dl::PowOp::create(g.builder, a, g.difference(b, g.constant(b, 1)));
      return g.select(g.compare(dl::Predicate::Eq, b, zero), zero, g.product(dr, g.product(b, power)));
    });
    g.flow(b, [&] {
      Value zero = g.constant(a, 0);
      Value slope = g.product(op.getResult(), dl::LogOp::create(g.builder, a));
      return g.select(g.compare(dl::Predicate::Gt, a, zero), g.product(dr, slope), zero);
    });
  });
  // r = max(a, b): da = dr where a >= b, db = dr where b > a
  table.add<dl::MaxOp>(+[](dl::MaxOp op, Value dr, Gradients &g) {
    extremum(op, dr, g, dl::Predicate::Ge, dl::Predicate::Gt);
  });
  // r = min(a, b): da = dr where a <= b, db = dr where b < a
  table.add<dl::MinOp>(+[](dl::MinOp op, Value dr, Gradients &g) {
    extremum(op, dr, g, dl::Predicate::Le, dl::Predicate::Lt);
  });
  // r = c ? a : b: da = c ? dr : 0, db = c ? 0 : dr
  table.add<dl::SelectOp>(+[](dl::SelectOp op, Value dr, Gradients &g) {
    g.flow(op.getOnTrue(), [&] { return g.select(op.getCondition(), dr, g.constant(dr, 0)); });
    g.flow(op.getOnFalse(), [&] { return g.select(op.getCondition(), g.constant(dr, 0), dr); });
  });
  // r = x in another floating-point type: dx = dr in x's type
  table.add<dl::CastOp>(+[](dl::CastOp op, Value dr, Gradients &g) {
    g.flow(op.getOperand(), [&] { return dl::CastOp::create(g.builder, op.getOperand().getType(), dr); });
  });
}

} // namespace dlc::autodiff
