#pragma once

#include <string_view>

namespace alknet::compute {

/// Text of templates/NAME.wgsl, compiled in; empty when there is none. See WgslGenerator for what it may use.
std::string_view wgsl_template(std::string_view name);

}  // namespace alknet::compute
