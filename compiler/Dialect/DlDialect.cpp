// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registration of the dialect, and its tensor type.

#include "compiler/Dialect/Dl.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

#include "compiler/Dialect/DlDialect.cpp.inc"
#include "compiler/Dialect/DlEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/Dialect/DlAttributes.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/Dialect/DlTypes.cpp.inc"

using namespace mlir;

namespace dlc::dl {

void DlDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "compiler/Dialect/DlAttributes.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "compiler/Dialect/DlTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "compiler/Dialect/DlOps.cpp.inc"
      >();
}

Operation *DlDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location location) {
  auto tensor = dyn_cast<TensorType>(type);
  auto typed = dyn_cast<TypedAttr>(value);
  if (!tensor || !typed || typed.getType() != tensor.getElementType())
    return nullptr;
  return ConstantOp::create(builder, location, tensor, typed);
}

//===----------------------------------------------------------------------===//
// TensorType
//===----------------------------------------------------------------------===//

LogicalResult TensorType::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                                 ArrayRef<PolynomialAttr> shape, Type elementType) {
  bool isFloat = isa<Float32Type, Float64Type, BFloat16Type, Float16Type>(elementType);
  auto integer = dyn_cast<IntegerType>(elementType);
  bool isInteger =
      integer && ((integer.isSignless() && (integer.getWidth() == 1 || integer.getWidth() == 8 ||
                                            integer.getWidth() == 32 || integer.getWidth() == 64)) ||
                  (integer.isUnsigned() && integer.getWidth() == 8));
  if (!isFloat && !isInteger)
    return emitError() << "expected element type f32, f64, bf16, f16, i8, ui8, i32, i64 or i1, got "
                       << elementType;
  for (auto [axis, size] : llvm::enumerate(shape))
    if (std::optional<int64_t> value = size.getConstantValue(); value && *value < 0)
      return emitError() << "axis " << axis << " has the negative size " << *value;
  return success();
}

PolynomialAttr TensorType::getElementCount() const {
  return product(getContext(), getShape());
}

TensorType TensorType::withElementType(Type elementType) const {
  return get(getContext(), getShape(), elementType);
}

TensorType TensorType::withShape(ArrayRef<PolynomialAttr> shape) const {
  return get(getContext(), shape, getElementType());
}

TensorType TensorType::dropAxes(ArrayRef<int64_t> axes) const {
  SmallVector<PolynomialAttr> kept;
  for (auto [axis, size] : llvm::enumerate(getShape()))
    if (!llvm::is_contained(axes, static_cast<int64_t>(axis)))
      kept.push_back(size);
  return withShape(kept);
}

std::string TensorType::describe() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (getElementType().isInteger(1))
    os << "bool";
  else if (getElementType().isUnsignedInteger(8))
    os << "u8";
  else
    os << getElementType();
  os << "[";
  llvm::interleaveComma(getShape(), os, [&](PolynomialAttr size) { os << toString(size); });
  os << "]";
  return text;
}

Type TensorType::parse(AsmParser &parser) {
  SmallVector<PolynomialAttr> shape;
  Type elementType;
  auto parseSize = [&]() -> ParseResult {
    FailureOr<PolynomialAttr> size = parsePolynomial(parser);
    if (failed(size))
      return failure();
    shape.push_back(*size);
    return success();
  };
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseSize) ||
      parser.parseComma() || parser.parseType(elementType) || parser.parseGreater())
    return {};
  return getChecked([&] { return parser.emitError(location); }, parser.getContext(), shape, elementType);
}

void TensorType::print(AsmPrinter &printer) const {
  printer << "<[";
  llvm::interleaveComma(getShape(), printer.getStream(),
                        [&](PolynomialAttr size) { printer << toString(size); });
  printer << "], " << getElementType() << ">";
}

SmallVector<PolynomialAttr, 4> rowMajorStrides(TensorType type) {
  SmallVector<PolynomialAttr, 4> strides(type.getRank());
  PolynomialAttr stride = PolynomialAttr::getConstant(type.getContext(), 1);
  for (int64_t axis = type.getRank() - 1; axis >= 0; --axis) {
    strides[axis] = stride;
    stride = stride * type.getDim(axis);
  }
  return strides;
}

} // namespace dlc::dl
