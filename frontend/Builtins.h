// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The primitive functions of the language. Each maps to operations of the dl dialect, or is folded when its
// arguments are known at compile time; what can be written in the language is in std/*.dl instead.
#ifndef DLC_FRONTEND_BUILTINS_H
#define DLC_FRONTEND_BUILTINS_H

#include "frontend/Entity.h"

namespace dlc::frontend {

class Elaborator;
struct BuiltinCall;

struct Builtin {
  llvm::StringLiteral name;
  /// Its parameters' names, separated by spaces; `name?` is optional, `name*` takes all positional arguments
  /// from there on as one tuple, and comes last but for optional ones that are given by name.
  llvm::StringLiteral parameters;
  Entity (*elaborate)(Elaborator &elaborator, BuiltinCall &call);
};

/// Null if there is none of that name.
const Builtin *findBuiltin(llvm::StringRef name);
/// All names, for suggestions.
llvm::ArrayRef<llvm::StringRef> builtinNames();
/// Names with a meaning of their own: training, iteration, and the element types.
llvm::ArrayRef<llvm::StringRef> specialNames();

/// Gives each axis of an operand its letter of an equation: what is wrong with the letters, or nothing.
using LetterSizes = llvm::SmallDenseMap<char, dl::PolynomialAttr>;
std::string bindLetters(llvm::StringRef letters, dl::TensorType type, LetterSizes &sizes);

/// The families (one file each).
llvm::ArrayRef<Builtin> elementwiseBuiltins();
llvm::ArrayRef<Builtin> reductionBuiltins();
llvm::ArrayRef<Builtin> einsumBuiltins();
llvm::ArrayRef<Builtin> shapeBuiltins();
llvm::ArrayRef<Builtin> indexBuiltins();
llvm::ArrayRef<Builtin> convolutionBuiltins();

} // namespace dlc::frontend

#endif // DLC_FRONTEND_BUILTINS_H
