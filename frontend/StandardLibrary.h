// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The texts of std/*.dl, which the build puts into the compiler.
#ifndef DLC_FRONTEND_STANDARDLIBRARY_H
#define DLC_FRONTEND_STANDARDLIBRARY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace dlc::frontend {

struct StandardFile {
  llvm::StringRef name; ///< as messages show it: "std/layers.dl"
  llvm::StringRef text;
};

/// All files, ordered by name.
llvm::ArrayRef<StandardFile> standardLibrary();

} // namespace dlc::frontend

#endif // DLC_FRONTEND_STANDARDLIBRARY_H
