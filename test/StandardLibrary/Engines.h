// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two ways to run the entries of a program: the reference in f64, and the compiled artifact.

#ifndef DLC_TEST_STANDARDLIBRARY_ENGINES_H
#define DLC_TEST_STANDARDLIBRARY_ENGINES_H

#include "test/StandardLibrary/Cases.h"

#include <memory>

namespace dlc::test {

class Engine {
public:
  virtual ~Engine() = default;
  /// States as a new session has them.
  virtual void restart() = 0;
  virtual void write(const std::string &state, const Values &values) = 0;
  virtual Values read(const std::string &state) = 0;
  /// Runs an entry; its arguments by name. A failure is a test failure and gives no results.
  virtual std::vector<Values> run(const std::string &entry, const std::map<std::string, Values> &inputs) = 0;
};

/// A failure is a test failure and gives null.
std::unique_ptr<Engine> makeReference(const std::string &path);
std::unique_ptr<Engine> makeArtifact(const std::string &path);

} // namespace dlc::test

#endif // DLC_TEST_STANDARDLIBRARY_ENGINES_H
