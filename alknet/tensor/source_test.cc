#include "alknet/tensor/source.h"

#include <gtest/gtest.h>

#include <array>

#include "alknet/base/await.h"
#include "alknet/tensor/test_support.h"

namespace alknet::tensor {
namespace {

TEST(FileSource, HasEverythingAtOnce) {
  FileSource source(open_bytes(R"({"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "ab"));
  ManualExecutor executor;
  const auto view = run_until_done(executor, source.arrived(source.file().entry("w")));
  EXPECT_EQ(view.bytes().text(), "ab");
}

TEST(FileSource, RefusesPrioritiesOfEntriesThatAreNotThere) {
  FileSource source(open_bytes(R"({"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "ab"));
  EXPECT_EQ(code_of([&] { source.prioritize(std::array<std::string, 1>{"v"}); }), "entry_missing");
}

}  // namespace
}  // namespace alknet::tensor
