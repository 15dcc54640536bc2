// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The schedule verifier accepts the plans of whole training steps and rejects them after any injected fault:
// a shifted offset, another buffer, a dropped conflict, a wrong stride, swapped, missing or doubled commands.

#include "compiler/Autodiff/Autodiff.h"
#include "compiler/Memory/Schedule.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

#include <gtest/gtest.h>

namespace dlc::memory {
namespace {

class VerifySchedule : public ::testing::TestWithParam<const char *> {
protected:
  VerifySchedule() {
    context.disableMultithreading();
    context.loadDialect<dl::DlDialect, func::FuncDialect>();
    context.getDiagEngine().registerHandler([](Diagnostic &) { return success(); });
    module = parseSourceFile<ModuleOp>(DLC_TEST_DIR "/Transforms/" + std::string(GetParam()), &context);
    PassManager passes(&context);
    passes.addPass(autodiff::createDifferentiatePass());
    passes.addPass(createCanonicalizerPass());
    passes.addPass(autodiff::createHoistScanAccumulationsPass());
    passes.addPass(createSimplifyPass());
    FormDispatchesPassOptions options;
    options.scan = "loop";
    passes.addPass(createFormDispatchesPass(options));
    EXPECT_TRUE(succeeded(passes.run(*module)));
    plan = *planMemory(*module->getOps<func::FuncOp>().begin());
  }

  std::optional<std::string> verify() { return verifySchedule(plan, symbols); }
  dl::PolynomialAttr constant(int64_t value) { return dl::PolynomialAttr::getConstant(&context, value); }

  /// Calls `visit` for every list of commands, the plan's own first.
  template <typename Visit> void forEachList(std::vector<Command> &commands, Visit visit) {
    visit(commands);
    for (Command &command : commands)
      if (command.kind == Command::Kind::Loop)
        forEachList(command.body, visit);
  }
  template <typename Visit> void forEachBinding(Visit visit) {
    forEachList(plan.commands, [&](std::vector<Command> &commands) {
      for (Command &command : commands)
        for (auto [number, binding] : llvm::enumerate(command.bindings))
          visit(command, number, binding);
    });
  }

