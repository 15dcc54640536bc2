// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementary functions as polynomials in explicit fma form, on scalars and vectors of f32 and f64: the same
// bits on every target and width, within 2 units in the last place. No table is read from memory.

#ifndef DLC_COMPILER_CODEGEN_MATHFUNCTIONS_H
#define DLC_COMPILER_CODEGEN_MATHFUNCTIONS_H

#include "compiler/Codegen/ValueBuilder.h"

namespace dlc::codegen {

Value emitExp(ValueBuilder &values, Value x);
Value emitLog(ValueBuilder &values, Value x);
Value emitTanh(ValueBuilder &values, Value x);
Value emitErf(ValueBuilder &values, Value x);
Value emitSin(ValueBuilder &values, Value x);
Value emitCos(ValueBuilder &values, Value x);
/// exp(b · log |a|) with the logarithm in extended precision; b = -1, 0, … 4 by multiplications.
Value emitPow(ValueBuilder &values, Value a, Value b);

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_MATHFUNCTIONS_H
