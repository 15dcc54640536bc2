// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/CPU/Contraction.h"

namespace dlc::codegen {

/// Whether `second` follows `first` in each of the three lists that has one of them.
static bool stayTogether(char first, char second, ArrayRef<StringRef> lists) {
  return llvm::all_of(lists, [&](StringRef list) {
    size_t at = list.find(first);
    if (at == StringRef::npos)
      return !list.contains(second);
    return at + 1 < list.size() && list[at + 1] == second;
  });
}

Contraction::Contraction(dl::ContractOp op) {
  StringRef lhs = op.getLhsLetters(), rhs = op.getRhsLetters(), result = op.getResultLetters();
  std::array<StringRef, 3> lists{lhs, rhs, result};

  // 1. Merge letters. `numbers` holds the merged letter of each letter that starts one.
  std::array<int, 256> numbers;
  numbers.fill(-1);
  for (StringRef list : {lhs, rhs}) {
    for (size_t at = 0; at < list.size(); ++at) {
      char letter = list[at];
      if (numbers[letter] >= 0 || (at > 0 && stayTogether(list[at - 1], letter, lists)))
        continue;
      numbers[letter] = letters.size();
      Letter merged{op.getLetterSize(letter), 1};
      for (size_t next = at + 1; next < list.size() && stayTogether(list[next - 1], list[next], lists);
           ++next) {
        merged.size = merged.size * op.getLetterSize(list[next]);
        ++merged.axes;
      }
      letters.push_back(merged);
    }
  }
  auto number = [&](StringRef list) {
    LetterList result;
    for (char letter : list)
      if (numbers[letter] >= 0)
        result.push_back(numbers[letter]);
    return result;
  };
  LetterList lhsLetters = number(lhs), rhsLetters = number(rhs);
  resultLetters = number(result);

  // 2. The operand that has the result's last letter is B, so that results are stored in whole vectors.
  bool lhsIsA = true;
  for (unsigned letter : llvm::reverse(resultLetters)) {
    bool inLhs = llvm::is_contained(lhsLetters, letter), inRhs = llvm::is_contained(rhsLetters, letter);
    if (inLhs && inRhs)
      continue;
    lhsIsA = inRhs;
    break;
  }
  a = lhsIsA ? op.getLhs() : op.getRhs();
  b = lhsIsA ? op.getRhs() : op.getLhs();
  aLetters = lhsIsA ? lhsLetters : rhsLetters;
  bLetters = lhsIsA ? rhsLetters : lhsLetters;

  // 3. Sort them.
  for (unsigned letter : resultLetters) {
    bool inA = llvm::is_contained(aLetters, letter), inB = llvm::is_contained(bLetters, letter);
    (inA && inB ? batch : inA ? rows : columns).push_back(letter);
  }
  for (unsigned letter : lhsLetters)
    if (!llvm::is_contained(resultLetters, letter))
      depth.push_back(letter);
}

dl::PolynomialAttr Contraction::sizeOf(const LetterList &list, MLIRContext *context) const {
  dl::PolynomialAttr size = dl::PolynomialAttr::getConstant(context, 1);
  for (unsigned letter : list)
    size = size * letters[letter].size;
  return size;
}

std::optional<dl::PolynomialAttr> directStride(const Contraction &contraction, const LetterList &list,
                                               const LetterList &tensorLetters, dl::TensorType type,
                                               const Memory &memory) {
  if (list.empty())
    return dl::PolynomialAttr::getConstant(type.getContext(), 0);
  std::optional<dl::PolynomialAttr> below; // Distance of the letter before, counted from the last.
  std::optional<dl::PolynomialAttr> innermost;
  for (unsigned letter : llvm::reverse(list)) {
    unsigned axis = 0;
    for (unsigned other : tensorLetters) {
      if (other == letter)
        break;
      axis += contraction.letters[other].axes;
    }
    for (unsigned i = contraction.letters[letter].axes; i-- > 0;) {
      if (type.getDim(axis + i).isConstant(1))
        continue;
      dl::PolynomialAttr stride = memory.strides[axis + i];
      if (below && stride != *below)
        return std::nullopt;
      if (!innermost)
        innermost = stride;
      below = stride * type.getDim(axis + i);
    }
  }
  return innermost ? innermost : dl::PolynomialAttr::getConstant(type.getContext(), 1);
}

void LetterIndices::set(const LetterList &list, Index index) {
  if (list.empty())
    return;
  if (list.size() == 1) {
    indices[list[0]] = index;
    return;
  }
  SmallVector<dl::PolynomialAttr> shape;
  for (unsigned letter : list)
    shape.push_back(contraction.letters[letter].size);
  dl::PolynomialAttr total = dl::product(shape[0].getContext(), shape);
  Position parts = emitter.expand(shape, emitter.regroup({total}, {index}, shape));
  for (auto [letter, part] : llvm::zip_equal(list, parts))
    indices[letter] = part;
}

Position LetterIndices::position(const LetterList &tensorLetters) const {
  Position result;
  for (unsigned letter : tensorLetters)
    result.push_back(indices[letter].covering(contraction.letters[letter].axes));
  return result;
}

} // namespace dlc::codegen
