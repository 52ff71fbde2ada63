#include "alknet/stream/stream_test_support.h"

#include <fmt/format.h>

#include "alknet/tensor/test_folder.h"
#include "alknet/tensor/writer.h"

namespace alknet::stream {

tensor::File model_at(const std::string& path, const std::vector<std::size_t>& elements, bool checksums) {
  tensor::WriterOptions options{.checksums = checksums};
  for (std::size_t i = 0; i < elements.size(); ++i) options.order.push_back(fmt::format("t{}", i));
  tensor::Writer writer(path, options);
  std::vector<tensor::Writer::Id> ids;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    ids.push_back(writer.declare({.name = fmt::format("t{}", i),
                                  .dtype = schema::FileDtype::kF32,
                                  .shape = {static_cast<std::int64_t>(elements[i])}}));
  }
  writer.start();
  for (std::size_t i = 0; i < elements.size(); ++i) {
    std::vector<float> values(elements[i]);
    for (std::size_t k = 0; k < values.size(); ++k) {
      values[k] = static_cast<float>(i) * 1000.0F + static_cast<float>(k % 997) + 0.5F;
    }
    writer.write(ids[i], 0, std::as_bytes(std::span(values)));
  }
  writer.close();
  return tensor::File::open(path);
}

tensor::File model_of(const std::vector<std::size_t>& elements, bool checksums) {
  const tensor::TestFolder folder;
  return tensor::File::from_bytes(
      SharedBytes::take(all_bytes(model_at(folder.path("m.safetensors"), elements, checksums))));
}

std::vector<std::byte> all_bytes(const tensor::File& file) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(file.size()));
  file.read(0, bytes);
  return bytes;
}

StreamBench::StreamBench(tensor::File served, ServerOptions options, std::optional<std::string> peer)
    : file(std::move(served)),
      identity(std::move(peer)),
      tokens(std::make_shared<TokenIssuer>(executor)),
      token(tokens->issue(identity, std::make_shared<tensor::FileSource>(file)).text),
      server(executor, tokens, {}, options) {}

Dial StreamBench::dial() {
  const auto connect = [](StreamBench& bench) -> Task<std::unique_ptr<StreamConnection>> {
    ++bench.dialled;
    bench.link = MemoryLink::make(bench.executor, bench.link_options);
    if (bench.prepare) bench.prepare(*bench.link);
    bench.server.serve(bench.link->server_end(), bench.identity);
    co_return bench.link->client_end();
  };
  return [this, connect] { return connect(*this); };
}

std::shared_ptr<TensorClient> StreamBench::open(ClientOptions options) {
  return run(TensorClient::open(executor, dial(), std::move(options)));
}

}  // namespace alknet::stream
