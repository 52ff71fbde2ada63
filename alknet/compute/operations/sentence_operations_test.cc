#include <gtest/gtest.h>

#include <cmath>
#include <mutex>
#include <set>

#include "alknet/call/error.h"
#include "alknet/compute/models/sentence_encoder.h"
#include "alknet/compute/operations/operations_test_support.h"
#include "alknet/compute/operations/tiny_bert.h"
#include "alknet/tensor/error.h"

namespace alknet::compute {
namespace {

/// A model of which an entry arrives when the test lets it, or fails to.
class GatedSource final : public tensor::Source {
 public:
  explicit GatedSource(tensor::File file) : file_(std::move(file)) {}
  const tensor::File& file() const override { return file_; }
  void prioritize(std::span<const std::string> names) override {
    const std::lock_guard lock(mutex_);
    order_.assign(names.begin(), names.end());
  }
  Task<tensor::TensorView> arrived(const tensor::Entry& entry) override {
    const Completion<> gate = wait_at(std::string(entry.name));
    co_await gate.wait();
    co_return file_.tensor(entry);
  }

  void let(const std::string& name) {
    for (auto& gate : take(name, true)) gate.set_value();
  }
  void fail(const std::string& name) {
    for (auto& gate : take(name, false)) {
      gate.set_error(std::make_exception_ptr(Error(tensor::TensorError::kChecksumMismatch, name + " is damaged")));
    }
  }
  std::vector<std::string> order() {
    const std::lock_guard lock(mutex_);
    return order_;
  }

 private:
  Completion<> wait_at(const std::string& name) {
    const std::lock_guard lock(mutex_);
    Completion<> gate;
    if (there_.contains(name)) {
      gate.set_value();
    } else {
      waiting_[name].push_back(gate);
    }
    return gate;
  }
  std::vector<Completion<>> take(const std::string& name, bool there) {
    const std::lock_guard lock(mutex_);
    if (there) there_.insert(name);
    return std::exchange(waiting_[name], {});
  }

  tensor::File file_;
  std::mutex mutex_;
  std::set<std::string> there_;
  std::map<std::string, std::vector<Completion<>>> waiting_;
  std::vector<std::string> order_;
};

tensor::File tiny_file() { return tensor::File::from_bytes(SharedBytes::take(tiny_bert_weights())); }

ServedOperations* served_with(const ComputeServiceOptions& options) {
  auto* served = new ServedOperations(options);
  served->registry->curated().add(sentence_model_operations(*served->service, "tiny", tiny_bert_files(),
                                                            std::make_shared<tensor::FileSource>(tiny_file())));
  return served;
}

class SentenceOperations : public OperationsTest {
 protected:
  static void SetUpTestSuite() {
    ComputeServiceOptions options;
    options.max_tokens = 100;
    options.max_sentences = 20;
    options.measure_kernels = true;
    served_.reset(served_with(options));
  }
  static void TearDownTestSuite() { served_.reset(); }

  SentenceOperations() : OperationsTest(served_.get()) {}

  Json ids(const Shape& shape, const std::vector<std::int64_t>& values) { return tensor<std::int64_t>(shape, values); }
  std::string refused(JsonObject input) { return code("model/tiny/forward", std::move(input)); }

