// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/KernelContext.h"

#include "compiler/Artifact/SizeExpression.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace dlc::codegen {

static SmallVector<StringAttr> symbolsOf(dl::DispatchOp dispatch) {
  SmallVector<StringAttr> symbols;
  if (auto entry = dispatch->getParentOfType<func::FuncOp>())
    if (auto names = entry->getAttrOfType<ArrayAttr>(dl::kSymbolsAttr))
      llvm::append_range(symbols, names.getAsRange<StringAttr>());
  return symbols;
}

/// The strides that the attribute gives operand or result i, or row-major ones.
static SmallVector<dl::PolynomialAttr, 4> stridesOf(dl::DispatchOp dispatch, StringRef attribute, unsigned i,
                                                    dl::TensorType type) {
  if (auto all = dispatch->getAttrOfType<ArrayAttr>(attribute); all && i < all.size())
    if (auto strides = dyn_cast<ArrayAttr>(all[i]); strides && (!strides.empty() || type.getRank() == 0))
      return llvm::to_vector<4>(strides.getAsRange<dl::PolynomialAttr>());
  return rowMajorStrides(type);
}

static func::FuncOp createFunction(dl::DispatchOp dispatch, ModuleOp module, StringRef name,
                                   size_t symbolCount) {
  MLIRContext *context = dispatch.getContext();
  SmallVector<Type> types{IndexType::get(context)};
  auto memory = [&](Type type) {
    types.push_back(
        MemRefType::get({ShapedType::kDynamic}, storageType(cast<dl::TensorType>(type).getElementType())));
  };
  for (Type type : dispatch.getInputs().getTypes())
    memory(type);
  for (Type type : dispatch.getOutputs().getTypes())
    memory(type);
  types.append(symbolCount, IndexType::get(context));
  types.push_back(MemRefType::get({ShapedType::kDynamic}, IntegerType::get(context, 8)));
  OpBuilder builder(context);
  builder.setInsertionPointToEnd(module.getBody());
  auto function =
      func::FuncOp::create(builder, dispatch.getLoc(), name, FunctionType::get(context, types, TypeRange{}));
  function.addEntryBlock();
  return function;
}

static void loadDialects(MLIRContext *context) {
  context->loadDialect<arith::ArithDialect, func::FuncDialect, math::MathDialect, memref::MemRefDialect,
                       scf::SCFDialect, vector::VectorDialect>();
}

KernelContext::KernelContext(dl::DispatchOp dispatch, const TargetDescription &target, ModuleOp module,
                             StringRef name)
    : dispatch(dispatch), target(target), symbols((loadDialects(dispatch.getContext()), symbolsOf(dispatch))),
      function(createFunction(dispatch, module, name, symbols.size())),
      builder(ImplicitLocOpBuilder::atBlockEnd(dispatch.getLoc(), &function.getBody().front())),
      group(function.getArgument(0)), scratch(function.getArguments().back()),
      emitter(builder, target.lanes, target.registerLanes >= 16, [this](StringRef symbol) -> Value {
        for (auto [name, value] : llvm::zip_equal(symbols, symbolValues))
          if (name == symbol)
            return value;
        llvm::report_fatal_error("code generation: a dispatch uses a symbol that its entry does not declare");
      }) {
  kernel.name = name.str();
  kernel.function = function;
  unsigned argument = 1;
  for (auto [i, inner] : llvm::enumerate(dispatch.getBody().getArguments())) {
    auto type = cast<dl::TensorType>(inner.getType());
    operands.push_back(
        {function.getArgument(argument++), {}, stridesOf(dispatch, "operand_strides", i, type)});
    emitter.bind(inner, operands.back());
  }
  for (auto [i, type] : llvm::enumerate(dispatch.getOutputs().getTypes())) {
    Memory memory{function.getArgument(argument++),
                  {},
                  stridesOf(dispatch, "result_strides", i, cast<dl::TensorType>(type))};
    memory.isConstant = false;
    results.push_back(memory);
  }
  for (size_t i = 0; i < symbols.size(); ++i)
    symbolValues.push_back(function.getArgument(argument++));
}

Value KernelContext::getYielded(unsigned i) {
  return dispatch.getBody().front().getTerminator()->getOperand(i);
}

dl::TensorType KernelContext::getResultType(unsigned i) {
  return cast<dl::TensorType>(dispatch.getOutputs()[i].getType());
}

Value KernelContext::scratchView(Value byteOffset, Type storageElement) {
  auto type = MemRefType::get({ShapedType::kDynamic}, storageElement);
  // The size is never asked for; any number that the offset leaves will do.
  Value size = emitter.constant(int64_t(1) << 40);
  return memref::ViewOp::create(builder, type, scratch, byteOffset, ValueRange{size});
}

artifact::Expression KernelContext::expression(dl::PolynomialAttr polynomial) const {
  SmallVector<Attribute> names(symbols.begin(), symbols.end());
  return artifact::toExpression(polynomial, ArrayAttr::get(builder.getContext(), names));
}

Kernel KernelContext::finish() {
  func::ReturnOp::create(builder);
  return std::move(kernel);
}

/// Sums of bf16 and f16 are kept in f32 until they are complete, which memory of their type cannot.
static bool addsInPlace(dl::ScatterAddOp op) {
  Type element = op.getType().getElementType();
  return computeType(element) == element;
}

FailureOr<Kernel> generateKernel(dl::DispatchOp dispatch, const TargetDescription &target, ModuleOp module,
                                 StringRef name) {
  KernelContext context(dispatch, target, module, name);
  bool hasScan = false, hasContraction = false;
  dispatch.getBody().walk([&](Operation *op) {
    hasScan |= isa<dl::ScanOp>(op);
    hasContraction |= isa<dl::ContractOp, dl::ConvOp, dl::ConvInputGradOp, dl::ConvWeightGradOp>(op);
  });
  LogicalResult done = failure();
  if (!target.isCpu())
    done = emitThreadKernel(context);
  else if (hasScan)
    done = emitScanKernel(context);
  else if (hasContraction)
    done = emitContractionKernel(context);
  else if (auto scatter = context.getYielded(0).getDefiningOp<dl::ScatterAddOp>();
           scatter && addsInPlace(scatter))
    done = emitScatterKernel(context, scatter);
  else if (auto sort = context.getYielded(0).getDefiningOp<dl::ArgSortOp>())
    done = emitSortKernel(context, sort);
  else
    done = emitRowKernel(context);
  if (failed(done)) {
    context.function.erase();
    return failure();
  }
  return context.finish();
}

} // namespace dlc::codegen
