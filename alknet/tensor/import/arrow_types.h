#pragma once

#include <cstddef>
#include <span>

namespace alknet::tensor {

/// Checks every table, vector and string of a file's footer (format/File.fbs) or of a message (format/Message.fbs),
/// also those that are not read, so that what Arrow refuses as damaged is refused here. Throw FlatBufferFault.
void verify_arrow_footer(std::span<const std::byte> buffer);
void verify_arrow_message(std::span<const std::byte> buffer);

}  // namespace alknet::tensor
