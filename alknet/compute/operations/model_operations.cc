#include <fmt/format.h>

#include <future>
#include <memory>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/base/shortest_double.h"
#include "alknet/call/error.h"
#include "alknet/compute/models/sentence_encoder.h"
#include "alknet/compute/operations/compute_operations.h"
#include "alknet/compute/operations/handles.h"
#include "alknet/compute/operations/spec.h"

namespace alknet::compute {
namespace {

/// Sentences of one piece of work on the compute thread, between which other callers get their turn.
constexpr std::size_t kSentencesAtOnce = 256;

constexpr std::string_view kEmbedInput = R"({"properties":{
  "sentences":{"type":"array","items":{"type":"string"},"description":"Texts in UTF-8",
    "examples":[["A dog runs in the park.","A puppy is playing outside."]]},
  "as":{"enum":["values","bytes"],"default":"values",
    "description":"Arrays of numbers, or f32 [sentences, dim] as bytes, row-major, little-endian"}},
  "required":["sentences"]})";

constexpr std::string_view kEmbedOutput = R"({"properties":{
  "dim":{"type":"integer","description":"Numbers in a vector"},
  "vectors":{"type":"array","items":{"type":"array","items":{"type":"number"}},
    "description":"One of length 1 for each sentence; the dot product of two says how alike they are"},
  "data":"@bytes The same, when asked for",
  "truncated":{"type":"array","items":{"type":"integer"},
    "description":"How many tokens of each sentence were beyond what the model takes"}},
  "required":["dim","truncated"]})";

/// A model on the compute thread, where it also ends.
class LoadedEncoder {
 public:
  LoadedEncoder(ComputeService& service, std::unique_ptr<SentenceEncoder> encoder)
      : service_(service), encoder_(std::move(encoder)) {}
  ~LoadedEncoder() { service_.release(std::move(encoder_)); }
  LoadedEncoder(const LoadedEncoder&) = delete;
  LoadedEncoder& operator=(const LoadedEncoder&) = delete;

  SentenceEncoder& encoder() { return *encoder_; }

 private:
  ComputeService& service_;
  std::unique_ptr<SentenceEncoder> encoder_;
};

using EncoderPtr = std::shared_ptr<LoadedEncoder>;
using Sentences = std::vector<SentenceEncoder::Sentence>;

Message answer_of(const Sentences& sentences, std::size_t dim, bool bytes) {
  Message answer;
  JsonArray truncated;
  JsonArray vectors;
  std::vector<std::byte> data;
  for (const auto& sentence : sentences) {
    truncated.emplace_back(sentence.truncated);
    if (bytes) {
      const auto elements = std::as_bytes(std::span(sentence.vector));
      data.insert(data.end(), elements.begin(), elements.end());
    } else {
      JsonArray vector;
      vector.reserve(sentence.vector.size());
      for (const float each : sentence.vector) vector.emplace_back(shortest_double(each));
      vectors.emplace_back(std::move(vector));
    }
  }
  JsonObject members{{"dim", dim}, {"truncated", std::move(truncated)}};
  if (bytes) {
    members.emplace("data", attach_bytes(answer, SharedBytes::take(std::move(data))));
  } else {
    members.emplace("vectors", std::move(vectors));
  }
  answer.value = std::move(members);
  return answer;
}

Task<Message> embed_sentences(ComputeService& service, EncoderPtr model, Message input) {
  const JsonObject& object = members(input);
  const auto texts = texts_member(object, "sentences");
  if (texts.size() > service.options().max_sentences) {
    throw Error(call::CallError::kResourceExhausted,
                fmt::format("at most {} sentences a call", service.options().max_sentences),
                JsonObject{{"limit", "sentences"}});
  }
  Sentences sentences;
  for (std::size_t first = 0; first < texts.size(); first += kSentencesAtOnce) {
    const std::size_t count = std::min(kSentencesAtOnce, texts.size() - first);
    std::vector<std::string> part(texts.begin() + static_cast<std::ptrdiff_t>(first),
                                  texts.begin() + static_cast<std::ptrdiff_t>(first + count));
    auto work = [model, part = std::move(part)] { return model->encoder().embed(part); };
    Sentences made = co_await run_on(service.compute(), std::move(work));
    std::move(made.begin(), made.end(), std::back_inserter(sentences));
  }
  auto size = [model] { return model->encoder().dim(); };
  const std::size_t dim = co_await run_on(service.compute(), std::move(size));
  const Json* as = member(object, "as");
  co_return answer_of(sentences, dim, as != nullptr && *as == Json("bytes"));
}

EncoderPtr load_encoder(ComputeService& service, const std::filesystem::path& folder) {
  const auto loaded = std::make_shared<std::promise<EncoderPtr>>();
  service.compute().post([&service, &folder, loaded] {
    try {
      auto encoder = std::make_unique<SentenceEncoder>(
          SentenceEncoder::load(folder, service.make_context(), SentenceEncoder::Options{}));
      loaded->set_value(std::make_shared<LoadedEncoder>(service, std::move(encoder)));
    } catch (...) {
      loaded->set_exception(std::current_exception());
    }
  });
  return loaded->get_future().get();
}

}  // namespace

std::vector<call::Registration> sentence_model_operations(ComputeService& service, const std::string& name,
                                                          const std::filesystem::path& folder) {
  const EncoderPtr model = load_encoder(service, folder);
  call::OperationSpec spec;
  spec.name = fmt::format("model/{}/embed", name);
  spec.type = call::OperationType::kQuery;
  spec.title = "Turn sentences into vectors";
  spec.description = fmt::format(
      "Embeds each sentence with {}. Texts of like length are computed together; longer ones than the model takes are "
      "cut, which `truncated` says.",
      name);
  spec.input_schema = shared_schema(kEmbedInput);
  spec.output_schema = shared_schema(kEmbedOutput);
  spec.default_timeout = std::chrono::seconds(300);
  std::vector<call::Registration> all;
  all.push_back(guarded(service, std::move(spec), kCommonErrors | kModelErrors,
                        [&service, model](call::OperationContext&, Message input) {
                          return embed_sentences(service, model, std::move(input));
                        }));
  return all;
}

}  // namespace alknet::compute
