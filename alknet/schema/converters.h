#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "alknet/base/json.h"

namespace alknet::schema {

/// Makes the new instance of a field from the old one; null stands for an absent or added one, and as a result for
/// absence. Throws an Error that says why it cannot. Called by one thread at a time.
using ConvertValue = std::function<Json(const Json&)>;

/// A converter that `alknet tensor migrate --converter PATH=NAME` knows.
struct NamedConverter {
  std::string_view name;
  std::string_view argument;  ///< What follows the name and a colon, for help: "FACTOR"; empty when nothing does.
  std::string_view about;
};

/// All of them. `drop`, which removes a field's data, is among them but makes no value.
std::span<const NamedConverter> named_converters();

/// The converter of "NAME" or "NAME:ARGUMENT". Throws `not_found` with the names there are, `invalid_argument` for an
/// argument that is missing or wrong, and for `drop`.
ConvertValue make_converter(std::string_view text);

}  // namespace alknet::schema
