#include "alknet/base/task.h"

namespace alknet {

void TaskContext::throw_if_stopped() const {
  if (stop.stop_requested()) throw Error(BaseError::kAborted, "stopped on request");
}

}  // namespace alknet