  static inline std::unique_ptr<ServedOperations> served_;
};

constexpr std::string_view kTexts = R"({"sentences":["The dogs running, unable.","","dog"]})";

TEST_F(SentenceOperations, PoolTheHiddenStateToTheVectorsOfEmbed) {
  const Json embedded = call("model/tiny/embed", kTexts);
  const Json forward = call("model/tiny/forward", kTexts);
  const Json& handle = forward.at("last_hidden_state");
  EXPECT_EQ(handle.at("dtype"), "f32");
  EXPECT_EQ(handle.at("shape"), Json(JsonArray{3, 11, 8}));
  EXPECT_EQ(forward.at("tokens"), Json(JsonArray{11, 2, 3}));
  EXPECT_EQ(forward.at("truncated"), Json(JsonArray{0, 0, 0}));
  const auto hidden = read_as<float>(handle);
  for (std::size_t row = 0; row < 3; ++row) {
    std::vector<double> pooled(8, 0);
    double length = 0;
    for (std::size_t k = 0; k < 8; ++k) {
      const auto tokens = forward.at("tokens").at(row).to_number<std::size_t>();
      for (std::size_t t = 0; t < tokens; ++t) pooled[k] += double{hidden[(row * 11 + t) * 8 + k]};
      length += pooled[k] * pooled[k];
    }
    for (std::size_t k = 0; k < 8; ++k) {
      EXPECT_NEAR(embedded.at("vectors").at(row).at(k).to_number<double>(), pooled[k] / std::sqrt(length), 1e-6);
    }
  }
}

TEST_F(SentenceOperations, TakeTokenIdsOfAnyIntegerDtype) {
  // "dog" and "the dog": [CLS] dog [SEP] with padding, and [CLS] the dog [SEP].
  const Json both = call("model/tiny/forward", R"({"sentences":["dog","the dog"]})");
  const auto expected = read_as<float>(both.at("last_hidden_state"));
  const auto encoder_ids = [] {
    const Context context("cpu");
    const auto encoder = SentenceEncoder::load(tiny_bert_files(), std::make_shared<tensor::FileSource>(tiny_file()),
                                               context, SentenceEncoder::Options{});
    const std::vector<std::string> texts = {"dog", "the dog"};
    const auto sentences = encoder.tokenize(texts);
    const std::vector<const SentenceEncoder::Sentence*> pointers = {&sentences[0], &sentences[1]};
    return encoder.padded(pointers);
  }();
  ASSERT_EQ(encoder_ids.seq, 4);
  const std::vector<std::uint8_t> bytes(encoder_ids.ids.begin(), encoder_ids.ids.end());
  const Json mask = tensor<float>({2, 4}, encoder_ids.mask);
  const Json flags = call("compute/to", JsonObject{{"tensor", mask}, {"dtype", "bool"}});
  for (const Json& given : {ids({2, 4}, {encoder_ids.ids.begin(), encoder_ids.ids.end()}),
                            tensor<std::int32_t>({2, 4}, encoder_ids.ids), tensor<std::uint8_t>({2, 4}, bytes)}) {
    const Json forward = call("model/tiny/forward", JsonObject{{"input_ids", given}, {"attention_mask", flags}});
    EXPECT_EQ(read_as<float>(forward.at("last_hidden_state")), expected);
    EXPECT_FALSE(forward.as_object().contains("tokens"));
  }
  // Padding that is not masked counts; what is alone needs no mask.
  const Json unmasked =
      call("model/tiny/forward", JsonObject{{"input_ids", tensor<std::int32_t>({2, 4}, encoder_ids.ids)}});
  EXPECT_NE(read_as<float>(unmasked.at("last_hidden_state")), expected);
  const Json alone =
      call("model/tiny/forward",
           JsonObject{{"input_ids", ids({1, 3}, {encoder_ids.ids[0], encoder_ids.ids[1], encoder_ids.ids[2]})}});
  const auto first = read_as<float>(alone.at("last_hidden_state"));
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_NEAR(first[i], expected[i], 1e-5F) << i;
}

TEST_F(SentenceOperations, RefuseTokensThatTheModelDoesNotTake) {
  EXPECT_EQ(refused({{"input_ids", tensor<float>({1, 2}, {1, 2})}}), "DTYPE_MISMATCH");
  EXPECT_EQ(refused({{"input_ids", ids({2}, {1, 2})}}), "SHAPE_MISMATCH");
  EXPECT_EQ(refused({{"input_ids", ids({0, 2}, {})}}), "SHAPE_MISMATCH");
  EXPECT_EQ(refused({{"input_ids", ids({1, 33}, std::vector<std::int64_t>(33))}}), "SHAPE_MISMATCH");
  EXPECT_EQ(refused({{"input_ids", ids({1, 2}, {1, 2})}, {"attention_mask", ids({2, 1}, {1, 1})}}), "SHAPE_MISMATCH");
  for (const std::int64_t id : {std::int64_t{64}, std::int64_t{-1}, (std::int64_t{1} << 32) + 5, INT64_MIN}) {
    EXPECT_EQ(refused({{"input_ids", ids({1, 2}, {1, id})}}), "INDEX_OUT_OF_RANGE") << id;
  }
  const Json good = ids({1, 2}, {1, 2});
  EXPECT_EQ(refused({{"input_ids", good}, {"sentences", JsonArray{"dog"}}}), "INVALID_INPUT");
  EXPECT_EQ(refused({{"sentences", JsonArray{"dog"}}, {"attention_mask", good}}), "INVALID_INPUT");
  EXPECT_EQ(refused({{"sentences", JsonArray{}}}), "INVALID_INPUT");
  EXPECT_EQ(refused({}), "INVALID_INPUT");
  EXPECT_EQ(refused({{"input_ids", good}}), "no error");
}

TEST_F(SentenceOperations, AreLimited) {
  EXPECT_EQ(refused({{"input_ids", ids({51, 2}, std::vector<std::int64_t>(102))}}), "RESOURCE_EXHAUSTED");
  JsonArray texts;
  for (int i = 0; i < 9; ++i) texts.emplace_back("the dog the cat the dog the cat the dog the cat");
  EXPECT_EQ(refused({{"sentences", texts}}), "RESOURCE_EXHAUSTED") << "9 x 12 tokens";
  texts.resize(8);
  const Json made = call("model/tiny/forward", JsonObject{{"sentences", texts}, {"ids", JsonArray{"c1"}}});
  EXPECT_EQ(made.at("last_hidden_state").at("$tensor"), "c1");
  EXPECT_EQ(made.at("truncated").at(0), 2) << "12 words and two special tokens, of which 12 are taken";
  EXPECT_EQ(refused({{"sentences", JsonArray(21, Json(""))}}), "RESOURCE_EXHAUSTED");
  EXPECT_EQ(code("model/tiny/embed", JsonObject{{"sentences", JsonArray(21, Json(""))}}), "RESOURCE_EXHAUSTED");
}

TEST_F(SentenceOperations, KeepWithinTheCallersQuota) {
  // The memory that the first calls leave is the model's, for all callers: of a first run, which looks for tensors that
  // are still to come, and of those after it.
  const auto first = make_owner();
  for (int run = 0; run < 2; ++run) {
    EXPECT_EQ(code("model/tiny/forward", JsonObject{{"sentences", JsonArray{"dog"}}}, first), "no error");
  }
  end(first);
  const std::uint64_t before = live_bytes();
  const auto small = make_owner(call::Owner::Kind::kConnection, {.max_count = 100, .max_bytes = 8 * 4 * 3});
  EXPECT_EQ(code("model/tiny/forward", JsonObject{{"sentences", JsonArray{"the dog"}}}, small), "RESOURCE_EXHAUSTED");
  EXPECT_EQ(code("model/tiny/forward", JsonObject{{"sentences", JsonArray{"dog"}}}, small), "no error");
  end(small);
  EXPECT_EQ(live_bytes(), before);
  const Json mine = ids({1, 1}, {2});
  const auto other = make_owner();
  EXPECT_EQ(code("model/tiny/forward", JsonObject{{"input_ids", mine}}, other), "INVALID_INPUT");
  end(other);
  const auto request = make_owner(call::Owner::Kind::kRequest);
  EXPECT_EQ(code("model/tiny/forward", JsonObject{{"sentences", JsonArray{"dog"}}}, request), "INVALID_INPUT");
  end(request);
}

TEST_F(SentenceOperations, CountInTheTimesOfKernels) {
  const auto rows = [&](std::string_view by, std::string_view part) {
    double count = 0;
    const Json stats = call("compute/stats", R"({"kernels":true})");
    for (const Json& row : stats.at("kernels").as_array()) {
      if (row.at("by") != Json(by) || row.at("name").as_string().find(part) == std::string::npos) continue;
      EXPECT_EQ(row.at("device"), "cpu");
      const double mean = row.at("mean_s").as_double(), total = row.at("total_s").as_double();
      EXPECT_GT(total, 0);
      EXPECT_NEAR(mean * row.at("count").to_number<double>(), total, 1e-9);
      count += row.at("count").to_number<double>();
    }
    return count;
  };
  EXPECT_EQ(rows("caller", ""), 0);
  std::vector<double> products;
  for (int i = 0; i < 4; ++i) {
    call("model/tiny/embed", R"({"sentences":["dog"]})");
    products.push_back(rows("models", "matmul"));
  }
  EXPECT_GE(products[2] - products[1], 8) << "two layers of at least four products";
  EXPECT_EQ(products[3] - products[2], products[2] - products[1]);
  const Json a = tensor<float>({2, 2}, {1, 2, 3, 4});
  for (int i = 0; i < 3; ++i) call("tensor/matmul", JsonObject{{"input", a}, {"other", a}});
  const Json plan =
      call("compute/compile", R"({"graph":{"alknet_graph":1,"inputs":[{"name":"x","dtype":"f32","shape":[2,2]}],
    "nodes":[{"id":"y","op":"matmul","inputs":{"input":"x","other":"x"},"attrs":{}}],"outputs":[{"name":"y","value":"y"}]}})");
  call("compute/run", JsonObject{{"plan", plan.at("plan")}, {"inputs", JsonObject{{"x", a}}}});
  EXPECT_EQ(rows("caller", "matmul"), 4);
  call("compute/register_kernel", R"({"name":"twice","expression":"output = 2 * x","inputs":["x"]})");
  call("compute/dispatch_kernel", JsonObject{{"kernel", "twice"}, {"inputs", JsonArray{a}}});
  EXPECT_EQ(rows("caller", "twice"), 1);
}

