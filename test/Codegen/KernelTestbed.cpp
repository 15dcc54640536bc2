// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/Codegen/KernelTestbed.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <random>

namespace dlc::test {
using namespace mlir;

static size_t roundToPages(size_t bytes) {
  size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

GuardedBuffer::GuardedBuffer(size_t bytes, Side side) : bytes(bytes) {
  size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size_t usable = roundToPages(std::max<size_t>(bytes, 1));
  mapped = usable + 2 * page;
  mapping = static_cast<char *>(mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  mprotect(mapping + page, usable, PROT_READ | PROT_WRITE);
  begin = mapping + page + (side == Side::End ? usable - bytes : 0);
}

GuardedBuffer::~GuardedBuffer() {
  munmap(mapping, mapped);
}

LoadedKernel::LoadedKernel(const codegen::CodeImage &image, codegen::Kernel kernel)
    : kernel(std::move(kernel)), mapped(roundToPages(image.bytes.size())),
      offset(image.kernels.front().offset) {
  mapping = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(mapping, image.bytes.data(), image.bytes.size());
  mprotect(mapping, mapped, PROT_READ | PROT_EXEC);
}

LoadedKernel::~LoadedKernel() {
  munmap(mapping, mapped);
}

int64_t LoadedKernel::groups(const std::vector<int64_t> &dims) const {
  return *kernel.groups.evaluate(dims);
}

// Kernels lack the type signature that the check of indirect calls reads in front of a function.
[[clang::no_sanitize("function")]]
void LoadedKernel::run(const std::vector<void *> &buffers, const std::vector<int64_t> &dims) const {
  struct Arguments {
    void *const *buffers;
    const int64_t *dims;
    int64_t group;
    void *scratch;
  };
  size_t scratchBytes = static_cast<size_t>(*kernel.scratch.evaluate(dims));
  void *scratch = aligned_alloc(64, (scratchBytes + 127) / 64 * 64);
  auto function = reinterpret_cast<void (*)(const Arguments *)>(static_cast<char *>(mapping) + offset);
  int64_t count = groups(dims);
  for (int64_t group = 0; group < count; ++group) {
    Arguments arguments{buffers.data(), dims.data(), group, scratch};
    function(&arguments);
  }
  free(scratch);
}

std::vector<std::string> KernelTestbed::variants() {
  std::vector<std::string> names;
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v3"))
    names.push_back("x86-64-v3");
  if (__builtin_cpu_supports("x86-64-v4"))
    names.push_back("x86-64-v4");
  if (names.empty()) // comparing nothing would pass
    llvm::report_fatal_error("this test runs kernels, and this machine lacks AVX2 or FMA", false);
  return names;
}

KernelTestbed::KernelTestbed() : context(MLIRContext::Threading::DISABLED) {
  context.loadDialect<dl::DlDialect, func::FuncDialect>();
}

//===----------------------------------------------------------------------===//
// Elements in memory
//===----------------------------------------------------------------------===//

static size_t bytesOf(Type type) {
  return type.isInteger(1) ? 1 : type.getIntOrFloatBitWidth() / 8;
}

template <typename T> static void put(char *memory, double value) {
  T converted = static_cast<T>(value);
  memcpy(memory, &converted, sizeof(T));
}
template <typename T> static double get(const char *memory) {
  T value;
  memcpy(&value, memory, sizeof(T));
  return static_cast<double>(value);
}

static void writeElement(char *memory, Type type, double value) {
  if (type.isBF16() || type.isF16()) {
    APFloat number(value);
    bool lost;
    number.convert(cast<FloatType>(type).getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
    uint16_t bits = static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
    memcpy(memory, &bits, 2);
  } else if (type.isF32())
    put<float>(memory, value);
  else if (type.isF64())
    put<double>(memory, value);
  else if (type.isUnsignedInteger(8) || type.isInteger(1))
    put<uint8_t>(memory, value);
  else if (type.isInteger(8))
    put<int8_t>(memory, value);
  else if (type.isInteger(32))
    put<int32_t>(memory, value);
  else
    put<int64_t>(memory, value);
}

static double readElement(const char *memory, Type type) {
  if (type.isBF16() || type.isF16()) {
    uint16_t bits;
    memcpy(&bits, memory, 2);
    APFloat number(cast<FloatType>(type).getFloatSemantics(), APInt(16, bits));
    bool lost;
    number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
    return number.convertToDouble();
  }
  if (type.isF32())
    return get<float>(memory);
  if (type.isF64())
    return get<double>(memory);
  if (type.isUnsignedInteger(8) || type.isInteger(1))
    return get<uint8_t>(memory);
  if (type.isInteger(8))
    return get<int8_t>(memory);
  if (type.isInteger(32))
    return get<int32_t>(memory);
  return get<int64_t>(memory);
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

static std::unique_ptr<LoadedKernel> loadDispatch(dl::DispatchOp dispatch, StringRef variant) {
  OwningOpRef<ModuleOp> kernels = ModuleOp::create(dispatch.getLoc());
  const codegen::TargetDescription *target = codegen::findTarget(variant);
  FailureOr<codegen::Kernel> kernel = codegen::generateKernel(dispatch, *target, *kernels, "kernel");
  if (failed(kernel)) {
    ADD_FAILURE() << "no kernel for " << variant.str();
    return nullptr;
  }
  if (getenv("DLC_PRINT_LOOPS"))
    kernels->print(llvm::errs());
  if (failed(kernels->verify())) {
    ADD_FAILURE() << "the kernel does not verify";
    return nullptr;
  }
  std::string assembly;
  codegen::EmitHooks hooks;
  if (getenv("DLC_PRINT_ASM"))
    hooks.assembly = &assembly;
  FailureOr<codegen::CodeImage> image = codegen::emitImage(*kernels, *target, {}, hooks);
  if (failed(image)) {
    ADD_FAILURE() << "no image for " << variant.str();
    return nullptr;
  }
  llvm::errs() << assembly;
  return std::make_unique<LoadedKernel>(*image, std::move(*kernel));
}

static dl::DispatchOp findDispatch(ModuleOp module) {
  dl::DispatchOp dispatch;
  module.walk([&](dl::DispatchOp op) { dispatch = op; });
  return dispatch;
}

std::unique_ptr<LoadedKernel> KernelTestbed::load(StringRef text, StringRef variant) {
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  if (!module) {
    ADD_FAILURE() << "the module does not parse";
    return nullptr;
  }
  return loadDispatch(findDispatch(*module), variant);
}

void KernelTestbed::check(StringRef text, const Symbols &symbols) {
  run(text, symbols);
}

std::vector<std::vector<double>> KernelTestbed::run(StringRef text, const Symbols &symbols) {
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  if (!module) {
    ADD_FAILURE() << "the module does not parse";
    return {};
  }
  return run(findDispatch(*module), symbols);
}

dl::DispatchOp KernelTestbed::isolate(dl::DispatchOp dispatch, ModuleOp module) {
  auto entry = dispatch->getParentOfType<func::FuncOp>();
  OpBuilder builder(module.getContext());
  builder.setInsertionPointToEnd(module.getBody());
  auto type = builder.getFunctionType(dispatch.getInputs().getTypes(), dispatch.getOutputs().getTypes());
  auto function = func::FuncOp::create(builder, dispatch.getLoc(), dispatch.getName(), type);
  function->setAttr(dl::kSymbolsAttr, entry->getAttr(dl::kSymbolsAttr));
  builder.setInsertionPointToStart(function.addEntryBlock());
  IRMapping mapping;
  mapping.map(dispatch.getInputs(), function.getArguments());
  auto copy = cast<dl::DispatchOp>(builder.clone(*dispatch, mapping));
  func::ReturnOp::create(builder, dispatch.getLoc(), copy.getResults());
  return copy;
}

std::vector<std::vector<double>> KernelTestbed::run(dl::DispatchOp dispatch, const Symbols &symbols) {
  auto function = dispatch->getParentOfType<func::FuncOp>();
  auto valueOf = [&](StringRef name) -> std::optional<int64_t> {
    auto it = symbols.find(name.str());
    return it == symbols.end() ? std::nullopt : std::optional(it->second);
  };
  std::vector<int64_t> dims;
  if (auto names = function->getAttrOfType<ArrayAttr>(dl::kSymbolsAttr))
    for (StringAttr name : names.getAsRange<StringAttr>())
      dims.push_back(*valueOf(name.getValue()));
  auto emptyTensor = [&](Type type) {
    auto tensor = cast<dl::TensorType>(type);
    SmallVector<int64_t> shape;
    for (dl::PolynomialAttr dim : tensor.getShape())
      shape.push_back(*dl::evaluate(dim, valueOf));
    return reference::Tensor(tensor.getElementType(), shape);
  };

  // 1. Inputs, equal for the reference and the kernels.
  std::mt19937 generator(7);
  std::vector<reference::Tensor> arguments;
  std::vector<std::unique_ptr<GuardedBuffer>> storage, early; // Ending, beginning at a guard.
  for (auto [i, input] : llvm::enumerate(dispatch.getInputs())) {
    reference::Tensor tensor = emptyTensor(input.getType());
    Type type = tensor.elementType;
    auto buffer = std::make_unique<GuardedBuffer>(tensor.size() * bytesOf(type));
    auto given = inputs.find(i);
    for (int64_t e = 0; e < tensor.size(); ++e) {
      double value = static_cast<double>(generator() % 16) - 5;
      if (isa<FloatType>(type))
        value = static_cast<float>(lowest +
                                   static_cast<double>(generator() % 40001) * (highest - lowest) / 40000);
      if (type.isUnsignedInteger())
        value += 5;
      if (type.isInteger(1))
        value = static_cast<double>(generator() % 2);
      if (given != inputs.end())
        value = given->second[e % given->second.size()];
      char *memory = buffer->data() + e * bytesOf(type);
      writeElement(memory, type, value);
      tensor.elements[e].real = readElement(memory, type);
      tensor.elements[e].integer = isa<FloatType>(type) ? 0 : static_cast<int64_t>(tensor.elements[e].real);
    }
    arguments.push_back(tensor);
    early.push_back(std::make_unique<GuardedBuffer>(buffer->size(), GuardedBuffer::Side::Begin));
    memcpy(early.back()->data(), buffer->data(), buffer->size());
    storage.push_back(std::move(buffer));
  }

  // 2. Expected results.
  SmallVector<reference::Tensor> expected;
  if (compareWithReference) {
    reference::States states;
    reference::Symbols referenceSymbols;
    for (auto &[name, value] : symbols)
      referenceSymbols[name] = value;
    FailureOr<SmallVector<reference::Tensor>> results =
        reference::evaluate(function, arguments, states, referenceSymbols);
    if (failed(results)) {
      ADD_FAILURE() << "the reference cannot evaluate the function";
      return {};
    }
    expected = *results;
  }

  // 3. Every variant.
  std::vector<std::vector<double>> numbers;
  std::vector<std::string> firstBits;
  for (const std::string &variant : variants()) {
    std::unique_ptr<LoadedKernel> kernel = loadDispatch(dispatch, variant);
    if (!kernel)
      return {};
    std::vector<std::unique_ptr<GuardedBuffer>> outputs;
    std::vector<reference::Tensor> shapes;
    for (Value output : dispatch.getOutputs())
      shapes.push_back(emptyTensor(output.getType()));
    lastGroups = kernel->groups(dims);
    std::vector<std::string> earlyBits;
    for (GuardedBuffer::Side side : {GuardedBuffer::Side::Begin, GuardedBuffer::Side::End}) {
      std::vector<void *> buffers;
      for (auto &buffer : side == GuardedBuffer::Side::Begin ? early : storage)
        buffers.push_back(buffer->data());
      outputs.clear();
      for (const reference::Tensor &shape : shapes) {
        outputs.push_back(std::make_unique<GuardedBuffer>(shape.size() * bytesOf(shape.elementType), side));
        memset(outputs.back()->data(), 0x7B, outputs.back()->size());
        buffers.push_back(outputs.back()->data());
      }
      kernel->run(buffers, dims);
      if (side == GuardedBuffer::Side::Begin)
        for (auto &output : outputs)
          earlyBits.emplace_back(output->data(), output->size());
    }
    for (auto [i, tensor] : llvm::enumerate(shapes)) {
      std::vector<double> list;
      double worst = 0;
      int64_t failures = 0;
      for (int64_t e = 0; e < tensor.size(); ++e) {
        double got = readElement(outputs[i]->data() + e * bytesOf(tensor.elementType), tensor.elementType);
        list.push_back(got);
        if (!compareWithReference)
          continue;
        double want = expected[i].number(e), difference = std::fabs(got - want);
        if (std::isnan(want) ? std::isnan(got) : got == want)
          continue;
        worst = std::max(worst, difference);
        if (!(difference <= absolute + relative * std::fabs(want)) && failures++ < 5)
          ADD_FAILURE() << variant << ", result " << i << "[" << e << "]: got " << got << ", expected "
                        << want;
      }
      EXPECT_EQ(failures, 0) << "of " << tensor.size() << " elements; largest difference " << worst;
      std::string bits(outputs[i]->data(), outputs[i]->size());
      EXPECT_EQ(bits == earlyBits[i], true) << "result " << i << " depends on where its operands lie";
      if (variant == variants().front()) {
        numbers.push_back(list);
        firstBits.push_back(bits);
      } else {
        EXPECT_EQ(bits == firstBits[i], true) << "result " << i << " differs between variants";
      }
    }
  }
  return numbers;
}

std::string dispatch(const std::vector<std::string> &inputs, const std::vector<std::string> &outputs,
                     const std::string &body, const std::string &yield, const std::string &symbols) {
  auto type = [](const std::string &shorthand) {
    size_t bracket = shorthand.find('[');
    return "!dl.tensor<" + shorthand.substr(bracket) + ", " + shorthand.substr(0, bracket) + ">";
  };
  std::string parameters, arguments, inputTypes, outputTypes, inner, results;
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::string separator = i ? ", " : "";
    parameters += separator + "%x" + std::to_string(i) + ": " + type(inputs[i]);
    arguments += separator + "%x" + std::to_string(i);
    inputTypes += separator + type(inputs[i]);
    inner += separator + "%a" + std::to_string(i) + ": " + type(inputs[i]);
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    outputTypes += (i ? ", " : "") + type(outputs[i]);
    results += (i ? ", " : "") + ("%r#" + std::to_string(i));
  }
  std::string count = ":" + std::to_string(outputs.size());
  return "func.func @f(" + parameters + ") -> (" + outputTypes + ") attributes {dl.symbols = [" + symbols +
         "]} {\n  %r" + count + " = dl.dispatch \"k\" (" + arguments + ") : (" + inputTypes + ") -> (" +
         outputTypes + ") {\n  ^bb0(" + inner + "):\n" + body + "\n    dl.yield " + yield + " : " +
         outputTypes + "\n  }\n  return " + results + " : " + outputTypes + "\n}\n";
}

std::string t(const std::string &shape, const std::string &element) {
  return "!dl.tensor<[" + shape + "], " + element + ">";
}

} // namespace dlc::test
