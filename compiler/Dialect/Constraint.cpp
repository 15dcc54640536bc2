// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constraints on the sizes that an entry is prepared for.

#include "compiler/Dialect/Dl.h"

#include "mlir/IR/DialectImplementation.h"

using namespace mlir;

namespace dlc::dl {

LogicalResult ConstraintAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, PolynomialAttr,
                                     Requirement requirement, PolynomialAttr divisor, StringAttr subject,
                                     StringAttr, unsigned, unsigned) {
  bool needsDivisor = requirement == Requirement::MultipleOf;
  if (needsDivisor != static_cast<bool>(divisor)) // (C1)
    return emitError() << "expected " << (needsDivisor ? "a divisor" : "no divisor") << " for "
                       << stringifyRequirement(requirement);
  if (subject.empty()) // (C2)
    return emitError() << "expected a text that names what needs the constraint";
  return success();
}

std::string ConstraintAttr::describeCondition() const {
  auto operand = [](PolynomialAttr polynomial) {
    std::string text = toString(polynomial);
    return polynomial.getCoefficients().size() > 1 ? "(" + text + ")" : text;
  };
  switch (getRequirement()) {
  case Requirement::NotNegative:
    return toString(getValue()) + " >= 0";
  case Requirement::Zero:
    return toString(getValue()) + " == 0";
  case Requirement::NotZero:
    return toString(getValue()) + " != 0";
  case Requirement::MultipleOf:
    return operand(getValue()) + " % " + operand(getDivisor()) + " == 0";
  }
  llvm_unreachable("unknown requirement");
}

Attribute ConstraintAttr::parse(AsmParser &parser, Type) {
  SMLoc location = parser.getCurrentLocation();
  StringRef keyword;
  if (parser.parseLess())
    return {};
  FailureOr<PolynomialAttr> value = parsePolynomial(parser);
  SMLoc keywordLocation = parser.getCurrentLocation();
  if (failed(value) || parser.parseKeyword(&keyword))
    return {};
  std::optional<Requirement> requirement = symbolizeRequirement(keyword);
  if (!requirement) {
    parser.emitError(keywordLocation) << "expected not_negative, zero, not_zero or multiple_of";
    return {};
  }
  PolynomialAttr divisor;
  if (*requirement == Requirement::MultipleOf) {
    FailureOr<PolynomialAttr> parsed = parsePolynomial(parser);
    if (failed(parsed))
      return {};
    divisor = *parsed;
  }
  std::string subject, file;
  unsigned line, column;
  if (parser.parseComma() || parser.parseString(&subject) || parser.parseKeyword("at") ||
      parser.parseString(&file) || parser.parseColon() || parser.parseInteger(line) || parser.parseColon() ||
      parser.parseInteger(column) || parser.parseGreater())
    return {};
  return getChecked([&] { return parser.emitError(location); }, parser.getContext(), *value, *requirement,
                    divisor, StringAttr::get(parser.getContext(), subject),
                    StringAttr::get(parser.getContext(), file), line, column);
}

void ConstraintAttr::print(AsmPrinter &printer) const {
  printer << "<" << toString(getValue()) << " " << stringifyRequirement(getRequirement());
  if (getDivisor())
    printer << " " << toString(getDivisor());
  printer << ", " << getSubject() << " at " << getFile() << ":" << getLine() << ":" << getColumn() << ">";
}

/// `dl.constraints`: constraints in the symbols of the same entry.
static LogicalResult verifyConstraints(Operation *entry, Attribute attribute) {
  auto constraints = dyn_cast<ArrayAttr>(attribute);
  auto symbols = entry->getAttrOfType<ArrayAttr>(kSymbolsAttr);
  if (!constraints || !symbols)
    return entry->emitOpError("expected ") << kConstraintsAttr << " to be an array beside " << kSymbolsAttr;
  for (Attribute element : constraints) {
    auto constraint = dyn_cast<ConstraintAttr>(element);
    if (!constraint)
      return entry->emitOpError("expected ") << kConstraintsAttr << " to hold constraints, got " << element;
    StringAttr unknown;
    auto check = [&](StringAttr symbol) {
      if (!llvm::is_contained(symbols, symbol))
        unknown = symbol;
    };
    constraint.getValue().walkSymbols(check);
    if (constraint.getDivisor())
      constraint.getDivisor().walkSymbols(check);
    if (unknown)
      return entry->emitOpError("expected a constraint in the symbols ") << symbols << ", got " << unknown;
  }
  return success();
}

LogicalResult DlDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() == kConstraintsAttr)
    return verifyConstraints(op, attribute.getValue());
  return success();
}

} // namespace dlc::dl
