// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Building expressions: constants are folded and neutral elements dropped, because every entry of a schedule
// carries several and most are constants. Evaluating them, for tests and tools.

#include "compiler/Artifact/ArtifactWriter.h"

#include <algorithm>

namespace dlc::artifact {
namespace {

using Op = Expression::Op;

/// The value of `a op b`, or none when it overflows or divides by less than 1: then the runtime reports it.
std::optional<int64_t> foldConstants(Op op, int64_t a, int64_t b) {
  int64_t result;
  switch (op) {
  case Op::Add:
    return __builtin_add_overflow(a, b, &result) ? std::nullopt : std::optional(result);
  case Op::Sub:
    return __builtin_sub_overflow(a, b, &result) ? std::nullopt : std::optional(result);
  case Op::Mul:
    return __builtin_mul_overflow(a, b, &result) ? std::nullopt : std::optional(result);
  case Op::FloorDiv:
    return b < 1 ? std::nullopt : std::optional(a / b - (a % b < 0));
  case Op::CeilDiv:
    return b < 1 ? std::nullopt : std::optional(a / b + (a % b > 0));
  case Op::Mod:
    return b < 1 ? std::nullopt : std::optional(a % b + (a % b < 0 ? b : 0));
  case Op::Min:
    return std::min(a, b);
  case Op::Max:
    return std::max(a, b);
  case Op::Constant:
  case Op::Symbol:
    break;
  }
  return std::nullopt;
}

} // namespace

Expression Expression::symbol(unsigned index) {
  Expression result;
  result.code = {{Op::Symbol, index}};
  return result;
}

Expression Expression::binary(Op op, const Expression &a, const Expression &b) {
  if (a.isConstant() && b.isConstant())
    if (std::optional<int64_t> value = foldConstants(op, a.constantValue(), b.constantValue()))
      return *value;
  auto is = [](const Expression &e, int64_t value) { return e.isConstant() && e.constantValue() == value; };
  if ((op == Op::Add || op == Op::Sub) && is(b, 0))
    return a;
  if (op == Op::Add && is(a, 0))
    return b;
  if ((op == Op::Mul || op == Op::FloorDiv || op == Op::CeilDiv) && is(b, 1))
    return a;
  if (op == Op::Mul && is(a, 1))
    return b;
  if (op == Op::Mul && (is(a, 0) || is(b, 0)))
    return 0;

  Expression result;
  result.code = a.code;
  result.code.insert(result.code.end(), b.code.begin(), b.code.end());
  result.code.push_back({op, 0});
  return result;
}

std::optional<int64_t> Expression::evaluate(const std::vector<int64_t> &symbols) const {
  std::vector<int64_t> stack;
  for (const auto &[op, value] : code) {
    if (op == Op::Constant || op == Op::Symbol) {
      stack.push_back(op == Op::Constant ? value : symbols[static_cast<size_t>(value)]);
      continue;
    }
    int64_t b = stack.back();
    stack.pop_back();
    std::optional<int64_t> result = foldConstants(op, stack.back(), b);
    if (!result)
      return std::nullopt;
    stack.back() = *result;
  }
  return stack.back();
}

} // namespace dlc::artifact
