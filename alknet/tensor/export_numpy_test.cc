#include "alknet/tensor/export_numpy.h"

#include <gtest/gtest.h>

#include "alknet/tensor/test_support.h"

// What numpy reads of exported files is compared in tests/end_to_end/import_test.py.

namespace alknet::tensor {
namespace {

TEST(NumpyExport, WritesTheHeaderOfFormatOne) {
  const TestFolder folder;
  const File file = open_bytes(R"({"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}})", "12345678");
  export_npy(file, "", folder.path("a.npy"));
  const std::string written = load_file(folder.path("a.npy"));
  EXPECT_TRUE(written.starts_with(std::string("\x93NUMPY\x01\x00", 8)));
  EXPECT_NE(written.find("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1"), std::string::npos);
  EXPECT_TRUE(written.ends_with("\n12345678"));
  EXPECT_EQ((written.size() - 8) % 64, 0u);
}

TEST(NumpyExport, RefusesWhatNumpyLacksAndLeavesNothing) {
  const TestFolder folder;
  const auto refused = [&](const File& file) { return code_of([&] { export_npz(file, folder.path("out.npz")); }); };
  EXPECT_EQ(refused(File::open(kSeeds + "blobs")), "export_unsupported");
  EXPECT_EQ(refused(File::open(kSeeds + "records_nullable")), "export_unsupported");
  EXPECT_EQ(refused(open_bytes(R"({"a":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}})", "ab")),
            "export_unsupported");
  EXPECT_EQ(refused(open_bytes(R"({"../a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "a")),
            "export_unsupported");
  EXPECT_THAT(folder.names(), testing::IsEmpty());
}

TEST(NumpyExport, WritesNarrowFloatsAsIntegersOnlyOnRequest) {
  const TestFolder folder;
  const File file = open_bytes(R"({"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}})", "ab");
  EXPECT_EQ(code_of([&] { export_npy(file, "a", folder.path("a.npy")); }), "export_unsupported");
  export_npy(file, "a", folder.path("a.npy"), {.bits = true});
  EXPECT_NE(load_file(folder.path("a.npy")).find("'<u2'"), std::string::npos);
}

TEST(NumpyExport, AnArrayFileHoldsOneTensor) {
  const TestFolder folder;
  const File file = open_bytes(
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
      "ab");
  EXPECT_EQ(code_of([&] { export_npy(file, "", folder.path("a.npy")); }), "export_unsupported");
  EXPECT_EQ(code_of([&] { export_npy(file, "c", folder.path("a.npy")); }), "entry_missing");
  export_npy(file, "b", folder.path("b.npy"));
  EXPECT_TRUE(load_file(folder.path("b.npy")).ends_with("\nb"));
}

}  // namespace
}  // namespace alknet::tensor
