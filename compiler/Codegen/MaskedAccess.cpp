// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/MaskedAccess.h"

#include "llvm/ADT/Sequence.h"
#include "llvm/Analysis/InstSimplifyFolder.h"
#include "llvm/Analysis/VectorUtils.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/PatternMatch.h"
#include "llvm/Transforms/Utils/Local.h"

#include <map>

using namespace llvm;

namespace dlc::codegen {
namespace {

class AccessLegalizer {
public:
  AccessLegalizer(Function &function, unsigned registerBits)
      : function(function), registerBits(registerBits),
        builder(function.getContext(), InstSimplifyFolder(function.getDataLayout())) {}

  void run();

private:
  /// Lanes [first, first + count) of a vector, computed where the vector is.
  Value *lanes(Value *vector, unsigned first, unsigned count);
  Value *computeLanes(Value *vector, unsigned first, unsigned count);
  void standBehind(Value *value);
  /// The lanes of one part, or 0 where the access stays whole.
  unsigned partLanes(Type *type) const;
  void splitLoad(IntrinsicInst *load, unsigned count);
  void splitStore(IntrinsicInst *store, unsigned count);
  bool storeOneLane(IntrinsicInst *store);
  void erase(IntrinsicInst *access);

  Function &function;
  unsigned registerBits;
  IRBuilder<InstSimplifyFolder> builder;
  std::map<std::tuple<Value *, unsigned, unsigned>, Value *> known;
  SmallVector<WeakTrackingVH> operands; ///< Of what has been replaced: dead in the end, perhaps.
};

void AccessLegalizer::standBehind(Value *value) {
  if (auto *instruction = dyn_cast<Instruction>(value))
    builder.SetInsertPoint(*instruction->getInsertionPointAfterDef());
  else
    builder.SetInsertPointPastAllocas(&function);
}

Value *AccessLegalizer::lanes(Value *vector, unsigned first, unsigned count) {
  Value *&part = known[{vector, first, count}];
  if (!part)
    part = computeLanes(vector, first, count);
  return part;
}

Value *AccessLegalizer::computeLanes(Value *vector, unsigned first, unsigned count) {
  if (auto *constant = dyn_cast<Constant>(vector)) {
    SmallVector<Constant *, 16> elements;
    for (unsigned lane = first; lane < first + count; ++lane)
      elements.push_back(constant->getAggregateElement(lane));
    return ConstantVector::get(elements);
  }
  // What masks are made of is computed part by part; that lets parts fold.
  if (Value *scalar = getSplatValue(vector)) {
    standBehind(vector);
    return builder.CreateVectorSplat(count, scalar);
  }
  auto part = [&](Value *operand) { return lanes(operand, first, count); };
  if (auto *compare = dyn_cast<CmpInst>(vector)) {
    Value *left = part(compare->getOperand(0)), *right = part(compare->getOperand(1));
    standBehind(vector);
    return builder.CreateCmp(compare->getPredicate(), left, right);
  }
  if (auto *binary = dyn_cast<BinaryOperator>(vector);
      binary && binary->isBitwiseLogicOp() && vector->getType()->isIntOrIntVectorTy(1)) {
    Value *left = part(binary->getOperand(0)), *right = part(binary->getOperand(1));
    standBehind(vector);
    return builder.CreateBinOp(binary->getOpcode(), left, right);
  }
  if (auto *select = dyn_cast<SelectInst>(vector); select && vector->getType()->isIntOrIntVectorTy(1)) {
    Value *condition = select->getCondition();
    if (condition->getType()->isVectorTy())
      condition = part(condition);
    Value *on = part(select->getTrueValue()), *off = part(select->getFalseValue());
    standBehind(vector);
    return builder.CreateSelect(condition, on, off);
  }
  standBehind(vector);
  return builder.CreateShuffleVector(vector, to_vector(seq<int>(first, first + count)));
}

unsigned AccessLegalizer::partLanes(Type *type) const {
  auto *vector = cast<FixedVectorType>(type);
  unsigned bits = vector->getScalarSizeInBits(), count = registerBits / std::max(bits, 1u);
  bool isLegalElement = bits == 32 || bits == 64;
  return isLegalElement && vector->getNumElements() > count ? count : 0;
}

void AccessLegalizer::splitLoad(IntrinsicInst *load, unsigned count) {
  Value *pointer = load->getArgOperand(0), *mask = load->getArgOperand(1), *other = load->getArgOperand(2);
  auto *type = cast<FixedVectorType>(load->getType());
  Type *element = type->getElementType();
  SmallVector<Value *, 8> parts;
  for (unsigned first = 0; first < type->getNumElements(); first += count) {
    Value *partMask = lanes(mask, first, count), *partOther = lanes(other, first, count);
    builder.SetInsertPoint(load);
    Value *address = builder.CreateConstInBoundsGEP1_64(element, pointer, first);
    Align align =
        commonAlignment(load->getParamAlign(0).valueOrOne(), first * element->getScalarSizeInBits() / 8);
    auto *partType = FixedVectorType::get(element, count);
    if (match(partMask, PatternMatch::m_Zero()))
      parts.push_back(partOther);
    else
      parts.push_back(builder.CreateMaskedLoad(partType, address, align, partMask, partOther));
  }
  load->replaceAllUsesWith(concatenateVectors(builder, parts));
  erase(load);
}

void AccessLegalizer::splitStore(IntrinsicInst *store, unsigned count) {
  Value *value = store->getArgOperand(0), *pointer = store->getArgOperand(1), *mask = store->getArgOperand(2);
  auto *type = cast<FixedVectorType>(value->getType());
  Type *element = type->getElementType();
  for (unsigned first = 0; first < type->getNumElements(); first += count) {
    Value *partMask = lanes(mask, first, count);
    if (match(partMask, PatternMatch::m_Zero()))
      continue;
    builder.SetInsertPoint(store);
    Value *part = builder.CreateShuffleVector(value, to_vector(seq<int>(first, first + count)));
    Value *address = builder.CreateConstInBoundsGEP1_64(element, pointer, first);
    Align align =
        commonAlignment(store->getParamAlign(1).valueOrOne(), first * element->getScalarSizeInBits() / 8);
    builder.CreateMaskedStore(part, address, align, partMask);
  }
  erase(store);
}

bool AccessLegalizer::storeOneLane(IntrinsicInst *store) {
  Value *value = store->getArgOperand(0);
  auto *mask = dyn_cast<Constant>(store->getArgOperand(2));
  if (!mask)
    return false;
  std::optional<unsigned> only;
  for (unsigned lane : seq(cast<FixedVectorType>(value->getType())->getNumElements())) {
    if (mask->getAggregateElement(lane)->isNullValue())
      continue;
    if (only)
      return false;
    only = lane;
  }
  if (only) {
    builder.SetInsertPoint(store);
    Type *element = value->getType()->getScalarType();
    Value *address = builder.CreateConstInBoundsGEP1_64(element, store->getArgOperand(1), *only);
    Align align =
        commonAlignment(store->getParamAlign(1).valueOrOne(), *only * element->getScalarSizeInBits() / 8);
    builder.CreateAlignedStore(builder.CreateExtractElement(value, *only), address, align);
  }
  erase(store);
  return true;
}

void AccessLegalizer::erase(IntrinsicInst *access) {
  for (Value *operand : access->args())
    operands.emplace_back(operand);
  access->eraseFromParent();
}

void AccessLegalizer::run() {
  SmallVector<IntrinsicInst *> accesses;
  for (Instruction &instruction : instructions(function))
    if (auto *call = dyn_cast<IntrinsicInst>(&instruction);
        call && is_contained({Intrinsic::masked_load, Intrinsic::masked_store}, call->getIntrinsicID()))
      accesses.push_back(call);
  for (IntrinsicInst *access : accesses) {
    bool isLoad = access->getIntrinsicID() == Intrinsic::masked_load;
    if (!isLoad && storeOneLane(access))
      continue;
    if (unsigned count = partLanes(isLoad ? access->getType() : access->getArgOperand(0)->getType()))
      isLoad ? splitLoad(access, count) : splitStore(access, count);
  }
  known.clear();
  RecursivelyDeleteTriviallyDeadInstructionsPermissive(operands);
}

} // namespace

void legalizeMaskedAccesses(Module &module, unsigned registerBits) {
  for (Function &function : module)
    if (!function.isDeclaration())
      AccessLegalizer(function, registerBits).run();
}

} // namespace dlc::codegen
