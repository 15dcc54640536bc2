// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The words of a program for the syntax tree's enumerations, and back.
#include "frontend/AST.h"

using namespace dlc::frontend;
using llvm::ArrayRef;
using llvm::StringRef;

/// In the order of the enumerations.
static constexpr StringRef kElementTypes[] = {"f32", "f64", "bf16", "f16", "i8", "u8", "i32", "i64", "bool"};
static constexpr StringRef kConstantTypes[] = {"int", "float", "bool", "string"};

template <typename Type> static std::optional<Type> find(ArrayRef<StringRef> names, StringRef name) {
  const StringRef *found = llvm::find(names, name);
  return found == names.end() ? std::nullopt : std::optional(static_cast<Type>(found - names.begin()));
}

ArrayRef<StringRef> dlc::frontend::elementTypeNames() {
  return kElementTypes;
}

StringRef dlc::frontend::stringify(ElementType type) {
  return kElementTypes[static_cast<unsigned>(type)];
}

std::optional<ElementType> dlc::frontend::parseElementType(StringRef name) {
  return find<ElementType>(kElementTypes, name);
}

StringRef dlc::frontend::stringify(ConstantType type) {
  return kConstantTypes[static_cast<unsigned>(type)];
}

std::optional<ConstantType> dlc::frontend::parseConstantType(StringRef name) {
  return find<ConstantType>(kConstantTypes, name);
}

StringRef dlc::frontend::stringify(DeclKind kind) {
  static constexpr StringRef names[] = {"import", "fit",   "layer",  "function",  "model",    "train",
                                        "eval",   "infer", "metric", "optimizer", "schedule", "initializer"};
  return names[static_cast<unsigned>(kind)];
}

StringRef dlc::frontend::stringify(BinaryOp op) {
  static constexpr StringRef names[] = {
      "+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "and", "or"};
  return names[static_cast<unsigned>(op)];
}

StringRef dlc::frontend::stringify(ReductionKind kind) {
  static constexpr StringRef names[] = {"sum", "max", "min", "prod"};
  return names[static_cast<unsigned>(kind)];
}
