// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/StandardLibrary/Engines.h"

#include "compiler/Dialect/Dl.h"
#include "compiler/Pipeline.h"
#include "compiler/Reference/Evaluator.h"
#include "runtime/dlc_runtime.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

namespace dlc::test {
namespace {

using namespace mlir;

//===----------------------------------------------------------------------===//
// Reference
//===----------------------------------------------------------------------===//

class ReferenceEngine : public Engine {
public:
  explicit ReferenceEngine(const std::string &path) {
    context.disableMultithreading();
    context.loadDialect<dl::DlDialect, func::FuncDialect>();
    std::string text, messages;
    llvm::raw_string_ostream out(text), log(messages);
    CompileStatus status = emitPhase(path, {}, Phase::Grad, "", out, log);
    EXPECT_EQ(status, CompileStatus::Done) << messages;
    module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module) << path;
  }

  void restart() override {
    states.clear();
    run("init", {});
  }

  void write(const std::string &state, const Values &values) override {
    reference::Tensor tensor(typeOf(state).getElementType(), values.shape);
    fill(tensor, values);
    states[state] = tensor;
  }

  Values read(const std::string &state) override {
    auto known = states.find(state);
    return known != states.end() ? valuesOf(known->second) : initialOf(state);
  }

  std::vector<Values> run(const std::string &entry, const std::map<std::string, Values> &inputs) override {
    auto function = module->lookupSymbol<func::FuncOp>(entry);
    EXPECT_TRUE(function) << entry;
    if (!function)
      return {};
    reference::Symbols symbols;
    std::vector<reference::Tensor> arguments;
    for (unsigned i = 0; i < function.getNumArguments(); ++i) {
      auto type = cast<dl::TensorType>(function.getArgumentTypes()[i]);
      std::string name = cast<StringAttr>(function.getArgAttr(i, dl::kNameAttr)).str();
      auto given = inputs.find(name);
      EXPECT_NE(given, inputs.end()) << entry << " has an argument " << name;
      if (given == inputs.end())
        return {};
      for (auto [dim, size] : llvm::zip(type.getShape(), given->second.shape))
        if (!dim.isConstant())
          symbols[dl::toString(dim)] = size;
      arguments.emplace_back(type.getElementType(), given->second.shape);
      fill(arguments.back(), given->second);
    }
    auto results = reference::evaluate(function, arguments, states, symbols);
    EXPECT_TRUE(succeeded(results)) << entry;
    std::vector<Values> values;
    if (succeeded(results))
      for (const reference::Tensor &result : *results)
        values.push_back(valuesOf(result));
    return values;
  }

private:
  dl::TensorType typeOf(const std::string &state) {
    auto op = module->lookupSymbol<dl::StateOp>(state);
    EXPECT_TRUE(op) << "no state " << state;
    return op ? cast<dl::TensorType>(op.getType()) : dl::TensorType();
  }

  /// A state that no entry has written is a constant.
  Values initialOf(const std::string &state) {
    dl::TensorType type = typeOf(state);
    auto op = module->lookupSymbol<dl::StateOp>(state);
    auto initial = op ? dyn_cast_or_null<FloatAttr>(op.getInitialAttr()) : FloatAttr();
    EXPECT_TRUE(initial) << state << " has no initial value";
    Values values;
    if (!initial)
      return values;
    for (dl::PolynomialAttr size : type.getShape())
      values.shape.push_back(*size.getConstantValue());
    values.elements.assign(*data::element_count(values.shape), initial.getValueAsDouble());
    return values;
  }

  static void fill(reference::Tensor &tensor, const Values &values) {
    EXPECT_EQ(tensor.elements.size(), values.elements.size());
    for (size_t i = 0; i < std::min(tensor.elements.size(), values.elements.size()); ++i) {
      if (isa<FloatType>(tensor.elementType))
        tensor.elements[i].real = values.elements[i];
      else
        tensor.elements[i].integer = static_cast<int64_t>(values.elements[i]);
    }
  }

  static Values valuesOf(const reference::Tensor &tensor) {
    Values values;
    values.shape.assign(tensor.shape.begin(), tensor.shape.end());
    for (int64_t i = 0; i < tensor.size(); ++i)
      values.elements.push_back(tensor.number(i));
    return values;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  reference::States states;
};

//===----------------------------------------------------------------------===//
// Artifact
//===----------------------------------------------------------------------===//

size_t sizeOf(dlc_dtype_t type, int64_t count) {
  return dlc_dtype_size(type) * static_cast<size_t>(count);
}

/// Elements of any type in memory.
struct Memory {
  dlc_tensor_t tensor = {};
  std::vector<char> bytes;

  void allocate(dlc_dtype_t type, llvm::ArrayRef<int64_t> shape) {
    int64_t count = 1;
    tensor.dtype = type;
    tensor.rank = static_cast<int32_t>(shape.size());
    for (auto [axis, size] : llvm::enumerate(shape)) {
      tensor.dims[axis] = size;
      count *= size;
    }
    bytes.resize(sizeOf(type, count) + 1);
    tensor.data = bytes.data();
  }

