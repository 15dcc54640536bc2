// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops level to the LLVM dialect: one conversion with all patterns, then the kernels' own calling
// convention.

#include "compiler/Codegen/Lowering.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Transforms/DialectConversion.h"

namespace dlc::codegen {

namespace {

/// struct dlc_kernel_args { void *const *buffers; const int64_t *dims; int64_t group; void *scratch; };
enum ArgumentField { kBuffers, kDims, kGroup, kScratch };

/// Replaces the arguments of a lowered function (group; five per memref: pointer twice, offset, size, stride;
/// dimensions; scratch) by `supply`, which yields the values in the order group, pointers, dimensions,
/// scratch.
void replaceArguments(LLVM::LLVMFuncOp function, OpBuilder &builder, ArrayRef<Type> original,
                      llvm::function_ref<Value(unsigned, Type)> supply) {
  Block &entry = function.getBody().front();
  Location loc = function.getLoc();
  auto constant = [&](int64_t value) -> Value {
    return LLVM::ConstantOp::create(builder, loc, builder.getI64Type(), builder.getI64IntegerAttr(value));
  };
  unsigned next = 0;
  for (auto [i, type] : llvm::enumerate(original)) {
    Value value = supply(i, type);
    if (!isa<MemRefType>(type)) {
      entry.getArgument(next++).replaceAllUsesWith(value);
      continue;
    }
    Value fields[] = {value, value, constant(0), constant(int64_t(1) << 40), constant(1)};
    for (Value field : fields)
      entry.getArgument(next++).replaceAllUsesWith(field);
  }
}

/// Gives a lowered function the C calling convention of kernels (CPU) or the parameters of a PTX entry.
void applyCallingConvention(LLVM::LLVMFuncOp function, ArrayRef<Type> original,
                            const TargetDescription &target) {
  MLIRContext *context = function.getContext();
  Location loc = function.getLoc();
  OpBuilder builder(context);
  Type pointer = LLVM::LLVMPointerType::get(context), i64 = builder.getI64Type();
  Block &entry = function.getBody().front();

  // 1. New arguments, behind the old ones.
  unsigned oldCount = entry.getNumArguments();
  SmallVector<Type> types;
  if (target.isCpu()) {
    types.push_back(pointer);
  } else {
    for (Type type : original.drop_front().drop_back()) // Neither group nor scratch.
      types.push_back(isa<MemRefType>(type) ? pointer : i64);
  }
  SmallVector<Value> arguments;
  for (Type type : types)
    arguments.push_back(entry.addArgument(type, loc));

  // 2. What the old ones were.
  builder.setInsertionPointToStart(&entry);
  if (target.isCpu()) {
    SmallVector<Value> loaded;
    auto field = [&](int32_t index, Type type) -> Value {
      Value address =
          LLVM::GEPOp::create(builder, loc, pointer, i64, arguments[0], ArrayRef<LLVM::GEPArg>{index});
      return LLVM::LoadOp::create(builder, loc, type, address);
    };
    Value buffers = field(kBuffers, pointer), dims = field(kDims, pointer);
    int32_t nextBuffer = 0, nextDim = 0;
    replaceArguments(function, builder, original, [&](unsigned i, Type type) -> Value {
      if (i == 0)
        return field(kGroup, i64);
      if (i + 1 == original.size())
        return field(kScratch, pointer);
      bool isBuffer = isa<MemRefType>(type);
      Value address =
          LLVM::GEPOp::create(builder, loc, pointer, isBuffer ? pointer : i64, isBuffer ? buffers : dims,
                              ArrayRef<LLVM::GEPArg>{isBuffer ? nextBuffer++ : nextDim++});
      return LLVM::LoadOp::create(builder, loc, isBuffer ? pointer : i64, address);
    });
  } else {
    replaceArguments(function, builder, original, [&](unsigned i, Type type) -> Value {
      if (i == 0) {
        Value block = NVVM::BlockIdXOp::create(builder, loc, builder.getI32Type());
        return LLVM::ZExtOp::create(builder, loc, i64, block);
      }
      if (i + 1 == original.size())
        return LLVM::ZeroOp::create(builder, loc, pointer);
      return arguments[i - 1];
    });
    function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), builder.getUnitAttr());
    function->setAttr(NVVM::NVVMDialect::getMaxntidAttrName(),
                      builder.getDenseI32ArrayAttr({static_cast<int32_t>(target.blockThreads), 1, 1}));
  }

  // 3. The old arguments go.
  entry.eraseArguments(0, oldCount);
  function.setFunctionType(LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context), types));
  function.setArgAttrsAttr(nullptr);
}

} // namespace

LogicalResult lowerKernelsToLlvmDialect(ModuleOp kernels, const TargetDescription &target) {
  MLIRContext *context = kernels.getContext();
  context->loadDialect<cf::ControlFlowDialect, LLVM::LLVMDialect, NVVM::NVVMDialect, math::MathDialect,
                       ub::UBDialect>();
  DenseMap<StringAttr, SmallVector<Type>> signatures;
  for (auto function : kernels.getOps<func::FuncOp>())
    if (!function.isPrivate())
      signatures[function.getNameAttr()] = llvm::to_vector(function.getArgumentTypes());

  // None of these patterns needs to be undone, and not keeping the means to saves a third of the time.
  ConversionConfig config;
  config.allowPatternRollback = false;

  // 1. Structured control flow first: the other patterns then see blocks and branches only.
  {
    RewritePatternSet patterns(context);
    populateSCFToControlFlowConversionPatterns(patterns);
    ConversionTarget conversion(*context);
    conversion.addIllegalDialect<scf::SCFDialect>();
    conversion.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    if (failed(applyPartialConversion(kernels, conversion, std::move(patterns), config)))
      return failure();
  }
  // 2. Everything else at once.
  {
    LowerToLLVMOptions options(context);
    LLVMTypeConverter types(context, options);
    RewritePatternSet patterns(context);
    arith::populateArithToLLVMConversionPatterns(types, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(types, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(types, patterns);
    populateFuncToLLVMConversionPatterns(types, patterns);
    populateMathToLLVMConversionPatterns(types, patterns);
    populateVectorToLLVMConversionPatterns(types, patterns, /*reassociateFPReductions=*/false,
                                           /*force32BitVectorIndices=*/true);
    ub::populateUBToLLVMConversionPatterns(types, patterns);
    LLVMConversionTarget conversion(*context);
    conversion.addLegalOp<ModuleOp>();
    conversion.addLegalDialect<NVVM::NVVMDialect>();
    if (failed(applyFullConversion(kernels, conversion, std::move(patterns), config)))
      return failure();
  }
  for (auto function : llvm::make_early_inc_range(kernels.getOps<LLVM::LLVMFuncOp>()))
    if (auto it = signatures.find(function.getNameAttr()); it != signatures.end())
      applyCallingConvention(function, it->second, target);
    else
      function.setLinkage(LLVM::Linkage::Internal);
  return success();
}

} // namespace dlc::codegen