TEST(KernelTimesOfCallers, AreNotTakenUnlessTheProgramAsks) {
  ServedNode quiet;
  EXPECT_EQ(quiet.code("compute/stats", JsonObject{{"kernels", true}}), "UNSUPPORTED");
  EXPECT_FALSE(quiet.call("compute/stats", "{}").as_object().contains("kernels"));
}

/// A model whose tensors come one after the other.
class ArrivingModels : public OperationsTest {
 protected:
  ArrivingModels() {
    registry().curated().replace_prefix("model/tiny/",
                                        sentence_model_operations(service(), "tiny", tiny_bert_files(), source));
  }
  ~ArrivingModels() override { registry().curated().replace_prefix("model/tiny/", {}); }

  /// Lets those of one layer come: "embeddings", "encoder.layer.0", ...
  void let(std::string_view layer) {
    for (const auto& entry : source->file().entries()) {
      if (entry.name.starts_with(layer)) source->let(std::string(entry.name));
    }
  }

  std::uint64_t launches() {
    return call("compute/stats", "{}").at("devices").at(0).at("launches").to_number<std::uint64_t>();
  }

  struct Answer final : call::CallSink {
    void responded(Message message, const call::Operation&) override {
      answer = std::move(message.value), done.set_value();
    }
    void completed() override {}
    void failed(const call::WireError& wire) override { error = wire.code, done.set_value(); }
    Json answer;
    std::string error;
    Completion<> done;
  };

