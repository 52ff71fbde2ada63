// Files exchanged both ways with the safetensors package of PyPI, which knows nothing of alknet.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstring>

#include "alknet/base/json.h"
#include "alknet/schema/schema.h"
#include "alknet/tensor/elements.h"
#include "alknet/tensor/export.h"
#include "alknet/tensor/records.h"
#include "alknet/tensor/test_support.h"
#include "alknet/tensor/values.h"
#include "alknet/tensor/verify.h"
#include "alknet/tensor/writer.h"

namespace alknet::tensor {
namespace {

using schema::FileDtype;

class SafetensorsPackage : public testing::Test {
 protected:
  void SetUp() override {
    const auto status = run_python("-c 'import numpy, safetensors.numpy'");
    if (!status || *status != 0) GTEST_SKIP() << "no Python with numpy and safetensors";
  }

  // Runs a script; ARGV[1] is the folder.
  void python(std::string_view script) {
    save(folder_.path("script.py"),
         fmt::format("import json, sys\nimport numpy as np\nfrom safetensors import safe_open\n"
                     "from safetensors.numpy import load_file, save_file\n"
                     "folder = sys.argv[1]\n{}",
                     script));
    ASSERT_EQ(run_python(fmt::format("{} {}", folder_.path("script.py"), folder_.path())), 0);
  }

