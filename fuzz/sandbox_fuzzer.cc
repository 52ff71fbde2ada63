// What a host and a process that runs scripts tell each other, as JSON: a session that is asked for, an item that it
// answers, a message with bytes in another. What is read is written to the same again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alknet/runtime/sandbox_protocol.h"
#include "fuzz/outcome.h"

namespace {

using namespace alknet;  // NOLINT(google-build-using-namespace)
using alknet::fuzz::attempt;
using alknet::fuzz::require;

void read_request(const Json& value) {
  attempt([&] {
    const auto request = runtime::SessionRequest::from_json(value);
    const Json written = request.to_message().value;
    require(runtime::SessionRequest::from_json(written).to_message().value == written);
  });
}

void read_event(const Json& value) {
  require(runtime::output_size(value) > 0);
  attempt([&] {
    const Json written = runtime::SandboxEvent::from_json(value).to_json();
    require(runtime::SandboxEvent::from_json(written).to_json() == written);
  });
}

void read_wrapped(const Json& value) {
  attempt([&] {
    Message outer{value, {}};
    outer.bytes.push_back(SharedBytes::copy("some"));
    const Message inner = runtime::unwrap(std::move(outer), "input");
    const Message again = runtime::unwrap(runtime::wrap({{"operation", "a/b"}}, "input", inner), "input");
    require(again.value == inner.value && again.bytes.size() == inner.bytes.size());
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  attempt([&] {
    const Json value = parse_json({reinterpret_cast<const char*>(data), size});
    read_request(value);
    read_event(value);
    read_wrapped(value);
  });
  return 0;
}