  /// Changes `place` for a moment and expects that the verifier notices.
  template <typename T> void expectRejected(T &place, T changed, const std::string &what) {
    std::swap(place, changed);
    EXPECT_TRUE(verify()) << "accepted " << what;
    std::swap(place, changed);
    ++faults;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  Schedule plan;
  SymbolValues symbols{{"n", 2}, {"t", 3}};
  int faults = 0;
};

TEST_P(VerifySchedule, AcceptsThePlan) {
  EXPECT_EQ(verify(), std::nullopt);
}

TEST_P(VerifySchedule, PlacesConflictingBuffersApart) {
  std::optional<Placement> placement = placeBuffers(plan, symbols);
  ASSERT_TRUE(placement);
  for (auto [index, buffer] : llvm::enumerate(plan.buffers))
    for (unsigned other : buffer.conflicts) {
      int64_t begin = placement->offsets[index], end = begin + *evaluate(buffer.size, symbols);
      int64_t otherBegin = placement->offsets[other],
              otherEnd = otherBegin + *evaluate(plan.buffers[other].size, symbols);
      EXPECT_TRUE(end <= otherBegin || otherEnd <= begin) << index << " and " << other;
    }
}

TEST_P(VerifySchedule, RejectsShiftedOffsets) {
  forEachBinding([&](Command &command, size_t number, Binding &binding) {
    std::string what =
        "a shift of binding " + std::to_string(number) + " of " + command.dispatch.getName().str();
    expectRejected(binding.offset, binding.offset + 4, what);
    expectRejected(binding.offset, binding.offset - 4, what);
  });
  EXPECT_GT(faults, 50);
}

TEST_P(VerifySchedule, RejectsOtherBuffers) {
  forEachBinding([&](Command &command, size_t number, Binding &binding) {
    if (binding.base != Base::Buffer)
      return;
    std::string what =
        "another buffer for " + std::to_string(number) + " of " + command.dispatch.getName().str();
    for (unsigned other = 0; other < plan.buffers.size(); ++other)
      if (other != binding.index &&
          placeBuffers(plan, symbols)->offsets[other] != placeBuffers(plan, symbols)->offsets[binding.index])
        expectRejected(binding.index, other, what);
  });
}

TEST_P(VerifySchedule, RejectsDroppedConflicts) {
  // In loops a conflict may be there for caution only.
  bool hasLoops = llvm::any_of(plan.commands, [](Command &c) { return c.kind == Command::Kind::Loop; });
  for (Buffer &buffer : plan.buffers)
    for (unsigned other : llvm::to_vector(buffer.conflicts)) {
      SmallVector<unsigned> rest;
      llvm::copy_if(buffer.conflicts, std::back_inserter(rest), [&](unsigned c) { return c != other; });
      std::swap(buffer.conflicts, rest);
      Placement placement = *placeBuffers(plan, symbols);
      size_t index = &buffer - plan.buffers.data();
      bool overlaps = placement.offsets[index] <
                          placement.offsets[other] + *evaluate(plan.buffers[other].size, symbols) &&
                      placement.offsets[other] < placement.offsets[index] + *evaluate(buffer.size, symbols);
      std::optional<std::string> fault = verify();
      if (overlaps && !hasLoops)
        EXPECT_TRUE(fault) << index << " over " << other;
      faults += fault.has_value();
      std::swap(buffer.conflicts, rest);
    }
  EXPECT_GT(faults, 5);
}

TEST_P(VerifySchedule, RejectsSwappedCommands) {
  forEachList(plan.commands, [&](std::vector<Command> &commands) {
    for (size_t i = 0; i + 1 < commands.size(); ++i) {
      Operation *first = commands[i].dispatch, *second = commands[i + 1].dispatch;
      bool depends = first && second && llvm::is_contained(second->getOperands(), first->getResult(0));
      std::swap(commands[i], commands[i + 1]);
      if (depends) {
        EXPECT_TRUE(verify()) << "accepted " << i + 1 << " before " << i;
        ++faults;
      }
      std::swap(commands[i], commands[i + 1]);
    }
  });
  EXPECT_GT(faults, 2);
}

TEST_P(VerifySchedule, RejectsMissingAndDoubledCommands) {
  forEachList(plan.commands, [&](std::vector<Command> &commands) {
    for (size_t i = 0; i < commands.size(); ++i) {
      std::vector<Command> missing = commands, doubled = commands;
      missing.erase(missing.begin() + i);
      doubled.insert(doubled.begin() + i, commands[i]);
      std::vector<Command> saved = commands;
      commands = missing;
      EXPECT_TRUE(verify()) << "accepted a plan without command " << i;
      commands = doubled;
      EXPECT_TRUE(verify()) << "accepted a plan with command " << i << " twice";
      commands = saved;
    }
  });
}

TEST_P(VerifySchedule, RejectsWrongLoops) {
  forEachList(plan.commands, [&](std::vector<Command> &commands) {
    for (Command &command : commands)
      if (command.kind == Command::Kind::Loop) {
        expectRejected(command.count, command.count - 1, "one iteration less");
        expectRejected(command.count, command.count + 1, "one iteration more");
      }
  });
  forEachBinding([&](Command &command, size_t number, Binding &binding) {
    for (LoopTerm &term : binding.terms) {
      std::string what = "a stride of " + std::to_string(number) + " of " + command.dispatch.getName().str();
      expectRejected(term.stride, term.stride + 4, what);
      if (!term.stride.isConstant(0))
        expectRejected(term.stride, constant(0), what);
      if (term.modulus)
        expectRejected(term.bias, 1 - term.bias, what);
    }
    if (binding.remainder)
      expectRejected(binding.remainder, std::optional<Remainder>(), "a lost remainder");
  });
  forEachList(plan.commands, [&](std::vector<Command> &commands) {
    for (Command &command : commands)
      if (command.dispatch)
        for (StringRef name : {"operand_strides", "result_strides"})
          if (Attribute strides = command.dispatch->getAttr(name)) {
            command.dispatch->removeAttr(name);
            EXPECT_TRUE(verify()) << "accepted contiguous access in " << command.dispatch.getName().str();
            command.dispatch->setAttr(name, strides);
          }
  });
}

INSTANTIATE_TEST_SUITE_P(Steps, VerifySchedule, ::testing::Values("mnist-step.mlir", "rnn-step.mlir"),
                         [](const auto &info) {
                           return std::string(info.param).substr(0, std::string(info.param).find('-'));
                         });

} // namespace
} // namespace dlc::memory
