// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A fold gives the bits that the kernel would give: each operation runs as a kernel on many operands, and
// folds the same operands as constants.

#include "test/Codegen/KernelTestbed.h"

#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace dlc::test {
namespace {

using namespace mlir;

size_t bytesOf(Type type) {
  return type.getIntOrFloatBitWidth() / 8;
}

Attribute attributeOf(Type type, uint64_t bits) {
  APInt number = APInt(64, bits).trunc(type.getIntOrFloatBitWidth());
  if (auto real = dyn_cast<FloatType>(type))
    return FloatAttr::get(type, APFloat(real.getFloatSemantics(), number));
  return IntegerAttr::get(type, number);
}

/// Bits of a constant; every NaN is the same.
uint64_t bitsOf(Attribute attribute) {
  if (auto real = dyn_cast<FloatAttr>(attribute)) {
    APFloat value = real.getValue();
    return value.isNaN() ? ~uint64_t(0) : value.bitcastToAPInt().getZExtValue();
  }
  return cast<IntegerAttr>(attribute).getValue().getZExtValue();
}

class FoldBits : public ::testing::Test {
protected:
  /// `line` computes %r of type `to` from %a (and %b) of type `from`; the operands are given as bits.
  void check(const std::string &line, const std::string &from, const std::string &to,
             const std::vector<uint64_t> &a, const std::vector<uint64_t> &b) {
    std::string in = "!dl.tensor<[n], " + from + ">", out = "!dl.tensor<[n], " + to + ">";
    std::string text = "func.func @f(%x: " + in + ", %y: " + in + ") -> " + out +
                       " attributes {dl.symbols = [\"n\"]} {\n %z = dl.dispatch \"k\" (%x, %y) : (" + in +
                       ", " + in + ") -> (" + out + ") {\n ^bb0(%a: " + in + ", %b: " + in + "):\n " + line +
                       "\n dl.yield %r : " + out + "\n }\n return %z : " + out + "\n}\n";
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &testbed.context);
    ASSERT_TRUE(module);
    dl::YieldOp yield;
    module->walk([&](dl::YieldOp op) { yield = op; });
    Operation *op = yield.getValues()[0].getDefiningOp();
    Type fromType = cast<dl::TensorType>(op->getOperand(0).getType()).getElementType();
    Type toType = cast<dl::TensorType>(op->getResult(0).getType()).getElementType();

    auto pack = [&](const std::vector<uint64_t> &bits) {
      std::vector<char> bytes(bits.size() * bytesOf(fromType));
      for (size_t i = 0; i < bits.size(); ++i)
        memcpy(bytes.data() + i * bytesOf(fromType), &bits[i], bytesOf(fromType));
      return bytes;
    };
    std::vector<char> x = pack(a), y = pack(b), z(a.size() * bytesOf(toType));
    for (const std::string &variant : KernelTestbed::variants()) {
      auto kernel = testbed.load(text, variant);
      ASSERT_TRUE(kernel);
      kernel->run({x.data(), y.data(), z.data()}, {static_cast<int64_t>(a.size())});
      int failures = 0;
      for (size_t i = 0; i < a.size() && failures < 5; ++i) {
        SmallVector<Attribute> constants{attributeOf(fromType, a[i])};
        if (op->getNumOperands() == 2)
          constants.push_back(attributeOf(fromType, b[i]));
        SmallVector<OpFoldResult> folded;
        ASSERT_TRUE(succeeded(op->fold(constants, folded)));
        ASSERT_EQ(folded.size(), 1u);
        auto constant = dyn_cast<Attribute>(folded[0]);
        if (!constant) // One of the operands.
          constant = constants[cast<Value>(folded[0]) == op->getOperand(0) ? 0 : 1];
        uint64_t got = 0;
        memcpy(&got, z.data() + i * bytesOf(toType), bytesOf(toType));
        uint64_t kernelBits = bitsOf(attributeOf(toType, got));
        if (kernelBits == bitsOf(constant))
          continue;
        ++failures;
        ADD_FAILURE() << variant << ": " << line << " of bits " << std::hex << a[i] << ", " << b[i]
                      << ": kernel " << kernelBits << ", fold " << bitsOf(constant);
      }
    }
  }

  std::vector<uint64_t> randomBits(int count) {
    std::vector<uint64_t> bits;
    for (int i = 0; i < count; ++i)
      bits.push_back(generator());
    return bits;
  }

  KernelTestbed testbed;
  std::mt19937_64 generator{17};
};

TEST_F(FoldBits, ArithmeticOfFloats) {
  for (std::string type : {"f16", "bf16", "f32", "f64"})
    for (std::string op : {"add", "sub", "mul", "div", "rem", "max", "min"}) {
      std::vector<uint64_t> a = randomBits(3000), b = randomBits(3000);
      // Random bits are mostly far apart: let half of the pairs have similar exponents.
      uint64_t exponents = type == "f16"    ? 0x7000
                           : type == "bf16" ? 0x7E00
                           : type == "f32"  ? 0x7E000000
                                            : uint64_t(0x7F) << 56;
      for (size_t i = 0; i < a.size(); i += 2)
        b[i] = (b[i] & ~exponents) | (a[i] & exponents);
      a.push_back(0x64D2), b.push_back(0x34CD); // f16: 1234 mod 0.3
      std::string tensor = "!dl.tensor<[n], " + type + ">";
      check("%r = dl." + op + " %a, %b : " + tensor, type, type, a, b);
    }
}

TEST_F(FoldBits, CastsToFewerBits) {
  for (std::string to : {"bf16", "f16", "f32"}) {
    for (std::string from : {"i32", "i64", "f64"}) {
      std::vector<uint64_t> a = randomBits(3000);
      // Of all magnitudes, and close to the middle between two results.
      for (size_t i = 0; i < a.size() && from != "f64"; ++i)
        a[i] = static_cast<uint64_t>(static_cast<int64_t>(a[i]) >> (i % 60));
      for (int shift = 9; shift < (from == "i32" ? 31 : 63) && from != "f64"; ++shift)
        for (uint64_t rest : {1, -1}) {
          a.push_back((uint64_t(1) << shift) + (uint64_t(1) << (shift - 8)) + rest);
          a.push_back(0 - a.back());
        }
      for (int exponent = -20; exponent < 20 && from == "f64"; ++exponent)
        for (double rest : {0x1p-52, -0x1p-52, 0x1p-30, 0.0}) {
          double middle = std::ldexp(1 + 0x1p-8 + rest, exponent);
          a.emplace_back();
          memcpy(&a.back(), &middle, 8);
        }
      std::string line = "%r = dl.cast %a : !dl.tensor<[n], " + from + "> to !dl.tensor<[n], " + to + ">";
      check(line, from, to, a, a);
    }
  }
}

} // namespace
} // namespace dlc::test
