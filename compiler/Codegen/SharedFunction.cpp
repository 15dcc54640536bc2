// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/SharedFunction.h"

#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace dlc::codegen {

ResultRange callShared(OpBuilder &builder, Location location, StringRef name, ValueRange arguments,
                       TypeRange results,
                       llvm::function_ref<SmallVector<Value>(OpBuilder &, ValueRange)> body) {
  auto module = builder.getBlock()->getParentOp()->getParentOfType<ModuleOp>();
  auto callee = module.lookupSymbol<func::FuncOp>(name);
  if (!callee) {
    OpBuilder nested = OpBuilder::atBlockEnd(module.getBody());
    callee =
        func::FuncOp::create(nested, location, name, nested.getFunctionType(arguments.getTypes(), results));
    callee.setPrivate();
    Block &entry = *callee.addEntryBlock();
    nested.setInsertionPointToStart(&entry);
    SmallVector<Value> returned = body(nested, entry.getArguments());
    func::ReturnOp::create(nested, location, returned);
  }
  return func::CallOp::create(builder, location, callee, arguments).getResults();
}

} // namespace dlc::codegen
