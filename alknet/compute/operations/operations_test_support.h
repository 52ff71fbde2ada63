#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/pool_executor.h"
#include "alknet/base/testing.h"
#include "alknet/call/dispatcher.h"
#include "alknet/compute/operations/compute_operations.h"

/// For tests: a node that serves the compute operations, and callers of it.

namespace alknet::compute {

/// The operations, compiled once for all tests, since a service may serve many nodes.
struct ServedOperations {
  /// On the device `cpu` unless `options` name one; with one thread.
  explicit ServedOperations(ComputeServiceOptions options = {});
  std::unique_ptr<ComputeService> service;
  std::shared_ptr<call::Registry> registry;
};

class OperationsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { served_ = new ServedOperations; }
  static void TearDownTestSuite() {
    delete served_;
    served_ = nullptr;
  }

  /// On the operations of the suite, or on others.
  explicit OperationsTest(ServedOperations* served = nullptr);
  ~OperationsTest() override;

  ComputeService& service() { return *served_here_.service; }
  call::Registry& registry() { return *served_here_.registry; }

  static std::shared_ptr<call::Owner> make_owner(call::Owner::Kind kind = call::Owner::Kind::kConnection,
                                                 const call::ResourceQuota& quota = {});

  /// Ends an owner where its calls run, and waits until what it held is gone.
  void end(const std::shared_ptr<call::Owner>& owner);

  /// Calls, and throws what a peer would see. `owner` is `this->owner` when null.
  Message call(std::string operation, Message input, std::shared_ptr<call::Owner> as = nullptr);
  Json call(std::string operation, Json input, std::shared_ptr<call::Owner> as = nullptr);
  Json call(std::string operation, std::string_view input, std::shared_ptr<call::Owner> as = nullptr) {
    return call(std::move(operation), parse_json(input), std::move(as));
  }
  Json call(std::string operation, const char* input, std::shared_ptr<call::Owner> as = nullptr) {
    return call(std::move(operation), std::string_view(input), std::move(as));
  }

  /// The code in capitals that a peer would see, or "no error".
  std::string code(std::string operation, Json input, std::shared_ptr<call::Owner> as = nullptr);

  /// A tensor from bytes.
  Json tensor(Dtype dtype, const Shape& shape, std::span<const std::byte> bytes);
  template <typename T>
  Json tensor(const Shape& shape, const std::vector<T>& values) {
    return tensor(dtype_of<T>(), shape, std::as_bytes(std::span(values)));
  }

  std::vector<std::byte> read(const Json& handle);
  template <typename T>
  std::vector<T> read_as(const Json& handle) {
    const auto bytes = read(handle);
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  Json values(const Json& handle) {
    return call("compute/read_tensor", JsonObject{{"tensor", handle}, {"as", "values"}}).at("values");
  }

  /// Bytes in buffers of the device `cpu`.
  std::uint64_t live_bytes();

  ServedOperations& served_here_;
  PoolExecutor executor;
  std::unique_ptr<call::Dispatcher> dispatcher;
  std::shared_ptr<call::Owner> owner = make_owner();

 private:
  static inline ServedOperations* served_ = nullptr;  // of the suite
};

/// Operations of its own; a base, so that it is there before the node and after it.
struct OwnOperations {
  ServedOperations own;
};

/// A node of its own with a caller, for tests that need another one than the suite's, or several.
class ServedNode final : private OwnOperations, public OperationsTest {
 public:
  explicit ServedNode(ComputeServiceOptions options = {})
      : OwnOperations{ServedOperations(std::move(options))}, OperationsTest(&own) {}
  void TestBody() override {}

  using OperationsTest::call;
  using OperationsTest::code;
  using OperationsTest::dispatcher;
  using OperationsTest::end;
  using OperationsTest::executor;
  using OperationsTest::live_bytes;
  using OperationsTest::make_owner;
  using OperationsTest::owner;
  using OperationsTest::read;
  using OperationsTest::read_as;
  using OperationsTest::registry;
  using OperationsTest::service;
  using OperationsTest::tensor;
  using OperationsTest::values;
};

}  // namespace alknet::compute
