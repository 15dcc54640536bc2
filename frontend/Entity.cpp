// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Entity.h"

#include "llvm/ADT/StringExtras.h"
#include <charconv>

namespace dlc::frontend {

/// The shortest text that reads back as the same number.
static std::string shortestText(double number) {
  char text[32];
  auto [end, error] = std::to_chars(text, text + sizeof(text), number);
  assert(error == std::errc() && "32 characters hold every double");
  (void)error;
  return std::string(text, end);
}

std::string describe(dl::TensorType type) {
  std::string text = type.describe();
  return type.isScalar() ? llvm::StringRef(text).drop_back(2).str() : text;
}

/// Appends "[a, [b, c]]", and "…" for what would make the text long.
static void appendTuple(const Entity &entity, std::string &text) {
  constexpr size_t kMaxText = 200;
  text += "[";
  for (auto [position, element] : llvm::enumerate(entity.tuple->elements)) {
    text += position ? ", " : "";
    if (text.size() > kMaxText) {
      text += "…";
      break;
    }
    if (!element.isTuple()) {
      text += describe(element);
      continue;
    }
    text += "tuple ";
    appendTuple(element, text);
  }
  text += "]";
}

std::string describe(const Entity &entity) {
  switch (entity.kind) {
  case Entity::Kind::Poison:
    return "an erroneous value";
  case Entity::Kind::None:
    return "nothing";
  case Entity::Kind::Integer:
    return (entity.integer.isConstant() ? "int " : "dimension ") + dl::toString(entity.integer);
  case Entity::Kind::Float:
    return "float " + shortestText(entity.number);
  case Entity::Kind::Bool:
    return entity.flag ? "bool true" : "bool false";
  case Entity::Kind::String:
    return "string \"" + entity.text + "\"";
  case Entity::Kind::Tuple: {
    std::string text = "tuple ";
    appendTuple(entity, text);
    return text;
  }
  case Entity::Kind::ElementType:
    return "a data type";
  case Entity::Kind::Tensor:
    return describe(entity.tensorType());
  case Entity::Kind::Scalar:
    return "a run-time scalar";
  case Entity::Kind::Instance:
    return ("an instance of " + entity.instance->decl->name.text).str();
  case Entity::Kind::Callable:
    return (stringify(entity.decl->kind) + " " + entity.decl->name.text).str();
  case Entity::Kind::Builtin:
    return "a built-in function";
  }
  return "";
}

} // namespace dlc::frontend
