#include "tests/operations/grad.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "alknet/base/error.h"
#include "alknet/compute/device_cpu/cpu_backend.h"
#include "alknet/compute/eager/gradcheck_operation.h"
#include "alknet/graph/call_types.h"

namespace alknet::operations {

bool check_gradients(const std::vector<std::string>& ops, std::ostream& out) {
  const compute::Context context(std::make_shared<compute::BufferManager>(), compute::make_cpu_backend({.threads = 1}));
  bool passed = true;
  out << fmt::format("{:<32} {:>6} {:>12} {:>12}\n", "operation", "cases", "derivatives", "worst error");
  for (const graph::OpSpec& op : graph::OpTable::builtin().ops()) {
    if (!ops.empty() && std::find(ops.begin(), ops.end(), op.name) == ops.end()) continue;
    if (!compute::is_differentiable(op) || op.kind == graph::OpKind::kRandom || graph::needs_random_state(op, {}))
      continue;
    std::size_t cases = 0, derivatives = 0;
    double worst = 0;
    std::string note;
    for (const compute::GradcheckCase& made : compute::gradcheck_cases(op)) {
      try {
        const auto report = compute::gradcheck_operation(context, op, made);
        if (!report) continue;
        ++cases;
        derivatives += report->elements;
        worst = std::max(worst, report->worst);
        if (report->passed) continue;
        note = "failed " + json_text(made.attrs) + ' ' + report->worst_at;
        passed = false;
      } catch (const Error& error) {
        if (cases == 0) note = error.message();  // shapes that were guessed need not suit
      }
    }
    if (cases > 0 && !note.starts_with("failed")) note.clear();
    out << fmt::format("{:<32} {:>6} {:>12} {:>12.1e}  {}", op.name, cases, derivatives, worst, note) << std::endl;
  }
  return passed;
}

}  // namespace alknet::operations
