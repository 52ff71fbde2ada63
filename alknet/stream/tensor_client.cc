#include "alknet/stream/tensor_client.h"

#include <string>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/stream/client_core.h"
#include "alknet/tensor/limits.h"

namespace alknet::stream {

Task<std::shared_ptr<TensorClient>> TensorClient::open(Executor& executor, Dial dial, ClientOptions options) {
  const auto core = std::make_shared<ClientCore>(executor, std::move(dial), std::move(options));
  Completion<tensor::File> opened;
  executor.post([core, opened] { core->open(opened); });
  tensor::File file = co_await opened.wait();
  co_return std::shared_ptr<TensorClient>(new TensorClient(executor, core, std::move(file)));
}

TensorClient::~TensorClient() {
  executor_.post([core = std::move(core_)] { core->shut_down(); });
}

Task<> TensorClient::arrival(std::uint32_t index) {
  Completion<> done;
  executor_.post([core = core_, index, done] { core->want(index, done); });
  co_await done.wait();
}

Task<tensor::TensorView> TensorClient::arrived(const tensor::Entry& entry) {
  co_await arrival(static_cast<std::uint32_t>(file_.index_of(entry)));
  if (file_.is_metatensor()) {
    const std::string store = std::string(tensor::kBlobPrefix) + std::string(entry.name);
    if (const tensor::Entry* blobs = file_.find(store)) {
      co_await arrival(static_cast<std::uint32_t>(file_.index_of(*blobs)));
    }
  }
  co_return file_.tensor(entry);
}

void TensorClient::prioritize(std::span<const std::string> names) {
  for (const std::string& name : names) static_cast<void>(file_.entry(name));  // throws entry_missing
  executor_.post([core = core_, copies = std::vector<std::string>(names.begin(), names.end())]() mutable {
    core->prioritize(std::move(copies));
  });
}

void TensorClient::cancel(const tensor::Entry& entry) {
  executor_.post([core = core_, index = static_cast<std::uint32_t>(file_.index_of(entry))] { core->cancel(index); });
}

Task<> TensorClient::complete() {
  Completion<> done;
  executor_.post([core = core_, done] { core->want_all(done); });
  co_await done.wait();
}

}  // namespace alknet::stream