  struct Begun {
    std::shared_ptr<Answer> answer = std::make_shared<Answer>();
    call::CallHandle handle;
  };

  /// Starts a call and lets it go as far as it can now.
  Begun begin(std::string operation, std::string_view input) {
    Begun begun;
    const auto start_it = [&]() -> Task<void> {
      call::CallRequest request;
      request.operation = operation;
      request.input = {parse_json(input), {}};
      begun.handle = dispatcher->start(owner, std::move(request), begun.answer);
      co_await reschedule();
    };
    wait_for(executor, start_it());
    service().settle();
    return begun;
  }

  /// Waits for a call that was begun.
  std::shared_ptr<Answer> ended(const Begun& begun) {
    const auto wait = [](std::shared_ptr<Answer> answer) -> Task<void> { co_await answer->done.wait(); };
    wait_for(executor, wait(begun.answer));
    return begun.answer;
  }

  std::shared_ptr<GatedSource> source = std::make_shared<GatedSource>(tiny_file());
};

TEST_F(ArrivingModels, ComputeEachLayerWhenItsTensorsAreThere) {
  const Context context("cpu");
  auto reference = SentenceEncoder::load(tiny_bert_files(), std::make_shared<tensor::FileSource>(tiny_file()), context,
                                         SentenceEncoder::Options{});
  const std::vector<std::string> texts = {"The dogs running, unable.", "", "dog"};
  const auto expected = reference.embed(texts);
  ASSERT_FALSE(source->order().empty());
  EXPECT_TRUE(source->order().front().starts_with("embeddings."));
  EXPECT_TRUE(source->order().back().starts_with("encoder.layer.1."));

  std::vector<std::uint64_t> seen = {launches()};
  const Begun begun = begin("model/tiny/embed", kTexts);
  seen.push_back(launches());
  EXPECT_EQ(seen[1], seen[0]) << "nothing can be computed";
  for (const std::string_view layer : {"embeddings.", "encoder.layer.0."}) {
    let(layer);
    seen.push_back(launches());
    EXPECT_GT(seen[seen.size() - 1], seen[seen.size() - 2]) << layer << " is there, and computed";
  }
  EXPECT_EQ(values(tensor<float>({1}, {7})), Json(JsonArray{7.0})) << "other calls do not wait";
  EXPECT_TRUE(begun.answer->answer.is_null()) << "the last layer's tensors are still to come";
  let("encoder.layer.1.");
  const auto answer = ended(begun);
  EXPECT_EQ(answer->error, "");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (std::size_t k = 0; k < 8; ++k) {
      EXPECT_NEAR(answer->answer.at("vectors").at(i).at(k).to_number<double>(), expected[i].vector[k], 1e-6);
    }
  }
  // From now on as a model that was there from the start.
  const Json again = call("model/tiny/embed", kTexts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (std::size_t k = 0; k < 8; ++k) {
      EXPECT_EQ(static_cast<float>(again.at("vectors").at(i).at(k).to_number<double>()), expected[i].vector[k]);
    }
  }
}

