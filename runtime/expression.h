// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The integer expressions of an artifact: sizes, offsets, strides and counts over an entry's symbols.

#ifndef DLC_RUNTIME_EXPRESSION_H
#define DLC_RUNTIME_EXPRESSION_H

#include "runtime/dlc_runtime.h"

namespace dlc::schema {
struct Metadata;
struct Entry;
} // namespace dlc::schema

namespace dlc::runtime {

inline constexpr int expression_stack_limit = 16;

// Walks one expression without values. False when it is malformed: bad range, operation, symbol ≥
// `symbol_count`, stack underflow or depth, or not exactly one value at the end.
bool expression_is_valid(const schema::Metadata &metadata, uint32_t expression, uint32_t symbol_count);

// A valid expression's value. False on overflow and on division by a value below 1.
bool expression_value(const schema::Metadata &metadata, uint32_t expression, const int64_t *dims,
                      int64_t *out_value);

// The symbol that a valid expression consists of alone, or -1.
int32_t expression_symbol(const schema::Metadata &metadata, uint32_t expression);

// Writes it as infix text into `buffer`, cut to `size`; returns the full length. The result is "?" for one
// that is too long to show.
size_t expression_text(const schema::Metadata &metadata, uint32_t expression, const schema::Entry &entry,
                       char *buffer, size_t size);

} // namespace dlc::runtime

#endif // DLC_RUNTIME_EXPRESSION_H
