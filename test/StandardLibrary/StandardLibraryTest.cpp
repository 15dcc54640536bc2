// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every declaration of the standard library beside PyTorch's: results, gradients, running statistics, the
// parameters after steps of optimizers, metrics over uneven batches, rates of schedules, statistics of
// initial values. reference.py, which needs PyTorch, has written programs and figures.

#include "frontend/StandardLibrary.h"
#include "test/StandardLibrary/Engines.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Regex.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace dlc::test {
namespace {

/// Of the largest element of a tensor. The figures were computed in f64 and are stored in f32.
constexpr double kReferenceTolerance = 1e-6, kArtifactTolerance = 2e-5;
/// Of random values: how many standard errors their mean and variance may be off.
constexpr double kStandardErrors = 5;

/// The largest difference, in parts of the largest expected element, or of each one, as far as f32 has it.
/// NaN and infinities are equal to themselves only.
double differenceOf(const Values &actual, const Values &expected, bool isByElement) {
  constexpr double least = std::numeric_limits<float>::min();
  double largest = 0, scale = 1e-6;
  for (double element : expected.elements)
    if (std::isfinite(element))
      scale = std::max(scale, std::fabs(element));
  for (size_t i = 0; i < expected.elements.size(); ++i) {
    double a = actual.elements[i], b = expected.elements[i];
    if (a == b || (std::isnan(a) && std::isnan(b)))
      continue;
    double difference = std::fabs(a - b) / (isByElement ? std::max(std::fabs(b), least) : scale);
    largest =
        std::isnan(difference) ? std::numeric_limits<double>::infinity() : std::max(largest, difference);
  }
  return largest;
}

/// stat: least and greatest possible value, mean and variance.
void checkStatistics(const Values &actual, const Values &stat, const std::string &what) {
  double count = static_cast<double>(actual.elements.size()), sum = 0, squares = 0, fourth = 0;
  double low = stat.elements[0], high = stat.elements[1], mean = stat.elements[2],
         variance = stat.elements[3];
  for (double element : actual.elements) {
    EXPECT_GE(element, low - 1e-6 * std::fabs(low)) << what;
    EXPECT_LE(element, high + 1e-6 * std::fabs(high)) << what;
    sum += element;
  }
  double actualMean = sum / count;
  for (double element : actual.elements) {
    double square = (element - actualMean) * (element - actualMean);
    squares += square;
    fourth += square * square;
  }
  double actualVariance = squares / count;
  double varianceError = std::sqrt(std::max(fourth / count - actualVariance * actualVariance, 0.0) / count);
  EXPECT_LE(std::fabs(actualMean - mean), kStandardErrors * std::sqrt(variance / count)) << what << ": mean";
  EXPECT_LE(std::fabs(actualVariance - variance), kStandardErrors * varianceError) << what << ": variance";
}

/// Runs the steps of all cases and compares; returns the largest difference.
double compare(const std::string &family, Engine &engine, double tolerance) {
  double largest = 0;
  for (const Case &one : readCases(family)) {
    engine.restart();
    for (const auto &[name, values] : one.states)
      engine.write(name, values);
    for (size_t step = 0; step < one.steps.size(); ++step) {
      const Step &expected = one.steps[step];
      std::string where = one.name + ", step " + std::to_string(step) + ": ";
      std::vector<Values> results = engine.run(one.name, expected.inputs);
      double allowed = std::max(tolerance, one.tolerance);
      auto check = [&](const Values &actual, const Values &wanted, const std::string &what) {
        ASSERT_EQ(actual.shape, wanted.shape) << where << what;
        double difference = differenceOf(actual, wanted, one.isByElement);
        EXPECT_LE(difference, allowed)
            << where << what << ": expected " << testing::PrintToString(wanted.elements) << ", got "
            << testing::PrintToString(actual.elements);
        largest = std::max(largest, difference);
      };
      auto resultAt = [&](const std::string &index) {
        EXPECT_LT(std::stoul(index), results.size()) << where;
        return std::stoul(index) < results.size() ? results[std::stoul(index)] : Values();
      };
      for (const auto &[index, values] : expected.results)
        check(resultAt(index), values, "result " + index);
      for (const auto &[name, values] : expected.states)
        check(engine.read(name), values, name);
      for (const auto &[index, stat] : expected.resultStats)
        checkStatistics(resultAt(index), stat, where + "result " + index);
      for (const auto &[name, stat] : expected.stateStats)
        checkStatistics(engine.read(name), stat, where + name);
    }
  }
  return largest;
}

class StandardLibrary : public testing::TestWithParam<std::string> {};

TEST_P(StandardLibrary, ReferenceEqualsPyTorch) {
  std::unique_ptr<Engine> engine = makeReference(programPath(GetParam()));
  ASSERT_TRUE(engine);
  double largest = compare(GetParam(), *engine, kReferenceTolerance);
  printf("%s: largest difference %.2g, tolerance %.2g\n", GetParam().c_str(), largest, kReferenceTolerance);
}

TEST_P(StandardLibrary, ArtifactEqualsPyTorch) {
  std::unique_ptr<Engine> engine = makeArtifact(programPath(GetParam()));
  ASSERT_TRUE(engine);
  double largest = compare(GetParam(), *engine, kArtifactTolerance);
  printf("%s: largest difference %.2g, tolerance %.2g\n", GetParam().c_str(), largest, kArtifactTolerance);
}

INSTANTIATE_TEST_SUITE_P(Families, StandardLibrary, testing::ValuesIn(families()),
                         [](const auto &info) { return info.param; });

/// How often `name(` stands in a text as a call.
unsigned callsOf(llvm::StringRef name, llvm::StringRef text) {
  unsigned count = 0;
  for (size_t at = text.find(name); at != llvm::StringRef::npos; at = text.find(name, at + 1)) {
    bool isStart = at == 0 || !(llvm::isAlnum(text[at - 1]) || text[at - 1] == '_');
    count += isStart && text.substr(at + name.size()).starts_with("(");
  }
  return count;
}

/// The text of an entry, and the shapes of its first argument in all steps: what is under test is called with
/// that one, while the weight g of a result has the shape that the settings give it.
struct Entry {
  std::string text;
  std::set<data::Shape> shapes;
};

/// An entry begins with its kind and name at the start of a line, and ends before the next line that is not
/// indented.
std::vector<Entry> entriesOf(const std::string &family, llvm::StringRef program) {
  std::map<std::string, Case> cases;
  for (Case &one : readCases(family))
    cases.emplace(one.name, std::move(one));
  std::vector<Entry> entries;
  llvm::SmallVector<llvm::StringRef> lines;
  program.split(lines, '\n');
  llvm::Regex start("^(infer|train|eval) ([a-z0-9_]+)\\(([a-z0-9_]+): ");
  bool isInside = false;
  for (llvm::StringRef line : lines) {
    llvm::SmallVector<llvm::StringRef> match;
    if (start.match(line, &match)) {
      Entry entry;
      for (const Step &step : cases[match[2].str()].steps)
        if (auto given = step.inputs.find(match[3].str()); given != step.inputs.end())
          entry.shapes.insert(given->second.shape);
      EXPECT_FALSE(entry.shapes.empty()) << family << ": nothing is given to " << match[2].str();
      entries.push_back(std::move(entry));
      isInside = true;
    } else if (!line.starts_with(" ")) {
      isInside = false;
    }
    if (isInside)
      entries.back().text += line.str() + "\n";
  }
  return entries;
}

/// Whether a declaration computes from tensors: arguments, or the parameters and gradients of an optimizer
/// and of what clips. Schedules have none, and of initializers and random numbers the statistics are
/// compared.
bool takesTensors(llvm::StringRef kind, llvm::StringRef signature) {
  return kind != "schedule" && kind != "initializer" &&
         (signature.contains(" for ") || llvm::Regex(": (f32|i32|bool)\\[").match(signature));
}

/// What has a source has three cases, different shapes or settings, and inputs of three shapes if it takes
/// any; the rest is what these are made of.
TEST(StandardLibraryCoverage, EveryDeclarationIsCompared) {
  std::string cases;
  std::vector<Entry> entries;
  for (const std::string &family : families()) {
    auto text = llvm::MemoryBuffer::getFile(programPath(family));
    ASSERT_TRUE(text) << family;
    cases += (*text)->getBuffer();
    llvm::append_range(entries, entriesOf(family, (*text)->getBuffer()));
  }
  std::string library;
  for (const frontend::StandardFile &file : frontend::standardLibrary())
    library += file.text;
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::StringRef(library).split(lines, '\n');
  llvm::Regex declaration("^(layer|function|optimizer|metric|schedule|initializer) ([a-z0-9_]+)\\(");
  unsigned declared = 0, shaped = 0;
  for (size_t line = 0; line < lines.size(); ++line) {
    llvm::SmallVector<llvm::StringRef> match;
    if (!declaration.match(lines[line], &match))
      continue;
    ++declared;
    bool hasSource = false;
    size_t above = line;
    while (above > 0 && lines[above - 1].starts_with("#"))
      hasSource |= lines[--above].starts_with("# Source: ");
    EXPECT_NE(above, line) << match[2].str() << " is not documented";
    unsigned count = callsOf(match[2], cases);
    if (hasSource)
      EXPECT_GE(count, 3u) << match[2].str() << " has a source, and is compared with it in three cases";
    else
      EXPECT_GE(count + callsOf(match[2], library), 2u)
          << match[2].str() << " has no source, is compared in no case and called nowhere in the library";

    llvm::StringRef rest(lines[line].data());
    if (!hasSource || !takesTensors(match[1], rest.take_front(rest.find('{'))))
      continue;
    ++shaped;
    std::set<data::Shape> shapes;
    for (const Entry &entry : entries)
      if (callsOf(match[2], entry.text))
        shapes.insert(entry.shapes.begin(), entry.shapes.end());
    EXPECT_GE(shapes.size(), 3u) << match[2].str() << " is compared for inputs of three shapes, not "
                                 << testing::PrintToString(shapes);
  }
  EXPECT_GE(declared, 60u);
  EXPECT_GE(shaped, 60u);
}

} // namespace
} // namespace dlc::test
