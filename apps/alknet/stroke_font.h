#pragma once

#include <string_view>
#include <vector>

#include "apps/alknet/drawing.h"

namespace alknet::app {

/// A text as polylines with the baseline at y = 0 (y downwards) from x = 0, for an em of 1: a font of strokes, so that
/// pictures need no font file.
std::vector<std::vector<Point>> text_strokes(std::string_view text);

/// How far the text runs, for an em of 1.
double text_width(std::string_view text);

}  // namespace alknet::app
