// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/expression.h"

#include "artifact_generated.h"

#include <stdio.h>
#include <string.h>

namespace dlc::runtime {
namespace {

using schema::Instruction;
using schema::Op;

bool apply(Op op, int64_t a, int64_t b, int64_t *out) {
  switch (op) {
  case Op::Add:
    return !__builtin_add_overflow(a, b, out);
  case Op::Sub:
    return !__builtin_sub_overflow(a, b, out);
  case Op::Mul:
    return !__builtin_mul_overflow(a, b, out);
  case Op::FloorDiv:
  case Op::CeilDiv:
  case Op::Mod: {
    if (b < 1)
      return false;
    int64_t quotient = a / b, remainder = a % b;
    if (op == Op::FloorDiv)
      *out = quotient - (remainder < 0);
    else if (op == Op::CeilDiv)
      *out = quotient + (remainder > 0);
    else
      *out = remainder + (remainder < 0 ? b : 0);
    return true;
  }
  case Op::Min:
    *out = a < b ? a : b;
    return true;
  case Op::Max:
    *out = a > b ? a : b;
    return true;
  case Op::Constant:
  case Op::Symbol:
    break;
  }
  return false;
}

// How tightly an operation binds in text: a + b is 1, a * b is 2, names and calls are 3.
int precedence(Op op) {
  switch (op) {
  case Op::Add:
  case Op::Sub:
    return 1;
  case Op::Mul:
  case Op::FloorDiv:
  case Op::CeilDiv:
  case Op::Mod:
    return 2;
  default:
    return 3;
  }
}

struct text_slot {
  int level;
  char text[248];
};

} // namespace

bool expression_is_valid(const schema::Metadata &metadata, uint32_t expression, uint32_t symbol_count) {
  if (expression >= metadata.expressions()->size())
    return false;
  const schema::Expression *range = metadata.expressions()->Get(expression);
  uint64_t limit = metadata.instructions()->size();
  if (range->first() > limit || range->count() > limit - range->first())
    return false;
  int depth = 0;
  for (uint32_t i = 0; i < range->count(); ++i) {
    const Instruction *instruction = metadata.instructions()->Get(range->first() + i);
    if (instruction->op() > Op::MAX)
      return false;
    if (instruction->op() == Op::Constant || instruction->op() == Op::Symbol) {
      if (instruction->op() == Op::Symbol &&
          (instruction->value() < 0 || instruction->value() >= symbol_count))
        return false;
      if (++depth > expression_stack_limit)
        return false;
    } else if (--depth < 1) {
      return false;
    }
  }
  return depth == 1;
}

bool expression_value(const schema::Metadata &metadata, uint32_t expression, const int64_t *dims,
                      int64_t *out_value) {
  const schema::Expression *range = metadata.expressions()->Get(expression);
  int64_t stack[expression_stack_limit];
  int depth = 0;
  for (uint32_t i = 0; i < range->count(); ++i) {
    const Instruction *instruction = metadata.instructions()->Get(range->first() + i);
    if (instruction->op() == Op::Constant) {
      stack[depth++] = instruction->value();
    } else if (instruction->op() == Op::Symbol) {
      stack[depth++] = dims[instruction->value()];
    } else {
      --depth;
      if (!apply(instruction->op(), stack[depth - 1], stack[depth], &stack[depth - 1]))
        return false;
    }
  }
  *out_value = stack[0];
  return true;
}

int32_t expression_symbol(const schema::Metadata &metadata, uint32_t expression) {
  const schema::Expression *range = metadata.expressions()->Get(expression);
  if (range->count() != 1)
    return -1;
  const Instruction *instruction = metadata.instructions()->Get(range->first());
  return instruction->op() == Op::Symbol ? int32_t(instruction->value()) : -1;
}

size_t expression_text(const schema::Metadata &metadata, uint32_t expression, const schema::Entry &entry,
                       char *buffer, size_t size) {
  static constexpr const char *infix[] = {"", "", " + ", " - ", "*", "/", "", " mod ", "", ""};
  const schema::Expression *range = metadata.expressions()->Get(expression);
  text_slot stack[expression_stack_limit];
  text_slot joined;
  int depth = 0;
  bool fits = true;
  for (uint32_t i = 0; i < range->count() && fits; ++i) {
    const Instruction *instruction = metadata.instructions()->Get(range->first() + i);
    Op op = instruction->op();
    int length;
    if (op == Op::Constant || op == Op::Symbol) {
      text_slot &slot = stack[depth++];
      slot.level = op == Op::Constant && instruction->value() < 0 ? 1 : 3;
      if (op == Op::Constant)
        length = snprintf(slot.text, sizeof(slot.text), "%lld", static_cast<long long>(instruction->value()));
      else
        length = snprintf(slot.text, sizeof(slot.text), "%s",
                          entry.symbols()->Get(uint32_t(instruction->value()))->name()->c_str());
    } else {
      --depth;
      const text_slot &a = stack[depth - 1], &b = stack[depth];
      int level = precedence(op);
      if (op == Op::Min || op == Op::Max || op == Op::CeilDiv) {
        const char *name = op == Op::Min ? "min" : op == Op::Max ? "max" : "ceildiv";
        level = 3;
        length = snprintf(joined.text, sizeof(joined.text), "%s(%s, %s)", name, a.text, b.text);
      } else {
        bool wrap_a = a.level < level;
        bool wrap_b = b.level < level || (b.level == level && op != Op::Add && op != Op::Mul);
        length = snprintf(joined.text, sizeof(joined.text), "%s%s%s%s%s%s%s", wrap_a ? "(" : "", a.text,
                          wrap_a ? ")" : "", infix[int(op)], wrap_b ? "(" : "", b.text, wrap_b ? ")" : "");
      }
      joined.level = level;
      stack[depth - 1] = joined;
    }
    fits = length >= 0 && size_t(length) < sizeof(joined.text);
  }
  int length = snprintf(buffer, size, "%s", fits ? stack[0].text : "?");
  return size_t(length);
}

} // namespace dlc::runtime
