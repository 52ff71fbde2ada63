#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/tensor/file.h"

namespace alknet::tensor {

/// One thing that is wrong with a file.
struct VerifyFault {
  std::string code;                     ///< An error's name: "offset_gap", "bad_boolean", "checksum_mismatch", ...
  std::string message;                  ///< What, where and what to do.
  std::optional<std::string> path;      ///< The entry, with an index where one element or record is meant.
  std::optional<std::uint64_t> offset;  ///< Byte in the file.
};

struct VerifyOptions {
  std::size_t max_faults = 1'000;                       ///< The list stops here.
  std::function<void(std::uint64_t)> on_progress = {};  ///< Called with bytes done since the last call; in all
                                                        ///< those of the entries.
};

/// Every check there is, on the whole file: header, schema against entries, booleans, padding, presence, enums,
/// UTF-8, blob references and what they hold, pads, checksums. Returns all faults, none for a sound file. A header that
/// cannot be read is a single fault; a file that cannot be opened at all throws `io_error`.
std::vector<VerifyFault> verify(const std::string& path, const VerifyOptions& options = {});

/// The same for a file that is open.
std::vector<VerifyFault> verify(const File& file, const VerifyOptions& options = {});

/// {"ok", "errors": [{"code", "message", "path"?, "offset"?}]}, as `alknet tensor verify --json` prints it.
Json verify_json(const std::vector<VerifyFault>& faults);

}  // namespace alknet::tensor