  TestFolder folder_;
};

TEST_F(SafetensorsPackage, ItsFilesOpenHere) {
  python(R"(
rng = np.random.default_rng(1)
arrays = {"f32": rng.standard_normal((3, 5)).astype("f4"), "f64": rng.standard_normal(7), "f16": rng.standard_normal((2, 2)).astype("f2"),
          "i64": rng.integers(-2**40, 2**40, (4,)), "u8": np.arange(9, dtype="u1"), "bool": np.array([True, False]),
          "i16": np.array(-5, dtype="i2"), "empty": np.zeros((0, 3), "f4"), "größe": np.ones(1, "i4")}
save_file(arrays, folder + "/theirs.safetensors", metadata={"made by": "numpy", "k": "v\n\u00e9"})
json.dump({k: v.astype(float if v.dtype.kind == "f" else v.dtype).tolist() for k, v in arrays.items()}, open(folder + "/values.json", "w"))
)");
  const Json expected = parse_json(load_file(folder_.path("values.json")));
  for (const Access access : {Access::kMap, Access::kRead}) {
    const File file = File::open(folder_.path("theirs.safetensors"), {.access = access});
    EXPECT_EQ(file.entries().size(), expected.as_object().size());
    EXPECT_EQ(file.metadata("k"), "v\n\u00e9");
    for (const auto& [name, values] : expected.as_object()) {
      const Json found = value_json(file, select(file, name));
      EXPECT_EQ(json_text(found), json_text(values)) << std::string(name);
    }
    EXPECT_TRUE(verify(file).empty());
  }
}

// One of everything that a metatensor has: pads, growing entries, records, blobs, checksums, a schema.
std::string write_rich_file(const TestFolder& folder) {
  const std::string path = folder.path("ours.mt");
  const auto schema = schema::Schema::parse(R"({
    "TypeDef:Struct": {"order": ["byte", "w", "r", "t"]}, "required": ["byte", "w", "r", "t"],
    "properties": {
      "byte": {"TypeDef:Tensor": {"dtype": "U8", "shape": [3]}},
      "w": {"TypeDef:Tensor": {"dtype": "F32", "shape": [2, 2]}},
      "r": {"TypeDef:Tensor": {"shape": [-1], "dtype": {"TypeDef:Struct": {"order": ["id", "x"]}, "required": ["id", "x"],
            "properties": {"id": {"TypeDef:Uint8": true}, "x": {"TypeDef:Float32": true}}}}},
      "t": {"TypeDef:Tensor": {"shape": [-1], "dtype": {"TypeDef:Blob": {"item": {"TypeDef:String": true}}}}}}})");
  Writer writer(path, {.schema = schema, .metadata = {{"user", "größe"}}, .checksums = true, .order = {"byte", "w"}});
  const auto byte = writer.declare({.name = "byte", .dtype = FileDtype::kU8, .shape = {3}});
  const auto w = writer.declare({.name = "w", .dtype = FileDtype::kF32, .shape = {2, 2}});
  const auto r = writer.declare_growing({.name = "r", .dtype = FileDtype::kU8, .shape = {8}});
  const auto t = writer.declare_blobs("t");
  writer.start();
  writer.write(byte, 0, bytes_of(std::string_view("abc")));
  const std::array<float, 4> numbers = {1.5f, -2, 3, 4};
  writer.write(w, std::span(numbers));
  writer.append(r, bytes_of(std::string_view("\7\0\0\0\0\0\x80\x3f", 8)));
  writer.append_blob(t, "hi");
  writer.append_blob(t, "größe");
  writer.close();
  return path;
}

TEST_F(SafetensorsPackage, OpensOurMetatensorFiles) {
  write_rich_file(folder_);
  EXPECT_TRUE(verify(folder_.path("ours.mt")).empty());
  python(R"(
arrays = load_file(folder + "/ours.mt")
assert arrays["w"].dtype == np.float32 and arrays["w"].tolist() == [[1.5, -2], [3, 4]], arrays["w"]
assert arrays["byte"].tobytes() == b"abc"
record = np.dtype({"names": ["id", "x"], "formats": ["u1", "<f4"], "offsets": [0, 4], "itemsize": 8})
assert arrays["r"].shape == (1, 8) and arrays["r"].view(record).tolist() == [[(7, 1.0)]]
ends = [bytes(arrays["__blob__.t"])[o:o + n].decode() for o, n in arrays["t"].view("<u8").tolist()]
assert ends == ["hi", "größe"], ends
with safe_open(folder + "/ours.mt", "np") as f:
    meta = f.metadata()
assert meta["metatensor"] == "1" and meta["format"] == "pt" and meta["user"] == "größe", meta
assert json.loads(meta["metatensor.schema"])["TypeDef:Struct"]["order"] == ["byte", "w", "r", "t"]
)");
}

TEST_F(SafetensorsPackage, OpensWhatWeExport) {
  export_safetensors(File::open(write_rich_file(folder_)), folder_.path("plain.safetensors"));
  const File plain = File::open(folder_.path("plain.safetensors"));
  EXPECT_FALSE(plain.is_metatensor());
  EXPECT_THAT(plain.metadata(), testing::ElementsAre(testing::Pair("format", "pt"), testing::Pair("user", "größe")));
  python(R"(
arrays = load_file(folder + "/plain.safetensors")
assert sorted(arrays) == ["__blob__.t", "byte", "r", "t", "w"], sorted(arrays)
assert arrays["w"].tolist() == [[1.5, -2], [3, 4]]
with safe_open(folder + "/plain.safetensors", "np") as f:
    assert f.metadata() == {"format": "pt", "user": "größe"}
)");
}

TEST_F(SafetensorsPackage, FilesSurviveTheRoundTripThroughIt) {
  python(
      R"(save_file({"a": np.arange(6, dtype="f4").reshape(2, 3), "b": np.array([1, 2, 3], "u1")}, folder + "/one", metadata={"k": "v"}))");
  export_metatensor(File::open(folder_.path("one")), folder_.path("two"), true);
  EXPECT_TRUE(File::open(folder_.path("two")).is_metatensor());
  EXPECT_TRUE(verify(folder_.path("two")).empty());
  export_safetensors(File::open(folder_.path("two")), folder_.path("three"));
  python(R"(
one, three = load_file(folder + "/one"), load_file(folder + "/three")
assert sorted(one) == sorted(three) and all((one[k] == three[k]).all() and one[k].dtype == three[k].dtype for k in one)
)");
}

TEST_F(SafetensorsPackage, HalfFloatsDecodeAsNumpyDoes) {
  python(R"(
bits = np.arange(65536, dtype="u2")
save_file({"f16": bits.view("f2")}, folder + "/half")
numbers = bits.view("f2").astype("f8")
np.where(np.isfinite(numbers), numbers, 123456789.0).tofile(folder + "/half.f8")
)");
  const File file = File::open(folder_.path("half"));
  const std::string expected = load_file(folder_.path("half.f8"));
  ASSERT_EQ(expected.size(), 65536 * sizeof(double));
  const auto bytes = file.tensor("f16").bytes();
  for (std::size_t i = 0; i < 65536; ++i) {
    double wanted;
    std::memcpy(&wanted, expected.data() + i * sizeof wanted, sizeof wanted);
    const double found = element_number(FileDtype::kF16, bytes.span(), i);
    EXPECT_EQ(std::isfinite(found) ? found : 123456789.0, wanted) << i;
  }
}

}  // namespace
}  // namespace alknet::tensor