TEST_F(ArrivingModels, ServeSeveralCallsThatWait) {
  const Begun forward = begin("model/tiny/forward", kTexts);
  const Begun embed = begin("model/tiny/embed", kTexts);
  const Begun second = begin("model/tiny/embed", R"({"sentences":["dog"]})");
  let("");
  EXPECT_EQ(ended(forward)->error, "");
  EXPECT_EQ(ended(second)->error, "");
  EXPECT_EQ(ended(embed)->error, "");
  EXPECT_EQ(embed.answer->answer.at("vectors").as_array().size(), 3U);
  const auto waited = read_as<float>(forward.answer->answer.at("last_hidden_state"));
  const auto later = read_as<float>(call("model/tiny/forward", kTexts).at("last_hidden_state"));
  ASSERT_EQ(waited.size(), later.size());
  for (std::size_t i = 0; i < waited.size(); ++i) EXPECT_NEAR(waited[i], later[i], 1e-5F);
}

TEST_F(ArrivingModels, SayThatATensorWasDamagedAndGoOnWhenItComesAgain) {
  const Begun begun = begin("model/tiny/embed", kTexts);
  source->fail("embeddings.word_embeddings.weight");
  EXPECT_EQ(ended(begun)->error, "CHECKSUM_MISMATCH");
  let("");
  EXPECT_EQ(code("model/tiny/embed", parse_json(kTexts)), "no error");
}

TEST_F(ArrivingModels, KeepNothingForCallsThatAreGivenUp) {
  const std::uint64_t before = live_bytes();
  const auto abort = [](Begun begun) -> Task<void> {
    begun.handle.abort();
    co_return;
  };
  for (int i = 0; i < 5; ++i) wait_for(executor, abort(begin("model/tiny/forward", kTexts)));
  service().settle();
  EXPECT_EQ(live_bytes(), before);
  let("");
  EXPECT_EQ(code("model/tiny/embed", parse_json(kTexts)), "no error");
}

TEST_F(ArrivingModels, MustHaveAllTheirTensors) {
  ModelFiles files = tiny_bert_files();
  files.texts["config.json"] =
      std::string(kTinyBertConfig).replace(kTinyBertConfig.find("layers\":2"), 9, "layers\":3");
  const auto error = error_of([&] { sentence_model_operations(service(), "more", files, source); });
  EXPECT_EQ(error.code_name(), "model_invalid");
  EXPECT_NE(std::string(error.message()).find("encoder.layer.2."), std::string::npos) << error.message();
  files.texts.erase("tokenizer.json");
  EXPECT_EQ(code_of([&] { sentence_model_operations(service(), "more", files, source); }), "model_invalid");
}

}  // namespace
}  // namespace alknet::compute
