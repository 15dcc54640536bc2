// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text on the command line as the tokens that entries take and return.
#ifndef DLC_TOOLS_CLI_TOKENS_H
#define DLC_TOOLS_CLI_TOKENS_H

#include "runtime/data/encoding.h"
#include "tools/cli/session.h"

namespace dlc::cli {

/// The vocabulary that the weights keep for a value: that of the data's column of its name, else the only one
/// there is. Null for what holds no tokens (i32) and where there is none.
const data::Vocabulary *find_vocabulary(const Value &value, const data::Encodings &encodings);

/// text as the entry's argument: one row of tokens, [1, t] or [t]. A last dimension of a fixed size is filled
/// up with the vocabulary's padding, if it has one.
data::Status encode_text(const Artifact &artifact, const Entry &entry, const Value &argument,
                         const data::Vocabulary &vocabulary, const std::string &text,
                         data::Tensor &out_tensor);

/// A line for each row of tokens.
data::Status decode_tokens(const Value &result, const data::Vocabulary &vocabulary,
                           const dlc_tensor_t &tensor, std::string &out_text);

} // namespace dlc::cli

#endif // DLC_TOOLS_CLI_TOKENS_H
