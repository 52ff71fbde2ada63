#pragma once

#include <cstddef>
#include <string>

namespace alknet {

/// `bytes` unpredictable bytes of the system's source, as twice as many lower-case hexadecimal digits.
std::string random_hex(std::size_t bytes);

}  // namespace alknet
