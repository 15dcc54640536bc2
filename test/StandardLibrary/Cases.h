// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The committed cases: programs in Inputs/*.dl, each entry a case, and beside each program what reference.py
// wrote into a safetensors file:
//
//   CASE/set/STATE         the value of a state before the first step
//   CASE/STEP/in/ARGUMENT  an argument
//   CASE/STEP/out/INDEX    what PyTorch has for a result
//   CASE/STEP/state/STATE  what PyTorch has for a state after the step
//   CASE/STEP/stat/INDEX   of a random result or state: its least and greatest possible value, mean, variance
//   CASE/STEP/stat/STATE
//
// The metadata may hold a tolerance for a case, and under CASE/by_element that it is a part of each element.

#ifndef DLC_TEST_STANDARDLIBRARY_CASES_H
#define DLC_TEST_STANDARDLIBRARY_CASES_H

#include "runtime/data/tensor.h"

#include <map>
#include <string>
#include <vector>

namespace dlc::test {

/// Elements as f64, whatever their type.
struct Values {
  data::DataType type = data::DataType::f32;
  data::Shape shape;
  std::vector<double> elements;
};

struct Step {
  std::map<std::string, Values> inputs;                  ///< by argument
  std::map<std::string, Values> results;                 ///< by index
  std::map<std::string, Values> states;                  ///< by name
  std::map<std::string, Values> resultStats, stateStats; ///< four numbers each
};

struct Case {
  std::string name; ///< of its entry
  double tolerance = 0;
  bool isByElement = false;             ///< The tolerance is a part of each element, not of the largest one.
  std::map<std::string, Values> states; ///< before the first step
  std::vector<Step> steps;
};

/// The programs, without ".dl", in order.
std::vector<std::string> families();
std::string programPath(const std::string &family);
/// A failure is a test failure.
std::vector<Case> readCases(const std::string &family);

} // namespace dlc::test

#endif // DLC_TEST_STANDARDLIBRARY_CASES_H