  template <typename Function> void visit(size_t count, Function function) {
    for (size_t i = 0; i < count; ++i)
      switch (tensor.dtype) {
      case DLC_F32:
        function(i, reinterpret_cast<float *>(bytes.data())[i]);
        break;
      case DLC_F64:
        function(i, reinterpret_cast<double *>(bytes.data())[i]);
        break;
      case DLC_I32:
        function(i, reinterpret_cast<int32_t *>(bytes.data())[i]);
        break;
      case DLC_I64:
        function(i, reinterpret_cast<int64_t *>(bytes.data())[i]);
        break;
      case DLC_BOOL:
        function(i, reinterpret_cast<int8_t *>(bytes.data())[i]);
        break;
      default:
        ADD_FAILURE() << "type " << dlc_dtype_name(tensor.dtype);
        return;
      }
  }

  void fill(const Values &values) {
    visit(values.elements.size(), [&](size_t i, auto &element) {
      element = static_cast<std::remove_reference_t<decltype(element)>>(values.elements[i]);
    });
  }

  Values values() {
    Values result;
    result.shape.assign(tensor.dims, tensor.dims + tensor.rank);
    size_t count = (bytes.size() - 1) / dlc_dtype_size(tensor.dtype);
    result.elements.resize(count);
    visit(count, [&](size_t i, auto &element) { result.elements[i] = static_cast<double>(element); });
    return result;
  }
};

class ArtifactEngine : public Engine {
public:
  explicit ArtifactEngine(const std::string &path) {
    CompileOptions options;
    options.cpuVariants = {cpuVariantNames().front()};
    options.verify = true;
    std::string bytes, messages;
    llvm::raw_string_ostream log(messages);
    CompileStatus compiled = compileToArtifact(path, options, log, bytes);
    EXPECT_EQ(compiled, CompileStatus::Done) << messages;
    if (compiled == CompileStatus::Done)
      check(dlc_artifact_load_memory(bytes.data(), bytes.size(), nullptr, &artifact, &status));
  }

  ~ArtifactEngine() override {
    dlc_session_release(session);
    dlc_artifact_release(artifact);
  }

  void restart() override {
    dlc_session_release(session);
    dlc_session_options_t options = {};
    options.threads = 2;
    options.flags = DLC_SESSION_RED_ZONES;
    check(dlc_session_create(artifact, &options, &session, &status));
    check(dlc_session_initialize(session, &status));
  }

  void write(const std::string &state, const Values &values) override {
    Memory memory = stateMemory(state);
    memory.fill(values);
    check(dlc_session_state_write(session, indexOf(state), memory.bytes.data(), memory.bytes.size() - 1,
                                  &status));
  }

  Values read(const std::string &state) override {
    Memory memory = stateMemory(state);
    check(dlc_session_state_read(session, indexOf(state), memory.bytes.data(), memory.bytes.size() - 1,
                                 &status));
    return memory.values();
  }

  std::vector<Values> run(const std::string &entry, const std::map<std::string, Values> &inputs) override {
    int32_t index = dlc_artifact_entry_find(artifact, entry.c_str());
    dlc_entry_info_t info = {};
    check(dlc_artifact_entry(artifact, index, &info, &status));
    std::vector<Memory> arguments(info.argument_count), results(info.result_count);
    std::vector<dlc_tensor_t> given, taken;
    for (int32_t i = 0; i < info.argument_count; ++i) {
      dlc_value_info_t value = {};
      check(dlc_entry_argument(artifact, index, i, &value, &status));
      auto found = inputs.find(value.name);
      EXPECT_NE(found, inputs.end()) << entry << " has an argument " << value.name;
      if (found == inputs.end())
        return {};
      arguments[i].allocate(value.dtype, found->second.shape);
      arguments[i].fill(found->second);
      given.push_back(arguments[i].tensor);
    }
    std::vector<int64_t> dims(DLC_MAX_SYMBOLS);
    if (!check(
            dlc_entry_dims_solve(artifact, index, given.data(), info.argument_count, dims.data(), &status)))
      return {};
    for (int32_t i = 0; i < info.result_count; ++i) {
      dlc_tensor_t shape = {};
      check(dlc_entry_result_shape(artifact, index, i, dims.data(), &shape, &status));
      results[i].allocate(shape.dtype, llvm::ArrayRef(shape.dims, shape.rank));
      taken.push_back(results[i].tensor);
    }
    if (!check(dlc_session_run(session, index, given.data(), info.argument_count, taken.data(),
                               info.result_count, &status)))
      return {};
    std::vector<Values> values;
    for (Memory &result : results)
      values.push_back(result.values());
    return values;
  }

private:
  bool check(dlc_code_t code) {
    EXPECT_EQ(code, DLC_OK) << status.message;
    return code == DLC_OK;
  }

  int32_t indexOf(const std::string &state) {
    int32_t index = dlc_artifact_state_find(artifact, state.c_str());
    EXPECT_GE(index, 0) << "no state " << state;
    return index;
  }

  Memory stateMemory(const std::string &state) {
    dlc_state_info_t info = {};
    check(dlc_artifact_state(artifact, indexOf(state), &info, &status));
    Memory memory;
    memory.allocate(info.dtype, llvm::ArrayRef(info.dims, info.rank));
    return memory;
  }

  dlc_artifact_t *artifact = nullptr;
  dlc_session_t *session = nullptr;
  dlc_status_t status = {};
};

} // namespace

std::unique_ptr<Engine> makeReference(const std::string &path) {
  auto engine = std::make_unique<ReferenceEngine>(path);
  return testing::Test::HasFailure() ? nullptr : std::move(engine);
}

std::unique_ptr<Engine> makeArtifact(const std::string &path) {
  auto engine = std::make_unique<ArtifactEngine>(path);
  return testing::Test::HasFailure() ? nullptr : std::move(engine);
}

} // namespace dlc::test
