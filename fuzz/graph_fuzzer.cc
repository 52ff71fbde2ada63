// Graph documents: what is read passes `validate` or fails with an Error, and what was read is written as a document
// that reads back as the same graph.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alknet/graph/json.h"
#include "alknet/graph/validate.h"
#include "fuzz/outcome.h"

using alknet::Message;
using alknet::SharedBytes;
using alknet::fuzz::attempt;
using alknet::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  attempt([&] {
    // Constants may name one of two pieces of data.
    const Message document{alknet::parse_json(text), {SharedBytes::copy("1234"), SharedBytes::copy("12345678")}};
    const alknet::graph::Graph graph = alknet::graph::from_message(document);
    require(attempt([&] {
      const Message written = alknet::graph::to_message(graph);
      const Message again = alknet::graph::to_message(alknet::graph::from_message(written));
      require(again.value == written.value);
    }));
    attempt([&] { (void)alknet::graph::validate(graph, alknet::graph::OpTable::builtin()); });
  });
  return 0;
}
