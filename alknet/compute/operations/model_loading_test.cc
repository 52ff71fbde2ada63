#include <gtest/gtest.h>

#include <fmt/format.h>
#include <unistd.h>
#include <cstdlib>

#include <filesystem>
#include <fstream>

#include "alknet/compute/models/sentence_encoder.h"
#include "alknet/compute/operations/operations_test_support.h"

namespace alknet::compute {
namespace {

/// A file of f32 tensors [1] in the order of `values`, one entry of another dtype, and metadata.
std::string model_bytes() {
  std::string header =
      R"({"__metadata__":{"author":"me"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"c":{"dtype":"I16","shape":[2],"data_offsets":[12,16]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::vector<float> numbers = {1, 2, 3};
  std::string bytes(8, '\0');
  const std::uint64_t size = header.size();
  std::memcpy(bytes.data(), &size, 8);
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(numbers.data()), 12);
  return bytes + "1234";
}

/// A model whose entries arrive when the test says so.
class SlowSource final : public tensor::Source {
 public:
  SlowSource() : file_(tensor::File::from_bytes(SharedBytes::copy(model_bytes()))) {}
  const tensor::File& file() const override { return file_; }
  Task<tensor::TensorView> arrived(const tensor::Entry& entry) override {
    asked.emplace_back(entry.name);
    co_await gates[std::string(entry.name)].wait();
    co_return file_.tensor(entry);
  }
  void prioritize(std::span<const std::string> names) override { wanted.assign(names.begin(), names.end()); }

  std::map<std::string, Completion<>> gates;
  std::vector<std::string> asked, wanted;

 private:
  tensor::File file_;
};

class ModelLoading : public testing::Test {
 protected:
  ModelLoading() {
    ComputeServiceOptions options;
    options.models.find = [this](std::string_view name) -> std::shared_ptr<tensor::Source> {
      if (name == "slow") return slow;
      if (name == "tiny") {
        return std::make_shared<tensor::FileSource>(tensor::File::from_bytes(SharedBytes::copy(model_bytes())));
      }
      throw Error(BaseError::kNotFound, "there are the models tiny and slow");
    };
    options.models.grant_stream = [](const std::optional<call::Identity>& caller, std::string_view name,
                                     const std::shared_ptr<tensor::Source>&) {
      return StreamGrant{fmt::format("{} for {}", name, caller->id), std::chrono::seconds(60)};
    };
    options.models.files = [](std::string_view name) {
      return ModelFiles{"here", {{"config.json", fmt::format("{{\"of\":\"{}\"}}", name)}}};
    };
    node = std::make_unique<ServedNode>(std::move(options));
  }

  std::shared_ptr<SlowSource> slow = std::make_shared<SlowSource>();
  std::unique_ptr<ServedNode> node;
};

TEST_F(ModelLoading, GivesHandlesAndAStore) {
  const Json loaded = node->call("compute/load_model", R"({"model":"tiny"})");
  EXPECT_EQ(node->read_as<float>(loaded.at("tensors").at("a")), (std::vector<float>{1, 2}));
  EXPECT_EQ(loaded.at("skipped"), Json(JsonArray{"c"}));
  EXPECT_EQ(loaded.at("metadata"), Json(JsonObject{{"author", "me"}}));
  EXPECT_EQ(node->code("compute/write_tensor",
                       JsonObject{{"tensor", loaded.at("tensors").at("b")}, {"values", JsonArray{5}}}),
            "READ_ONLY");

  const Json plan = node->call("compute/compile", R"({"graph":{"alknet_graph":1,
    "states":[{"name":"a","dtype":"f32","shape":[2],"scope":"store","trainable":false}],
    "nodes":[{"id":"n","op":"neg","inputs":{"input":"a"},"attrs":{}}],"outputs":[{"name":"y","value":"n"}]}})");
  const Json opened = node->call("compute/open", JsonObject{{"plan", plan.at("plan")}, {"store", loaded.at("store")}});
  const Json run =
      node->call("compute/run", JsonObject{{"execution", opened.at("execution")}, {"inputs", JsonObject{}}});
  EXPECT_EQ(node->read_as<float>(run.at("outputs").at("y")), (std::vector<float>{-1, -2}));
}

TEST_F(ModelLoading, TakesNamesAndIds) {
  const Json loaded = node->call("compute/load_model", R"({"model":"tiny","tensors":["b"],"ids":["c1","c2"]})");
  EXPECT_EQ(loaded.at("store"), "c1");
  EXPECT_EQ(loaded.at("tensors").at("b").at("$tensor"), "c2");
  EXPECT_EQ(node->code("compute/load_model", parse_json(R"({"model":"tiny","tensors":["z"]})")), "ENTRY_MISSING");
  EXPECT_EQ(node->code("compute/load_model", parse_json(R"({"model":"huge"})")), "MODEL_NOT_FOUND");
  EXPECT_EQ(node->code("compute/load_model", parse_json(R"({"token":"t"})")), "UNSUPPORTED");
  EXPECT_EQ(node->code("compute/load_model", parse_json(R"({"model":"tiny","path":"x"})")), "INVALID_INPUT");
}

