#include "alknet/compute/generate/wgsl_helpers.h"

#include <array>

#include "alknet/compute/generate/wgsl.h"

namespace alknet::compute {
namespace {

/// Each may call what the later ones have.
constexpr std::array kHelperTables = {
    wgsl_wide_integer_helpers, wgsl_packed_helpers,  wgsl_special_function_helpers, wgsl_trigonometry_helpers,
    wgsl_exponential_helpers,  wgsl_integer_helpers, wgsl_number_helpers,
};

/// Whether `source` calls the function, rather than one whose name ends so.
bool calls(std::string_view source, std::string_view call) {
  for (std::size_t at = source.find(call); at != source.npos; at = source.find(call, at + 1)) {
    const char before = at == 0 ? ' ' : source[at - 1];
    const bool inside = before == '_' || (before >= 'a' && before <= 'z') || (before >= '0' && before <= '9');
    if (!inside) return true;
  }
  return false;
}

}  // namespace

std::string wgsl_helpers(std::string_view source) {
  std::string result;
  for (const auto table : kHelperTables) {
    const auto rows = table();
    for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
      if (calls(source, row->call) || calls(result, row->call)) result.insert(0, row->text);
    }
  }
  return result;
}

}  // namespace alknet::compute
