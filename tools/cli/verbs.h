// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The verbs that work on an artifact, one file each. A verb prints its results; the caller prints a failed
// status.
#ifndef DLC_TOOLS_CLI_VERBS_H
#define DLC_TOOLS_CLI_VERBS_H

#include "tools/cli/session.h"

namespace dlc::cli {

/// out_exit is set to 128 + signal when the training was interrupted; it stays as it is otherwise.
data::Status train(const Artifact &artifact, const Options &options, int &out_exit);
data::Status eval(const Artifact &artifact, const Options &options);
data::Status run(const Artifact &artifact, const Options &options);
data::Status inspect(const Artifact &artifact, const Options &options);

} // namespace dlc::cli

#endif // DLC_TOOLS_CLI_VERBS_H
