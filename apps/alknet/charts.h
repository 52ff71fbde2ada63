#pragma once

#include <string>
#include <vector>

#include "apps/alknet/drawing.h"

namespace alknet::app {

/// One curve: its values at 1, 2, 3, ...; those that are not finite leave a gap.
struct Series {
  std::string name;
  std::vector<double> values;
};

/// Curves over a common axis, with a legend. `y_label` names the values, `x_label` what is counted.
Drawing line_chart(const std::string& title, const std::string& x_label, const std::string& y_label,
                   const std::vector<Series>& series);

/// How often class `row` was taken for class `column`: counts[row][column], rows and columns equally many.
Drawing confusion_matrix(const std::string& title, const std::vector<std::vector<std::size_t>>& counts);

}  // namespace alknet::app
