// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Errors and warnings about a program, collected during a run and rendered at its end:
//
//   mnist.dl:13:10: error: mnist returns f32[n, 64, 7, 10], declared f32[n, 10]
//      13 |   return fc2
//         |          ^~~
//     note: the extra dimensions come from block2, f32[n, 64, 7, 7], used here: mnist.dl:11:20; did you mean
//     flatten(block2)?
//
// A message states what was expected and what was found, starts in lower case and ends without a period.
//
//   diags.error(ret->range, "mnist returns " + actual + ", declared " + declared)
//       .note("the extra dimensions come from block2, " + type + ", used here", use->range,
//       "flatten(block2)");
//   diags.error(name->range, "unknown name 'liner'").suggest(nearestName("liner", candidates));
#ifndef DLC_FRONTEND_DIAGNOSTICS_H
#define DLC_FRONTEND_DIAGNOSTICS_H

#include "frontend/SourceManager.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/Twine.h"
#include <deque>

namespace llvm {
class raw_ostream;
}

namespace dlc::frontend {

enum class Severity { Error, Warning };

/// Belongs to the diagnostic before it. Renders as `  note: message[: file:line:column][; did you mean X?]`.
struct Note {
  std::string message;
  SourceRange range;      ///< may be nowhere
  std::string suggestion; ///< may be empty
};

struct Diagnostic {
  Severity severity = Severity::Error;
  SourceRange range; ///< nowhere for a fault that has no place, such as a file that cannot be read
  std::string message;
  std::string suggestion; ///< rendered as "; did you mean X?" behind the message; may be empty
  std::vector<Note> notes;

  Diagnostic &note(const llvm::Twine &message, SourceRange range = {}, const llvm::Twine &suggestion = "");
  /// An empty text suggests nothing, so the result of nearestName can be passed as it is.
  Diagnostic &suggest(const llvm::Twine &replacement);
};

class DiagnosticEngine {
public:
  /// Without a limit of its own, a run shows the first 20 errors.
  explicit DiagnosticEngine(const SourceManager &sources, unsigned errorLimit = 20)
      : sources(sources), errorLimit(errorLimit) {}
  DiagnosticEngine(const DiagnosticEngine &) = delete;
  DiagnosticEngine &operator=(const DiagnosticEngine &) = delete;

  /// The result stays valid as long as the engine; notes are added to it. A diagnostic that was reported
  /// before with the same severity, range and message (a layer checked once per call does that) is returned,
  /// but not shown again.
  Diagnostic &error(SourceRange range, const llvm::Twine &message);
  Diagnostic &warning(SourceRange range, const llvm::Twine &message);

  bool hasErrors() const { return errors != 0; }
  unsigned errorCount() const { return errors; }
  unsigned warningCount() const { return warnings; }

  /// Writes everything, ordered by file and position, at most `errorLimit` errors, then how many were left
  /// out. Every file's diagnostics stay together, in the order in which the files were added.
  void render(llvm::raw_ostream &os, bool color = false) const;

  const SourceManager &sourceManager() const { return sources; }

private:
  Diagnostic &add(Severity severity, SourceRange range, const llvm::Twine &message);
  void renderOne(llvm::raw_ostream &os, const Diagnostic &diagnostic, bool color) const;

  const SourceManager &sources;
  unsigned errorLimit;
  std::deque<Diagnostic> diagnostics; ///< a deque, so that references stay valid
  std::deque<Diagnostic> repetitions; ///< what error() and warning() return for one that is there already
  unsigned errors = 0;
  unsigned warnings = 0;
};

/// The candidate that a person who typed `name` most likely meant, by edit distance (at most a third of the
/// length, at least 1); empty if none is near. Among equals the first wins.
llvm::StringRef nearestName(llvm::StringRef name, llvm::ArrayRef<llvm::StringRef> candidates);

} // namespace dlc::frontend

#endif // DLC_FRONTEND_DIAGNOSTICS_H
