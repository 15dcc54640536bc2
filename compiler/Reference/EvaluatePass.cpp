// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dl-evaluate: prints what functions compute, on inputs that depend on nothing but their position.

#include "compiler/Dialect/Dl.h"
#include "compiler/Numerics.h"
#include "compiler/Reference/Evaluator.h"

#include "mlir/Pass/Pass.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"

#include <map>

namespace dlc::reference {

using namespace mlir;

#define GEN_PASS_DECL_EVALUATEPASS
#define GEN_PASS_DEF_EVALUATEPASS
#include "compiler/Reference/Passes.h.inc"

namespace {

/// Fills with numbers that depend on `site` and the element's index alone.
void fill(Tensor &tensor, uint64_t site, int64_t range) {
  for (int64_t i = 0; i < tensor.size(); ++i) {
    uint32_t word = numerics::philoxWord(numerics::randomKey(0, site), 0, 0, i);
    tensor.elements[i] = {2.0 * numerics::uniformFromWord(word) - 1, static_cast<int64_t>(word % range)};
  }
}

struct EvaluatePass : impl::EvaluatePassBase<EvaluatePass> {
  using impl::EvaluatePassBase<EvaluatePass>::EvaluatePassBase;

  void runOnOperation() override {
    Symbols values;
    for (const std::string &entry : symbols) {
      auto [name, text] = StringRef(entry).split('=');
      int64_t value = 0;
      if (text.getAsInteger(10, value)) {
        getOperation().emitError("expected name=value, got ") << entry;
        return signalPassFailure();
      }
      values[name] = value;
    }
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (failed(run(function, values)))
        return signalPassFailure();
  }

  FailureOr<Tensor> shaped(Operation *op, dl::TensorType type, const Symbols &values) {
    Shape shape;
    for (dl::PolynomialAttr size : type.getShape()) {
      std::optional<int64_t> value = dl::evaluate(size, [&](StringRef name) -> std::optional<int64_t> {
        auto found = values.find(name);
        return found == values.end() ? std::nullopt : std::optional(found->second);
      });
      if (!value)
        return op->emitError("no value is given for a symbol in ") << dl::toString(size);
      shape.push_back(*value);
    }
    return Tensor(type.getElementType(), shape);
  }

  LogicalResult run(func::FuncOp function, const Symbols &values) {
    SmallVector<Tensor> inputs;
    for (auto [position, type] : llvm::enumerate(function.getArgumentTypes())) {
      FailureOr<Tensor> input = shaped(function, cast<dl::TensorType>(type), values);
      if (failed(input))
        return failure();
      auto range = function.getArgAttrOfType<IntegerAttr>(position, "dl.range");
      fill(*input, position, range ? range.getInt() : 2);
      inputs.push_back(std::move(*input));
    }
    States states;
    for (auto state : getOperation().getOps<dl::StateOp>()) {
      if (state.getInitial())
        continue;
      FailureOr<Tensor> value = shaped(state, cast<dl::TensorType>(state.getType()), values);
      if (failed(value))
        return failure();
      fill(*value, llvm::xxHash64(state.getSymName()), 2);
      states[state.getSymName()] = std::move(*value);
    }
    FailureOr<SmallVector<Tensor>> results = evaluate(function, inputs, states, values);
    if (failed(results))
      return failure();
    llvm::outs() << "@" << function.getName() << "\n";
    for (auto [position, result] : llvm::enumerate(*results))
      llvm::outs() << "  result " << position << ": " << result << "\n";
    std::map<StringRef, const Tensor *> written; // sorted
    function.walk([&](dl::StoreStateOp store) { written[store.getState()] = &states[store.getState()]; });
    for (auto [name, value] : written)
      llvm::outs() << "  state " << name << ": " << *value << "\n";
    return success();
  }
};

} // namespace

void registerReferencePasses() {
  PassRegistration<EvaluatePass>();
}

} // namespace dlc::reference