TEST_F(ModelLoading, RefusesEmptyNames) {
  for (const char* name : {"model", "path", "token"}) {
    const Json input = JsonObject{{name, ""}};
    EXPECT_EQ(node->code("compute/load_model", input), "INVALID_INPUT") << name;
    const auto program = ServedNode::make_owner(call::Owner::Kind::kProgram);
    EXPECT_EQ(node->code("compute/load_model", input, program), "INVALID_INPUT") << name;
    node->end(program);
  }
  EXPECT_EQ(node->code("compute/load_model", parse_json(R"({"token":"t","peer":""})")), "INVALID_INPUT");
  EXPECT_EQ(node->code("compute/open_model", parse_json(R"({"model":""})")), "INVALID_INPUT");
}

TEST_F(ModelLoading, TakesPathsOnlyFromPrograms) {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("alknet-model-loading-{}", ::getpid());
  std::filesystem::create_directory(folder);
  const std::string path = (folder / "m.safetensors").string();
  std::ofstream(path, std::ios::binary) << model_bytes();
  const Json input = JsonObject{{"path", path}};
  EXPECT_EQ(node->code("compute/load_model", input), "FORBIDDEN");
  const auto program = ServedNode::make_owner(call::Owner::Kind::kProgram);
  EXPECT_EQ(node->call("compute/load_model", input, program).at("tensors").as_object().size(), 2U);
  node->end(program);
  std::filesystem::remove_all(folder);
}

TEST_F(ModelLoading, SavedStoresAreFilesThatLoadAgain) {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("alknet-model-saving-{}", ::getpid());
  std::filesystem::create_directory(folder);
  const std::string path = (folder / "m.mt").string();
  const auto save = [&](const Json& store, const std::string& rest) {
    return parse_json(fmt::format(R"({{"store":{},"path":"{}"{}}})", json_text(store), path, rest));
  };
  const auto program = ServedNode::make_owner(call::Owner::Kind::kProgram);
  const Json store = node->call("compute/load_model", R"({"model":"tiny"})", program).at("store");
  EXPECT_EQ(node->call("compute/save_model", save(store, R"(,"tensors":["b","a"],"metadata":{"by":"me"})"), program),
            parse_json(R"({"tensors":2})"));
  const auto file = tensor::File::open(path);
  EXPECT_EQ(file.tensor("a").as<float>()[1], 2);
  EXPECT_EQ(file.tensor("b").as<float>()[0], 3);
  const Json loaded = node->call("compute/load_model", Json(JsonObject{{"path", path}}), program);
  EXPECT_EQ(loaded.at("metadata").at("by"), "me");

  EXPECT_EQ(node->code("compute/save_model", save(store, R"(,"tensors":["z"])"), program), "INVALID_INPUT");
  EXPECT_EQ(node->code("compute/save_model", save(store, R"(,"metadata":{"metatensor.x":"1"})"), program),
            "INVALID_INPUT");
  EXPECT_EQ(node->code("compute/save_model", save("h999", ""), program), "INVALID_INPUT");
  const Json theirs = node->call("compute/load_model", R"({"model":"tiny"})").at("store");
  EXPECT_EQ(node->code("compute/save_model", save(theirs, "")), "FORBIDDEN");
  node->end(program);
  std::filesystem::remove_all(folder);
}

TEST_F(ModelLoading, StreamsTensorsAsTheyArrive) {
  std::vector<Json> items;
  const auto take_all = [&]() -> Task<void> {
    call::CallRequest request;
    request.operation = "compute/stream_model";
    request.input = {parse_json(R"({"model":"slow","priority":["b"]})"), {}};
    auto stream = node->dispatcher->subscribe(node->owner, std::move(request));
    auto first = co_await stream.next();
    items.push_back(first->value);
    for (const std::string name : {"b", "a", "c"}) {
      slow->gates[name].set_value();
      auto item = co_await stream.next();
      items.push_back(item->value);
    }
    auto last = co_await stream.next();
    EXPECT_FALSE(last.has_value());
  };
  wait_for(node->executor, take_all());
  ASSERT_EQ(items.size(), 4U);
  EXPECT_EQ(items[0].at("count"), 3);
  EXPECT_EQ(items[0].at("bytes"), 16);
  EXPECT_EQ(items[1].at("name"), "b");
  EXPECT_EQ(items[1].at("arrived"), 4);
  EXPECT_EQ(node->read_as<float>(items[1].at("tensor")), (std::vector<float>{3}));
  EXPECT_EQ(items[2].at("name"), "a");
  EXPECT_EQ(items[3].at("skipped"), true);
  EXPECT_EQ(slow->wanted, (std::vector<std::string>{"b", "a", "c"}));
}

