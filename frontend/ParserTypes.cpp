// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/ParserImpl.h"
#include "llvm/ADT/StringSwitch.h"

using namespace dlc::frontend;
using llvm::SmallVector;
using llvm::StringRef;

/// type ::= element-type ("[" (dimension ("," dimension)* ","?)? "]")?
///        | constant-type ("[" expr? "]")?
///        | "(" tuple-element ("," tuple-element)* ","? ")"
/// `bool` is a constant type without brackets, and an element type with them.
const TypeExpr *ParserImpl::parseType() {
  if (is(TokenKind::LeftParen))
    return parseTupleType();
  if (!is(TokenKind::Name))
    return reportExpected("a type such as f32[n, 10] or int");
  auto element = parseElementType(token().text);
  auto constant = frontend::parseConstantType(token().text);
  if (element && !(constant && !token(1).is(TokenKind::LeftBracket)))
    return parseTensorType(*element);
  if (constant)
    return parseConstantType(*constant);
  return reportUnknownType();
}

const TypeExpr *ParserImpl::reportUnknownType() {
  SmallVector<StringRef> names(elementTypeNames());
  names.append({"int", "float", "string"});
  StringRef meant = llvm::StringSwitch<StringRef>(token().text)
                        .Cases({"float32", "tensor", "Tensor"}, "f32")
                        .Cases({"float64", "double"}, "f64")
                        .Case("float16", "f16")
                        .Case("bfloat16", "bf16")
                        .Cases({"int8", "char"}, "i8")
                        .Case("uint8", "u8")
                        .Case("int32", "i32")
                        .Cases({"int64", "long"}, "i64")
                        .Case("str", "string")
                        .Default(nearestName(token().text, names));
  diags.error(here(), "unknown type '" + token().text + "'").suggest(meant);
  return nullptr;
}

/// dimension    ::= name? "..." | expr
/// element-type ::= "f32" | "f64" | "bf16" | "f16" | "i8" | "u8" | "i32" | "i64" | "bool"
const TypeExpr *ParserImpl::parseTensorType(ElementType element) {
  SourceRange begin = take().range;
  auto *type = context.create<TensorType>(begin);
  type->element = element;
  SmallVector<DimensionExpr> dims;
  SourceRange ellipsis;
  auto parseDimension = [&] {
    DimensionExpr dim;
    dim.range = here();
    if (!is(TokenKind::Ellipsis)) {
      dim.size = parseSum();
      if (!dim.size)
        return false;
      dim.range = dim.size->range;
    }
    auto *name = llvm::dyn_cast_or_null<NameExpr>(dim.size);
    if (is(TokenKind::Ellipsis) && (name || !dim.size)) {
      if (ellipsis)
        diags.error(dim.range, "a type has at most one '...'").note("the first one is here", ellipsis);
      take();
      ellipsis = dim.range = since(dim.range);
      dim.pack = name ? name->name : StringRef();
      dim.size = nullptr;
    }
    dims.push_back(dim);
    return true;
  };
  if (accept(TokenKind::LeftBracket) && !parseList(TokenKind::RightBracket, parseDimension))
    return nullptr;
  type->dims = context.copy(llvm::ArrayRef<DimensionExpr>(dims));
  type->range = since(begin);
  return type;
}

/// constant-type ::= "int" | "float" | "bool" | "string"
const TypeExpr *ParserImpl::parseConstantType(ConstantType constant) {
  SourceRange begin = take().range;
  auto *type = context.create<ConstantTypeExpr>(begin);
  type->constant = constant;
  if (accept(TokenKind::LeftBracket)) {
    type->isList = true;
    if (!is(TokenKind::RightBracket) && !(type->count = parseSum()))
      return nullptr;
    if (!expect(TokenKind::RightBracket, "behind the number of values"))
      return nullptr;
  }
  type->range = since(begin);
  return type;
}

/// tuple-element ::= (name ":")? type
const TypeExpr *ParserImpl::parseTupleType() {
  Nesting nesting(*this);
  if (!nesting)
    return nullptr;
  SourceRange begin = take().range;
  SmallVector<TupleTypeElement> elements;
  auto parseElement = [&] {
    TupleTypeElement element;
    if (is(TokenKind::Name) && token(1).is(TokenKind::Colon)) {
      element.name = {token().text, here()};
      take();
      take();
    }
    element.type = parseType();
    elements.push_back(element);
    return element.type != nullptr;
  };
  if (!parseList(TokenKind::RightParen, parseElement))
    return nullptr;
  if (elements.empty()) {
    diags.error(since(begin), "expected a type such as f32[n, 10], found an empty tuple");
    return nullptr;
  }
  if (elements.size() == 1 && !elements.front().name)
    return elements.front().type; // parentheses around a type
  auto *type = context.create<TupleTypeExpr>(since(begin));
  type->elements = context.copy(llvm::ArrayRef<TupleTypeElement>(elements));
  return type;
}
