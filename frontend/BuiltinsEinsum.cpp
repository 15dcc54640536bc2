// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// einsum: a sum of products of any number of tensors, as contractions of two of them at a time.

#include "frontend/Builtins.h"
#include "frontend/Elaborator.h"

namespace dlc::frontend {
namespace {

/// A tensor and the letter of each of its axes.
struct Term {
  std::string letters;
  Value value;
};

class Einsum {
public:
  Einsum(Elaborator &e, BuiltinCall &call) : e(e), call(call) {}

  Entity elaborate() {
    if (!parse())
      return Entity::poison();
    Term product = withoutSummed(terms.front(), ArrayRef(terms).drop_front());
    for (size_t next = 1; next < terms.size(); ++next) {
      ArrayRef<Term> later = ArrayRef(terms).drop_front(next + 1);
      // What one side alone has and nothing needs later is summed before.
      SmallVector<Term> withProduct(later);
      withProduct.push_back(product);
      Term right = withoutSummed(terms[next], withProduct);
      withProduct.back() = right;
      product = multiply(withoutSummed(product, withProduct), right, later);
    }
    return Entity::ofTensor(ordered(product));
  }

private:
  bool fail(const llvm::Twine &message) {
    e.error(call.argRanges[0], "einsum \"" + call.args[0].text + "\": " + message);
    return false;
  }

  bool parse() {
    const Entity &equation = call.args[0];
    if (!equation.isString()) {
      e.error(call.argRanges[0], "einsum needs an equation such as \"ij,jk->ik\", got " + describe(equation));
      return false;
    }
    StringRef text = equation.text;
    auto [inputs, right] = text.split("->");
    SmallVector<StringRef> parts;
    inputs.split(parts, ',');
    if (!text.contains("->"))
      return fail("expected an equation such as \"ij,jk->ik\"");
    size_t count = call.args[1].isTuple() ? call.args[1].tuple->elements.size() : 0;
    if (parts.size() != count)
      return fail("expected " + llvm::Twine(parts.size()) + " tensors, got " + llvm::Twine(count));
    SmallVector<std::string> letters = expandDots(parts, right);
    for (auto [written, ofTensor, operand] : llvm::zip(parts, letters, call.args[1].tuple->elements))
      if (!addTerm(written, ofTensor, operand))
        return false;
    for (auto [axis, letter] : llvm::enumerate(result))
      if (!sizes.contains(letter) || result.find(letter, axis + 1) != std::string::npos)
        return fail("the result's letters must be distinct and stand on the left, got " + right);
    return true;
  }

  /// The tensors' letters, where `...` is replaced by letters that the equation has not: one for each axis
  /// that no letter names, the same for axes that are as far from the last one. Sets the result's.
  SmallVector<std::string> expandDots(ArrayRef<StringRef> parts, StringRef right) {
    std::string unused;
    for (char letter = 'z'; letter >= 'a'; --letter)
      if (!StringRef(call.args[0].text).contains(letter))
        unused += letter;
    auto expand = [&](StringRef part, size_t count) {
      auto [before, after] = part.split("...");
      std::string axes = part.contains("...") ? unused.substr(0, count) : "";
      return before.str() + std::string(axes.rbegin(), axes.rend()) + after.str();
    };
    SmallVector<std::string> letters;
    size_t most = 0;
    for (auto [part, operand] : llvm::zip(parts, call.args[1].tuple->elements)) {
      size_t rank = operand.isTensor() ? static_cast<size_t>(operand.tensorType().getRank()) : 0;
      size_t named = expand(part, 0).size(), count = rank > named ? rank - named : 0;
      letters.push_back(expand(part, count));
      if (part.contains("..."))
        most = std::max(most, count);
    }
    result = expand(right, most);
    return letters;
  }

