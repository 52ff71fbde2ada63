#pragma once

#include <string>

#include "alknet/platform/webgpu/generate/c_header.h"
#include "alknet/platform/webgpu/generate/idl.h"

namespace alknet::platform::webgpu {

/// The C++ source with the rows of `tables.h` for a document. Throws `alknet::Error` for what has no place there.
std::string emit_tables(const IdlDocument& document, const CHeader& header);

}  // namespace alknet::platform::webgpu