TEST_F(ModelLoading, GrantsStreams) {
  const Json granted = node->call("compute/open_model", R"({"model":"tiny"})");
  EXPECT_EQ(granted.at("token"), "tiny for tester");
  EXPECT_EQ(granted.at("expires_in_s"), 60);
  EXPECT_EQ(granted.at("tensors"), 3);
  EXPECT_EQ(node->code("compute/open_model", parse_json(R"({"model":"huge"})")), "MODEL_NOT_FOUND");
  EXPECT_FALSE(granted.as_object().contains("files"));
  const Message with_files =
      node->call("compute/open_model", Message{parse_json(R"({"model":"tiny","files":true})"), {}});
  const auto config = attached_bytes(with_files, with_files.value.at("files").at("config.json")).span();
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(config.data()), config.size()), "{\"of\":\"tiny\"}");
}

TEST_F(ModelLoading, RefusesAModelThatIsNotThere) {
  EXPECT_EQ(code_of([&] { sentence_model_operations(node->service(), "none", "/nonexistent"); }), "model_invalid");
}

/// Where `alknet model pull` installs the model.
std::filesystem::path model_folder() {
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home == nullptr ? "" : home) / ".cache/alknet/models/all-MiniLM-L6-v2";
}

TEST(ModelEmbedding, TakesOnlySoManySentencesACall) {
  const auto folder = model_folder();
  if (!std::filesystem::exists(folder / "model.safetensors")) {
    GTEST_SKIP() << folder << " is not there: bin/alknet model pull all-MiniLM-L6-v2";
  }
  ComputeServiceOptions options;
  options.max_sentences = 2;
  ServedNode node(std::move(options));
  node.registry().curated().add(sentence_model_operations(node.service(), "minilm", folder));
  EXPECT_EQ(node.code("model/minilm/embed", parse_json(R"({"sentences":["a","b"]})")), "no error");
  EXPECT_EQ(node.code("model/minilm/embed", parse_json(R"({"sentences":["a","b","c"]})")), "RESOURCE_EXHAUSTED");
}

TEST_F(ModelLoading, EmbedsAsTheProgramDoes) {
  const auto folder = model_folder();
  if (!std::filesystem::exists(folder / "model.safetensors")) {
    GTEST_SKIP() << folder << " is not there: bin/alknet model pull all-MiniLM-L6-v2";
  }
  node->registry().curated().add(sentence_model_operations(node->service(), "minilm", folder));
  const std::vector<std::string> texts = {"A dog runs in the park.", "", "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E",
                                          "Stock prices fell."};
  const auto backend = Devices(Devices::Options{1, true}).open("cpu");
  auto encoder =
      SentenceEncoder::load(folder, Context(std::make_shared<BufferManager>(), backend), SentenceEncoder::Options{});
  const auto expected = encoder.embed(texts);
  const Json sentences = JsonArray(texts.begin(), texts.end());
  const Json answer = node->call("model/minilm/embed", JsonObject{{"sentences", sentences}});
  EXPECT_EQ(answer.at("dim"), encoder.dim());
  const Message bytes =
      node->call("model/minilm/embed", Message{JsonObject{{"sentences", sentences}, {"as", "bytes"}}, {}});
  const auto data = attached_bytes(bytes, bytes.value.at("data")).span();
  ASSERT_EQ(data.size(), texts.size() * encoder.dim() * sizeof(float));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::vector<float> of_bytes(encoder.dim());
    std::memcpy(of_bytes.data(), data.data() + i * encoder.dim() * sizeof(float), encoder.dim() * sizeof(float));
    EXPECT_EQ(of_bytes, expected[i].vector);
    for (std::size_t k = 0; k < encoder.dim(); ++k) {
      EXPECT_EQ(static_cast<float>(answer.at("vectors").at(i).at(k).to_number<double>()), expected[i].vector[k]);
    }
  }
  EXPECT_EQ(node->code("model/minilm/embed", JsonObject{{"sentences", JsonArray{5}}}), "INVALID_INPUT");
  const Json empty = node->call("model/minilm/embed", R"({"sentences":[]})");
  EXPECT_EQ(empty.at("vectors").as_array().size(), 0U);
}

}  // namespace
}  // namespace alknet::compute
