#pragma once

#include "alknet/base/log.h"

namespace alknet::runtime {

class Isolate;

/// Joins the log of a script to `logger`: what `@logtape/logtape` is told goes there, as a line with its `category` and
/// `properties` (JSON), until the script configures sinks of its own. Before the script imports it.
void install_log(Isolate& isolate, Logger logger);

}  // namespace alknet::runtime