  bool addTerm(StringRef written, StringRef letters, const Entity &operand) {
    if (!operand.isTensor() || !isa<FloatType>(operand.tensorType().getElementType()))
      return fail("expected floating-point tensors, got " + describe(operand));
    dl::TensorType type = operand.tensorType();
    if (!terms.empty() && elementType() != type.getElementType())
      return fail("expected one element type, got " + describe(Entity::ofTensor(terms.front().value)) +
                  " and " + describe(operand));
    if (!llvm::all_of(letters, llvm::isLower))
      return fail("expected lower-case letters, got " + written);
    if (static_cast<int64_t>(letters.size()) != type.getRank())
      return fail("expected " + llvm::Twine(written.contains("...") ? "at most " : "") +
                  llvm::Twine(type.getRank()) + " letters for " + describe(type) + ", got " + written);
    Term term{letters.str(), operand.value};
    if (!takeDiagonal(term))
      return false;
    type = llvm::cast<dl::TensorType>(term.value.getType());
    for (auto [letter, size] : llvm::zip(term.letters, type.getShape()))
      if (auto known = sizes.find(letter);
          known != sizes.end() && known->second != size && !StringRef(call.args[0].text).contains(letter))
        return fail("... has size " + dl::toString(known->second) + " and size " + dl::toString(size));
    if (std::string problem = bindLetters(term.letters, type, sizes); !problem.empty())
      return fail(problem);
    terms.push_back(term);
    return true;
  }

  /// Of axes with one letter, `ii`, the elements with one index on all of them.
  bool takeDiagonal(Term &term) {
    auto type = llvm::cast<dl::TensorType>(term.value.getType());
    std::string distinct;
    SmallVector<dl::PolynomialAttr> shape;
    for (auto [letter, size] : llvm::zip(term.letters, type.getShape())) {
      size_t known = distinct.find(letter);
      if (known == std::string::npos) {
        distinct += letter;
        shape.push_back(size);
      } else if (shape[known] != size) {
        return fail(llvm::Twine(letter) + " has size " + dl::toString(shape[known]) + " and size " +
                    dl::toString(size));
      }
    }
    if (distinct.size() == term.letters.size())
      return true;
    SmallVector<int64_t> coefficients;
    for (char letter : term.letters)
      for (char other : distinct)
        coefficients.push_back(letter == other);
    SmallVector<Attribute> offsets(term.letters.size(), e.poly(0));
    SmallVector<int64_t> divisors(term.letters.size(), 1);
    term = {distinct, e.emit<dl::SubscriptOp>(type.withShape(shape), term.value, coefficients,
                                              e.builder.getArrayAttr(offsets), divisors)};
    return true;
  }

  Type elementType() const {
    return llvm::cast<dl::TensorType>(terms.front().value.getType()).getElementType();
  }

  bool isNeeded(char letter, ArrayRef<Term> others) const {
    return StringRef(result).contains(letter) ||
           llvm::any_of(others, [&](const Term &other) { return StringRef(other.letters).contains(letter); });
  }

  /// Summed over the letters that neither the result nor another tensor has.
  Term withoutSummed(const Term &term, ArrayRef<Term> others) {
    SmallVector<int64_t> axes;
    Term rest{"", term.value};
    for (auto [axis, letter] : llvm::enumerate(term.letters)) {
      if (isNeeded(letter, others))
        rest.letters += letter;
      else
        axes.push_back(axis);
    }
    if (!axes.empty())
      rest.value = e.emit<dl::ReduceOp>(dl::ReduceKind::Sum, term.value, axes);
    return rest;
  }

  Term multiply(const Term &left, const Term &right, ArrayRef<Term> later) {
    std::string letters;
    for (char letter : left.letters + right.letters)
      if (isNeeded(letter, later) && !StringRef(letters).contains(letter))
        letters += letter;
    if (later.empty())
      letters = result;
    SmallVector<dl::PolynomialAttr> shape;
    for (char letter : letters)
      shape.push_back(sizes[letter]);
    std::string equation = left.letters + "," + right.letters + "->" + letters;
    return {letters,
            e.emit<dl::ContractOp>(e.tensorOf(shape, elementType()), equation, left.value, right.value)};
  }

  /// Its axes in the order of the result's.
  Value ordered(const Term &term) {
    SmallVector<int64_t> order;
    for (char letter : result)
      order.push_back(static_cast<int64_t>(term.letters.find(letter)));
    if (llvm::is_sorted(order))
      return term.value;
    return e.emit<dl::TransposeOp>(term.value, order);
  }

  Elaborator &e;
  BuiltinCall &call;
  SmallVector<Term> terms;
  std::string result;
  LetterSizes sizes;
};

/// einsum("ij,jk->ik", a, b): any number of tensors.
Entity einsum(Elaborator &e, BuiltinCall &call) {
  return Einsum(e, call).elaborate();
}

constexpr Builtin kEinsum[] = {{"einsum", "equation tensors*", einsum}};

} // namespace

ArrayRef<Builtin> einsumBuiltins() {
  return kEinsum;
}

} // namespace dlc::frontend
